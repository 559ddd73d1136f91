"""The arithmetic of the result: each round's figures against the reference of the same round, then median, lowest and highest.

Invariant: figures of two rounds are never compared with each other, for the machine may have been another one meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.row import BETTER, ITSELF, REFERENCES, Goal, Row

Rounds = Mapping[str, Sequence[float]]  # peer -> a figure for each round


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, lowest and highest of some rounds."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and how it was met; `compared` is None where a peer that it needs was left out."""

    goal: Goal
    compared: Spread | None

    @property
    def met(self) -> bool | None:
        """None: not measured."""
        return None if self.compared is None else self.goal.met_by(self.compared.median)


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    return Spread(median(values), min(values), max(values))


def reference(rounds: Rounds, against: str) -> Sequence[float]:
    """What each round is compared with; empty if who would say it was left out."""
    if against != BETTER:
        return rounds.get(against, ())
    present = [rounds[name] for name in REFERENCES if name in rounds]
    return [max(figures) for figures in zip(*present, strict=True)]


def compare(row: Row, rounds: Rounds, peer: str, against: str) -> Spread | None:
    """The peer's share of the reference (or its distance from it, as the row says); None if either is absent or nothing."""
    if peer not in rounds:
        return None
    figures = rounds[peer]
    if against == ITSELF:
        return spread(figures)
    measures = reference(rounds, against)
    if not measures or (not row.difference and 0 in measures):
        return None
    pairs = zip(figures, measures, strict=True)
    return spread([figure - measure if row.difference else figure / measure for figure, measure in pairs])


def verdicts(row: Row, rounds: Rounds) -> list[Verdict]:
    """How each goal of the row was met."""
    return [Verdict(goal, compare(row, rounds, goal.peer, goal.against)) for goal in row.goals]
