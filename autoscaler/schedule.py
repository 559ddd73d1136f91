"""What schedules make of the rules at one moment: other bounds, another priority. Pure: the moment is passed in.

A window is open when its last start is later than its last end. Cron expressions mean what they mean to Debian's cron, also where the
clock is changed: a fixed time that is skipped comes right after the gap, and one that comes twice counts once (cronsim).
Between two boundaries nothing changes, so each schedule is worked out once for all moments up to its next one.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from autoscaler.rules import Rules, Schedule

KNOWN: Final = 4096  # schedules that are remembered between two boundaries; beyond it all are worked out anew
MINUTE: Final = timedelta(minutes=1)
FIELDS: Final = 5


@dataclass(frozen=True, slots=True)
class Span:
    """From one boundary to the next one, in seconds since the epoch. ends_s: when the window ends, where it is open."""

    open: bool
    since_s: float
    until_s: float
    ends_s: float = math.inf


_spans: dict[Schedule, Span] = {}


def check(expression: str, timezone: str) -> None:
    """Raises ValueError, in words, for what is no cron expression of five fields or no time zone."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{timezone!r} is not a time zone of the IANA database, such as Europe/Paris or UTC") from None
    if len(expression.split()) != FIELDS:
        raise ValueError(f"{expression!r} is not a cron expression: it has five fields, minute hour day month weekday")
    try:
        next(CronSim(expression, datetime(2000, 1, 1, tzinfo=zone)))
    except CronSimError as error:
        raise ValueError(f"{expression!r} is not a cron expression: {str(error).lower()}") from None
    except StopIteration:
        raise ValueError(f"{expression!r} never comes") from None


def apply(rules: Rules, wall_s: float) -> Rules:
    """The rules with the bounds and the priority that hold at that moment, in seconds since the epoch."""
    if not rules.schedules:
        return rules
    spans = [(schedule, span(schedule, wall_s)) for schedule in rules.schedules]
    active = [(schedule, each) for schedule, each in spans if each.open]
    return _overruled(rules, active) if active else rules


def span(schedule: Schedule, wall_s: float) -> Span:
    """Whether its window is open at that moment, and between which boundaries that is so."""
    known = _spans.get(schedule)
    if known is None or not known.since_s <= wall_s < known.until_s:
        if len(_spans) >= KNOWN:
            _spans.clear()
        known = _spans[schedule] = _span(schedule, wall_s)
    return known


def _span(schedule: Schedule, wall_s: float) -> Span:
    zone = ZoneInfo(schedule.timezone)
    moment = datetime.fromtimestamp(math.floor(wall_s / 60) * 60, UTC)
    began, ended = (_last(expression, moment, zone) for expression in (schedule.start, schedule.end))
    begins, ends = (_next(expression, moment, zone) for expression in (schedule.start, schedule.end))
    return Span(began > ended, max(began, ended), min(begins, ends), ends)


def _last(expression: str, moment: datetime, zone: ZoneInfo) -> float:
    """The last time up to that minute, itself included; minus infinity if there is none."""
    return _at(CronSim(expression, (moment + MINUTE).astimezone(zone), reverse=True), -math.inf)


def _next(expression: str, moment: datetime, zone: ZoneInfo) -> float:
    """The first time after that minute; infinity if there is none."""
    return _at(CronSim(expression, moment.astimezone(zone)), math.inf)


def _at(times: Iterable[datetime], default: float) -> float:
    found = next(iter(times), None)
    return default if found is None else found.timestamp()


def _overruled(rules: Rules, active: list[tuple[Schedule, Span]]) -> Rules:
    """Of several the highest minimum and the lowest maximum; a minimum wins over a maximum."""
    least = max(
        (one for one in active if one[0].min_replicas is not None), key=lambda one: one[0].min_replicas or 0, default=None
    )
    most = min((one for one in active if one[0].max_replicas is not None), key=lambda one: one[0].max_replicas or 0, default=None)
    low, low_why = _bound(rules.min_replicas, rules.min_why, least[0].min_replicas if least else None, least)
    high, high_why = _bound(rules.max_replicas, rules.max_why, most[0].max_replicas if most else None, most)
    if high < low:
        low, low_why, high, high_why = (low, low_why, low, low_why) if least else (high, high_why, high, high_why)
    priority = max((each.priority for each, _ in active if each.priority is not None), default=rules.priority)
    return replace(rules, min_replicas=low, max_replicas=high, min_why=low_why, max_why=high_why, priority=priority)


def _bound(usual: int, why: str, other: int | None, by: tuple[Schedule, Span] | None) -> tuple[int, str]:
    return (usual, why) if other is None or by is None else (other, _told(*by))


def _told(schedule: Schedule, open_: Span) -> str:
    """ " by the schedule from 0 8 * * mon-fri, until 18:00 (Europe/Paris)"."""
    told = f" by the schedule from {schedule.start}"
    if math.isinf(open_.ends_s):
        return told
    end = datetime.fromtimestamp(open_.ends_s, ZoneInfo(schedule.timezone))
    return f"{told}, until {end:%a %H:%M} ({schedule.timezone})"
