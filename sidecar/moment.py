"""Moments as people write them, "14:05" or "10m ago", by the clock and the time zone of who asks. `render.moment` shows them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from sidecar.configuration.quantities import DURATION, duration

EXPECTED: Final = 'a time such as 14:05, "2026-11-25 14:05", 2026-11-25T14:05:30+01:00, "10m ago", or seconds since the epoch'
EPOCH_S: Final = 1e8  # a plain number from here on (1973) is a moment; below it a length of time
TIME_OF_DAY: Final = r"\d{1,2}:\d{2}(:\d{2})?"


def moment(words: str, now_s: float, zone: tzinfo | None = None) -> float:
    """Seconds since the epoch. A time of day is its last one; a length of time is that long ago; zone: None is the machine's.

    Raises ValueError, which says what it could be.
    """
    try:
        at_s = _read(words.strip(), now_s, zone)
        datetime.fromtimestamp(at_s, UTC)  # or else nobody could show it
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{words!r} is not {EXPECTED}") from None
    return at_s


def _read(words: str, now_s: float, zone: tzinfo | None) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", words) and float(words) >= EPOCH_S:
        return float(words)
    if re.fullmatch(DURATION, ago := words.removesuffix("ago").strip()):
        return now_s - duration(ago)
    if re.fullmatch(TIME_OF_DAY, words):
        return _last(words, datetime.fromtimestamp(now_s, zone))
    given = datetime.fromisoformat(words)
    return (given if given.tzinfo else given.replace(tzinfo=zone)).timestamp()


def _last(time_of_day: str, now: datetime) -> float:
    """Today, or yesterday where that is still to come."""
    hour, minute, *second = map(int, time_of_day.split(":"))
    today = now.replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)
    return (today if today <= now else today - timedelta(days=1)).timestamp()
