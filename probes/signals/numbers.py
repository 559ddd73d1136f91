"""What counts as a number in an answer, and the one error for everything that does not."""

import math
from typing import Final

DIGITS: Final = 64  # the longest text that is read as a number: Prometheus writes at most 24 characters
WORDS: Final = 200  # of somebody else's text in a reason

KINDS: Final = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}


class Unusable(Exception):  # noqa: N818 - no fault of ours: there is no number, and the message says why
    """There is no number to be had; the message says why, in words."""


def number(value: object) -> float:
    """A JSON number, or a text that is one ("12.5", "1e+06"). Raises Unusable."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unusable(f"{kind(value)} stands where a number should be")
    try:
        found = float(value) if not isinstance(value, str) else _read(value)
    except (ValueError, OverflowError) as error:
        raise Unusable(f"{shortened(repr(value))} is no number") from error
    if not math.isfinite(found):
        raise Unusable(f"the value is {found}, which nothing can be scaled on (was something divided by 0?)")
    return found


def kind(value: object) -> str:
    """What a JSON value is, in words."""
    for known, words in KINDS.items():
        if isinstance(value, known):
            return words
    return "a number"


def shortened(words: str) -> str:
    """Somebody else's words on one line, no longer than a reason should be."""
    line = " ".join(words.split())
    return line if len(line) <= WORDS else f"{line[: WORDS - 1]}…"


def _read(text: str) -> float:
    """Raises ValueError. Python's float() also takes "1_000" and digits of other scripts."""
    if len(text) > DIGITS or "_" in text or not text.isascii():
        raise ValueError
    return float(text)
