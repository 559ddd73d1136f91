"""What load one metric's own past says is coming: a seasonal forecast, and how wrong such forecasts have been.

The load of the same time of day on each of the last DAYS days, or of the same time of the week in the last WEEKS weeks, the median of
those that are known, times how much more or less than so the last hour was (a seasonal naive forecast with its level adjusted; Hyndman
and Athanasopoulos, Forecasting: Principles and Practice, sections 5.2 and 5.8). The season whose forecasts have been less wrong over
the last day is used; how wrong is the sum of the errors divided by the sum of the loads (WAPE), each of a forecast made as long before as
it would be needed, out of nothing that was known later.

Numbers in, numbers out: times are seconds since the epoch and the caller's. Bounded: KEPT bins. Whether a forecast is followed is not
decided here. A day is 24 hours long here: after a change of the clock the daily peak comes an hour off until the season has moved on, which
the error shows.
"""

import math
from collections import deque
from collections.abc import Iterable
from statistics import median
from typing import Final

from autoscaler.season import Bin
from autoscaler.snapshot import Forecast

BIN_S: Final = 300.0
DAY: Final = 288  # bins
WEEK: Final = 7 * DAY
KEPT: Final = 5 * WEEK
DAYS: Final = 7  # the most that a forecast looks back to
WEEKS: Final = 4
SEASONS: Final = ((DAY, DAYS), (WEEK, WEEKS))
LEVEL_BINS: Final = 12  # the last hour says how today differs from other days, ...
LEVEL_MOST: Final = 2.0  # ... but by no more than twice or half
JUDGED: Final = DAY  # forecasts that are remembered with their errors
LEAST_JUDGED: Final = 36  # three hours of them: fewer do not tell how wrong they are
SEEN_SHARE: Final = 0.8  # of a bin that must have been observed: a mean over less may be of anything


class Forecaster:
    """One metric of one service. bins: its past, in any order. horizon_s: how far ahead forecasts are asked for and judged."""

    def __init__(self, metric: str, horizon_s: float, bins: Iterable[Bin] = ()) -> None:
        self._metric = metric
        self._lead = max(1, math.ceil(horizon_s / BIN_S))
        known = {_number(bin_.start_s): bin_.load for bin_ in bins if bin_.length_s == BIN_S}
        self._loads = dict(sorted(known.items()))
        self._errors = {season: deque[tuple[float, float]](maxlen=JUDGED) for season, _ in SEASONS}
        self._expected: dict[tuple[int, int], float | None] = {}
        self._last = max(self._loads, default=-1)  # the newest bin that is over
        self._at_s: float | None = None
        self._total = self._seen_s = self._area = self._peak = 0.0
        for number in range(self._last - JUDGED + 1, self._last + 1):
            self._judge(number)
        self._forget()

    def observe(self, wall_s: float, total: float) -> Bin | None:
        """total: the load times the seconds it lasted, since any beginning; never falling. Returns the bin that this ends, if one."""
        before_s, before = self._at_s, self._total
        self._at_s, self._total = wall_s, total
        if before_s is None or not before_s < wall_s < before_s + BIN_S:
            self._begin_bin()
            return None
        load = max(0.0, total - before) / (wall_s - before_s)
        border_s = (_number(before_s) + 1) * BIN_S
        if wall_s < border_s:
            self._count(load, wall_s - before_s)
            return None
        self._count(load, border_s - before_s)
        ended = self._end_bin(_number(before_s))
        self._count(load, wall_s - border_s)
        return ended

    def forecast(self, wall_s: float, horizon_s: float) -> Forecast | None:
        """The load to be expected horizon_s after wall_s; None while there is no past to tell."""
        place = (wall_s + horizon_s) / BIN_S - 0.5  # bins stand for their middle
        number = math.floor(place)
        season = min(self._errors, key=lambda season: (self._error(season) is None, self._error(season) or 0.0))
        early, late = self._expect(season, number), self._expect(season, number + 1)
        if early is None or late is None:
            return None
        return Forecast(early + (place - number) * (late - early), horizon_s, self._error(season))

    def _begin_bin(self) -> None:
        self._seen_s = self._area = self._peak = 0.0

    def _count(self, load: float, seconds: float) -> None:
        self._seen_s += seconds
        self._area += load * seconds
        self._peak = max(self._peak, load)

    def _end_bin(self, number: int) -> Bin | None:
        seen_s, area, peak = self._seen_s, self._area, self._peak
        self._begin_bin()
        self._last = number
        if seen_s < SEEN_SHARE * BIN_S:
            return None
        self._loads[number] = area / seen_s
        self._judge(number)
        self._forget()
        return Bin(self._metric, number * BIN_S, BIN_S, area / seen_s, peak)

    def _judge(self, number: int) -> None:
        """How wrong was what each season would have said of this bin as long before as it would have been needed?"""
        if number not in self._loads:
            return
        for season, count in SEASONS:
            said = self._said(season, count, number, number - self._lead)
            if said is not None:
                self._errors[season].append((abs(said - self._loads[number]), self._loads[number]))

    def _error(self, season: int) -> float | None:
        errors = self._errors[season]
        if len(errors) < LEAST_JUDGED:
            return None
        loads = sum(load for _, load in errors)
        return sum(error for error, _ in errors) / loads if loads else 0.0

    def _expect(self, season: int, number: int) -> float | None:
        """As `_said`, by all that is known now; worked out once for every bin that ends."""
        if (season, number) not in self._expected:
            self._expected[season, number] = self._said(season, dict(SEASONS)[season], number, self._last)
        return self._expected[season, number]

    def _said(self, season: int, count: int, number: int, known: int) -> float | None:
        """The forecast for a bin out of those up to `known`; None: no earlier season is known."""
        usual = self._usual(season, count, number, known)
        if usual is None:
            return None
        lately = [
            (self._loads.get(near), self._usual(season, count, near, near)) for near in range(known - LEVEL_BINS + 1, known + 1)
        ]
        pairs = [(load, other) for load, other in lately if load is not None and other is not None]
        loads, others = sum(load for load, _ in pairs), sum(other for _, other in pairs)
        level = loads / others if others > 0 else 1.0
        return usual * min(LEVEL_MOST, max(1 / LEVEL_MOST, level))

    def _usual(self, season: int, count: int, number: int, known: int) -> float | None:
        """The median of the same time in earlier seasons."""
        earlier = (number - season * ago for ago in range(1, count + 1))
        loads = [self._loads[other] for other in earlier if other in self._loads and other <= known]
        return median(loads) if loads else None

    def _forget(self) -> None:
        self._expected.clear()
        while len(self._loads) > KEPT or (self._loads and next(iter(self._loads)) <= self._last - KEPT):
            del self._loads[next(iter(self._loads))]


def _number(at_s: float) -> int:
    """The number of the bin that a moment is in."""
    return math.floor(at_s / BIN_S)
