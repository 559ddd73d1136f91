"""Durations, sizes, shares and numbers as people write them, read into seconds, bytes and plain numbers.

Each reader takes what the document holds (text, a list, a mapping or None) and raises ValueError with a whole message:
what it must be, and what was found.
"""

import re
from decimal import Decimal

from sidecar.configuration.problems import show

_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
DURATION = "|".join((_NUMBER, "(?=.)" + "".join(f"(?:{_NUMBER}{unit})?" for unit in ("d", "h", "m", "s", "ms"))))
SIZE = r"[0-9]{1,15} ?(?:[Bb]|[KkMmGg](?:i?[Bb])?)?"
SHARE = rf"{_NUMBER}%?"
NUMBER = _NUMBER
CORES = rf"{_NUMBER}m?"
RATE = rf"{_NUMBER}(?:/[smh])?"
WHOLE = r"[+-]?[0-9]{1,15}"

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600}
_UNITS_BYTES = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}  # powers of 1024, as in Compose and nginx
FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def wrong(value: object, expected: str) -> ValueError:
    """The error for a value that is not what is expected."""
    if value is None:
        return ValueError(f"has no value; it must be {expected}")
    return ValueError(f"must be {expected}; got {show(value)}")


def matched(value: object, pattern: str, expected: str) -> str:
    """The value if it is text that has this pattern. Raises ValueError."""
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return value
    raise wrong(value, expected)


def duration(value: object) -> float:
    """Seconds, from 30s, 5m, 250ms, 1h30m, 1.5s or plain seconds."""
    text = matched(value, DURATION, "a duration such as 30s, 5m or 250ms")
    parts = re.findall(rf"({_NUMBER})(ms|[dhms])", text)
    if not parts:
        return float(text)
    return float(sum(Decimal(number) * _UNITS_MS[unit] for number, unit in parts) / 1000)


def duration_text(seconds: float) -> str:
    """The shortest way to write a duration, to the millisecond: 90.0 is 1m30s."""
    left, text = round(seconds * 1000), ""
    for unit, length in _UNITS_MS.items():
        count, left = divmod(left, length)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def size(value: object) -> int:
    """Bytes, from 8KiB, 32k, 1MiB or plain bytes. KB and KiB are both 1024 bytes."""
    text = matched(value, SIZE, "a size such as 512, 32k or 1MiB")
    number = re.match("[0-9]+", text)
    assert number
    return int(number[0]) * _UNITS_BYTES[text[number.end() :].strip().lower()[:1]]


def size_text(octets: int) -> str:
    """A size with the largest unit that leaves it whole: 32768 is 32KiB."""
    for unit, length in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if octets and octets % length == 0:
            return f"{octets // length}{unit}"
    return str(octets)


def share(value: object) -> float:
    """A share of one, from 70% or 0.7."""
    text = matched(value, SHARE, "a share such as 70% or 0.7")
    return float(Decimal(text[:-1]) / 100) if text.endswith("%") else float(text)


def share_text(part: float) -> str:
    """A share in per cent: 0.7 is 70%."""
    return f"{part * 100:.10g}%"


def number(value: object) -> float:
    """A number that is not negative, such as 20 or 99.9."""
    return float(matched(value, NUMBER, "a number such as 20 or 2.5"))


def number_text(value: float) -> str:
    """A number without a needless fraction."""
    return f"{value:.10g}"


def rate(value: object) -> float:
    """Events per second, from 10/s, 600/m, 1000/h or a plain number of them."""
    amount, _, unit = matched(value, RATE, "a rate such as 10/s or 600/m").partition("/")
    return float(Decimal(amount) / _UNITS_S[unit])


def rate_text(per_second: float) -> str:
    """A rate per second."""
    return f"{number_text(per_second)}/s"


def cores(value: object) -> float:
    """Processor cores, from 0.5 or, in thousandths, 500m."""
    text = matched(value, CORES, "a number of processor cores such as 0.5 or 500m")
    return float(Decimal(text[:-1]) / 1000) if text.endswith("m") else float(text)


def whole(value: object) -> int:
    """A whole number."""
    return int(matched(value, WHOLE, "a whole number such as 3"))


def flag(value: object) -> bool:
    """true or false, and what YAML 1.1 takes for them."""
    if isinstance(value, str) and value.lower() in FLAGS:
        return FLAGS[value.lower()]
    raise wrong(value, "true or false")
