"""What is wrong with a configuration, and where: one `Problem` each, all of them in one `ConfigurationErrors`.

A `Finding` is what becomes a problem once its place is known.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

Path = tuple[str | int, ...]  # of a value: ("services", "shop", "routes", 0, "path")

SHOWN = 100  # problems that str() prints; all are kept
SHOWN_TEXT = 60  # characters of a value or key in a message
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LIKENESS = 0.7  # difflib's ratio from which a name is offered: balence and balance have 0.86


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to correct. line and column count from 1; 0 where there is no place. key: "services.shop.balance", "" for none."""

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at a path. needs: further paths that it follows from; if one of them is wrong by itself, it means nothing."""

    path: Path
    message: str
    needs: tuple[Path, ...] = ()
    at_key: bool = False


class ConfigurationErrors(Exception):  # noqa: N818 - it is one exception that holds many
    """All problems of one configuration, in the order of the file. str() prints one per line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(sorted(set(problems)))

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        more = len(self.problems) - len(lines)
        return "\n".join([*lines, f"... and {more} more"] if more else lines)


def key_text(path: Path) -> str:
    """The path as people write it: services.shop.routes[0].path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_key(part)}"
    return text.removeprefix(".")


def _key(name: str) -> str:
    return _shorten(name) if _PLAIN_KEY.fullmatch(name) else json.dumps(_shorten(name), ensure_ascii=False)


def _shorten(text: str) -> str:
    return text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}..."


def show(value: object) -> str:
    """A value as it stands in a message: short, on one line, nothing that a terminal would obey."""
    match value:
        case str():
            return repr(_shorten(value))
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "nothing"


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name most like this one, or "" if none is."""
    if len(name) > SHOWN_TEXT:
        return ""
    return next(iter(get_close_matches(name, known, 1, _LIKENESS)), "")
