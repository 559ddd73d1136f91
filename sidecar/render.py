"""Text for people: colours, units, tables. Pure functions from values to strings; what is shown stands in `sidecar/commands`.

On a terminal tables keep within its width: the last column gives way first, then the widest. Elsewhere nothing is cut: what reads
a pipe wants it all. Colours are written to terminals only, and never where NO_COLOR is set (https://no-color.org) or the terminal
is a dumb one.
"""

import os
import shutil
import time
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TextIO

WIDTH = 80  # of prose, and of a terminal that does not say how wide it is
NARROWEST = 8  # what the last column keeps while others can give way
GAP = "  "
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
STATE_COLOURS = {"starting": "yellow", "ready": "green", "ejected": "red", "draining": "blue", "gone": "dim"}


def has_colours(stream: TextIO) -> bool:
    """Whether colours may be written to the stream."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int | None:
    """How many columns the stream has; None where it is no terminal and nothing needs to be cut."""
    return shutil.get_terminal_size((WIDTH, 0)).columns if stream.isatty() else None


class Paint:
    """Colours text, or leaves it as it is where colours are off."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, text: str, colour: str) -> str:
        """The text in one of the colours of _CODES; "" is no colour."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self._on and colour and text else text

    def state(self, text: str) -> str:
        """A replica's state (blanks around it allowed) in its colour."""
        return self(text, STATE_COLOURS.get(text.strip(), ""))


def duration(seconds: float | None) -> str:
    """A length of time in its largest sensible unit: "12 ms", "4.2 s", "3 min", "2 h", "5 d"; "-" for None."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    for limit, length, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def count(number: float) -> str:
    """A number in at most five characters: "7", "3.5", "980", "12.3k", "4.0M"."""
    for limit, length, unit in ((10_000, 1, ""), (1_000_000, 1e3, "k"), (1e9, 1e6, "M")):
        if number < limit:
            value = number / length
            return f"{value:.0f}" if not unit and (value >= 100 or value == int(value)) else f"{value:.1f}{unit}"
    return f"{number / 1e9:.1f}G"


def clock(at: float) -> str:
    """A moment as local time of day."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def moment(at: float) -> str:
    """A moment with its day and its zone: what it is about may be weeks old."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(at))


def cut(text: str, width: int | None) -> str:
    """The text in at most `width` characters (None: all of it); what is cut off shows as an ellipsis."""
    return text if width is None or len(text) <= width else text[: max(0, width - 1)] + "…"


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], paint: Paint, indent: str = "", width: int | None = None
) -> list[str]:
    """Lines of a table of at most `width` columns (None: as wide as it gets). A column named STATE has the states' colours."""
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    if width is not None:
        widths = _fitted(widths, width - len(indent) - len(GAP) * (len(widths) - 1))
    lines = [paint((indent + _line(titles, widths)).rstrip(), "dim")]
    for row in rows:
        cells = [cut(cell, size).ljust(size) for cell, size in zip(row, widths, strict=True)]
        painted = [paint.state(cell) if title == "STATE" else cell for title, cell in zip(titles, cells, strict=True)]
        lines.append((indent + GAP.join(painted)).rstrip())
    return lines


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    """Widths with a sum of at most `room`, as far as each column can keep one character."""
    *others, last = widths
    fitted = [*others, min(last, max(NARROWEST, room - sum(others)))]
    while sum(fitted) > room and max(fitted) > 1:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cut(cell, size).ljust(size) for cell, size in zip(cells, widths, strict=True))


def nearest(name: str, names: Sequence[str]) -> str:
    """ "; did you mean 'shop'?" where one of the names is near, else which there are, else nothing."""
    if close := get_close_matches(name, names, n=1, cutoff=0.5):
        return f"; did you mean {close[0]!r}?"
    return f"; there are: {', '.join(names)}" if names else ""
