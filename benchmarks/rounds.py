"""Runs the rounds: every contestant in turn, again and again, so that what the machine does meanwhile falls on all of them alike."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.row import Row
from benchmarks.stand import Stand


@dataclass(frozen=True, slots=True)
class Turn:
    """What one contestant did in one round: a figure for each row of the work, and what went wrong."""

    figures: Mapping[str, float]
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contestant:
    """A peer, set up for a work. play: does the turn of the round with this number, counted from 0."""

    name: str
    play: Callable[[int], Turn]


class Work(Protocol):
    """Something that is measured."""

    @property
    def name(self) -> str:
        """The word for it on the command line."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """What it says in the result."""

    @property
    def peers(self) -> tuple[str, ...]:
        """Who takes part, if installed and wanted."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Programs that it needs on the PATH, beside those that every work does."""

    def turn_s(self, seconds: float) -> float:
        """About how long one turn takes."""

    def contestants(self, stand: Stand, peers: Sequence[str], seconds: float) -> AbstractContextManager[list[Contestant]]:
        """Sets up these of its peers; all of them are gone at the end."""


@dataclass(slots=True)
class Result:
    """One row as it was measured: figures by peer, one for each round; and what went wrong."""

    row: Row
    rounds: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)


def measure(
    work: Work, contestants: Sequence[Contestant], rounds: int, tell: Callable[[Work, int, Contestant, Turn], None]
) -> list[Result]:
    """A result for each row of the work. `tell` hears of each turn."""
    results = {row.name: Result(row) for row in work.rows}
    for number in range(rounds):
        for contestant in rotated(contestants, number):
            turn = contestant.play(number)
            for name, figure in turn.figures.items():
                results[name].rounds.setdefault(contestant.name, []).append(figure)
                results[name].errors.setdefault(contestant.name, []).extend(turn.errors)
            tell(work, number, contestant, turn)
    return list(results.values())


def rotated(contestants: Sequence[Contestant], number: int) -> list[Contestant]:
    """The order of one round: who began the last one ends this one."""
    first = number % len(contestants) if contestants else 0
    return [*contestants[first:], *contestants[:first]]
