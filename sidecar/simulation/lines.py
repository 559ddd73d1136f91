"""One line of a recording at a time: which of the known forms it has, when it was and how many requests it stands for.

Known are `timestamp,requests` in CSV, access logs as JSON lines (Écluse's own have `time`), and the Common and Combined Log Formats. Pure.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

TIME_FIELDS = ("time", "timestamp", "ts", "@timestamp")
COUNT_FIELDS = ("requests", "count", "value")
MILLISECONDS_FROM = 1e11  # numbers from here on are milliseconds since the epoch (1e11 seconds is the year 5138)
_CLF = re.compile(r'\S+ \S+ .*?\[([^\]]+)\] "')
_CLF_FORM = "%d/%b/%Y:%H:%M:%S %z"
Line = tuple[float, float]  # (seconds since the epoch, requests)
Reader = Callable[[str], Line]


def when(text: str) -> float:
    """Seconds since the epoch, from ISO 8601 (without a zone it is UTC) or a number. Raises ValueError."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return _iso(text)
    if not 0 <= number < 1e15:
        raise ValueError(f"{text!r} is no time")
    return number / 1000 if number >= MILLISECONDS_FROM else number


@lru_cache(maxsize=1024)
def _iso(text: str) -> float:
    try:
        parsed = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no time such as 2026-01-31 12:00:00") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def csv_line(text: str) -> Line:
    """`2014-04-10 00:04:00,94`. Raises ValueError."""
    cells = [cell.strip().strip('"') for cell in text.split(",")]
    if len(cells) < 2:
        raise ValueError("has no comma: `timestamp,requests` is expected")
    at_s, requests = when(cells[0]), _number(cells[1])
    return at_s, requests


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no number of requests") from None
    if not 0 <= number < 1e12:
        raise ValueError(f"{text[:40]!r} is no number of requests")
    return number


def json_line(text: str) -> Line:
    """An object with a time. Raises ValueError."""
    entry = json.loads(text)
    if not isinstance(entry, dict):
        raise ValueError("is no JSON object")
    for name in TIME_FIELDS:
        if name in entry:
            return when(str(entry[name])), 1.0
    raise ValueError(f"has none of {', '.join(TIME_FIELDS)}")


def clf_line(text: str) -> Line:
    """`127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5`. Raises ValueError."""
    found = _CLF.match(text)
    if not found:
        raise ValueError("is not in the Common Log Format")
    return _stamp(found[1]), 1.0


@lru_cache(maxsize=1024)
def _stamp(text: str) -> float:
    try:
        return datetime.strptime(text, _CLF_FORM).timestamp()  # its zone is in the text
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no time such as 10/Oct/2000:13:55:36 +0000") from None


def reader_of(line: str) -> tuple[str, Reader]:
    """The form of a recording by one of its first lines. Raises ValueError if it has none of the known ones."""
    if line.startswith("{"):
        return "json", json_line
    if _CLF.match(line):
        return "clf", clf_line
    if "," in line:
        return "csv", csv_line
    raise ValueError("neither `timestamp,requests` (CSV), nor a JSON or Common Log Format access log")
