"""What is usual: the level of a load since it last stepped, and how much it varies by chance.

A load that began or stepped a while ago is not noise. So the minute is parted where two levels explain it best, for as long as
these differ by more than chance, and only the newest part tells what is usual. All of its variance counts as noise, slow waves and
single peaks included. Nothing is decided here, and nothing remembered: numbers in, numbers out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DEVIATIONS: Final = 6.0  # what noise does not explain, of the standard deviation of a difference
LEAST_STEP: Final = 1.5  # one request more is never a step
LEAST_S: Final = 3.0  # less is no level
CHANCE_S: Final = 1.0  # so many seconds that come at random (Poisson) are added to those seen: a few may be alike by chance

Value = tuple[float, float]  # seconds, and the mean over them


@dataclass(frozen=True, slots=True)
class Usual:
    """A mean over `length_s` seconds. deviation: the standard deviation of a mean over one second."""

    length_s: float
    level: float
    deviation: float

    def noise(self, window_s: float, service_s: float) -> float:
        """The standard deviation to be expected of the difference between a mean over `window_s` and this level."""
        return self.deviation * math.hypot(noise_share(window_s, service_s), noise_share(self.length_s, service_s))


def usual(values: Sequence[Value], service_s: float) -> Usual | None:
    """The level since the last step, None when there are too few seconds to tell. The newest value is the last."""
    while (index := _part(values)) and _stepped(values[:index], values[index:], service_s):
        values = values[index:]
    length_s, level, errors = _errors(values)
    return Usual(length_s, level, _deviation(length_s, level, errors)) if length_s >= LEAST_S else None


def stands_out(rise: float, noise: float) -> bool:
    """Whether a difference of two means is more than noise explains."""
    return rise >= max(DEVIATIONS * noise, LEAST_STEP)


def noise_share(window_s: float, service_s: float) -> float:
    """How much less the mean load over a window varies than that over one second.

    Requests that take service_s each (Little: load / rate) make the load of moments that are close together alike, so that a
    longer mean gains little. For exponential times the variance of a mean over w is in proportion to
    2s/w (1 - s/w (1 - exp(-w/s))); where requests take no time it falls with 1/w.
    """
    if service_s <= 0:
        return math.sqrt(1 / window_s)
    return min(1.0, math.sqrt(_variance(window_s / service_s) / _variance(1 / service_s)))


def _variance(windows: float) -> float:
    """Of the mean over so many service times, as a share of the variance of a moment. A series where rounding would win."""
    if windows < 1e-3:
        return 1 - windows / 3
    return 2 / windows * (1 - (1 - math.exp(-windows)) / windows)


def _part(values: Sequence[Value]) -> int:
    """Where two levels explain the values best (least squares): the index at which the later one begins, 0 for nowhere."""
    whole_s, level, _ = _errors(values)
    whole = whole_s * level
    early_s = early = most = 0.0
    found = 0
    for index, (length_s, value) in enumerate(values, 1):
        early_s, early = early_s + length_s, early + length_s * value
        late_s = whole_s - early_s
        if late_s < LEAST_S:
            break
        gain = (early * whole_s - whole * early_s) ** 2 / (early_s * late_s)
        if gain > most:
            most, found = gain, index
    return found


def _stepped(early: Sequence[Value], late: Sequence[Value], service_s: float) -> bool:
    """Whether the levels differ by more than the noise within them explains."""
    early_s, before, early_errors = _errors(early)
    late_s, after, late_errors = _errors(late)
    whole_s = early_s + late_s
    deviation = _deviation(whole_s, (early_s * before + late_s * after) / whole_s, early_errors + late_errors)
    return stands_out(abs(after - before), Usual(late_s, after, deviation).noise(early_s, service_s))


def _errors(values: Sequence[Value]) -> tuple[float, float, float]:
    """Seconds, mean, and the sum of the squared distances from it."""
    whole_s = whole = squares = 0.0
    for length_s, value in values:
        whole_s += length_s
        whole += length_s * value
        squares += length_s * value * value
    mean = whole / whole_s if whole_s else 0.0
    return whole_s, mean, max(0.0, squares - whole * mean)


def _deviation(length_s: float, level: float, errors: float) -> float:
    """Of what was seen and CHANCE_S of Poisson noise, whose variance is its mean."""
    return math.sqrt((errors + CHANCE_S * level) / (length_s + CHANCE_S))
