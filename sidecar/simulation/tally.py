"""What is counted while a trace is played: requests by their fate, latencies, minutes that missed the objective, replicas over time.

Invariants: a minute without requests misses nothing; who got no answer counts as slow in the minute in which that was settled; memory is
bounded (COLUMNS of a chart, CHANGES of the count).
"""

from dataclasses import dataclass, field
from typing import Final

from balancer.hotpath import board
from balancer.scoreboard import quantile_us
from sidecar.simulation.application import HOUR_S, Objective
from sidecar.simulation.service import Passed

MINUTE_S: Final = 60.0
COLUMNS: Final = 720  # of a chart
CHANGES: Final = 5000  # of which it is told when they were


@dataclass(frozen=True, slots=True)
class Change:
    """Of the count asked for, so many seconds after the trace began."""

    at_s: float
    before: int
    after: int
    reason: str


@dataclass(slots=True)
class Column:
    """A part of the trace: requests that came, seconds of replicas that there were (low, high: the fewest and the most), minutes that
    missed the objective, and the worst minute's share of slow requests."""

    arrived: float = 0.0
    replica_s: float = 0.0
    seconds: float = 0.0
    low: int = 1 << 30
    high: int = 0
    violated: int = 0
    slowest: float = 0.0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.arrived / self.seconds if self.seconds else 0.0

    @property
    def replicas(self) -> float:
        """On average."""
        return self.replica_s / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Tally:
    """Of one rules file. slow: of the present minute."""

    objective: Objective
    length_s: float
    columns: list[Column] = field(default_factory=list)
    arrived: int = 0
    answered: float = 0.0
    lost: float = 0.0
    refused: float = 0.0
    held: float = 0.0
    replica_s: float = 0.0
    ready_s: float = 0.0
    peak: int = 0
    minutes: int = 0
    violated: int = 0
    changes: int = 0
    told: list[Change] = field(default_factory=list)
    latency: list[float] = field(default_factory=lambda: [0.0] * board.BUCKETS)
    present: float = 0.0
    _now_s: float = 0.0
    _slow: float = 0.0
    _ended: float = 0.0

    def __post_init__(self) -> None:
        self.columns = [Column() for _ in range(max(1, min(COLUMNS, int(self.length_s // MINUTE_S) or 1)))]

    def take(self, passed: Passed, replicas: int, ready: int) -> None:
        """A stretch of time that ends with the minute at the latest. replicas, ready: how many there were."""
        column = self._column()
        self._now_s += passed.seconds
        self._count(passed)
        self.replica_s += replicas * passed.seconds
        self.ready_s += ready * passed.seconds
        self.peak = max(self.peak, replicas)
        column.arrived += passed.arrived
        column.seconds += passed.seconds
        column.replica_s += replicas * passed.seconds
        column.low, column.high = min(column.low, replicas), max(column.high, replicas)
        if self._now_s >= (self.minutes + 1) * MINUTE_S - 1e-6:
            self._end_minute(column)

    def change(self, change: Change) -> None:
        """The count asked for has changed."""
        self.changes += 1
        if len(self.told) < CHANGES:
            self.told.append(change)

    def finish(self, present: float) -> None:
        """The trace is over; so many requests are still there."""
        self.present = present
        if self._ended:
            self._end_minute(self.columns[-1])

    def quantile_s(self, share: float) -> float | None:
        """A latency of the answers, to within a bucket of the scoreboard; None without any."""
        found = quantile_us(tuple(round(count) for count in self.latency), share)
        return None if found is None else found / 1e6

    @property
    def replica_hours(self) -> float:
        """Of all replicas, from the moment that they were asked for."""
        return self.replica_s / HOUR_S

    @property
    def mean_replicas(self) -> float:
        """Over the whole trace."""
        return self.replica_s / self.length_s

    def _column(self) -> Column:
        return self.columns[min(len(self.columns) - 1, int(self._now_s / self.length_s * len(self.columns)))]

    def _count(self, passed: Passed) -> None:
        self.arrived += passed.arrived
        self.answered += passed.answered
        self.lost += passed.lost
        self.refused += passed.refused
        self.held += passed.held
        self._slow += passed.lost + passed.refused
        self._ended += passed.lost + passed.refused
        for answers, spread in passed.spreads:
            self._slow += answers * spread.slow
            self._ended += answers
            for index, share in spread.buckets:
                self.latency[index] += answers * share

    def _end_minute(self, column: Column) -> None:
        share = self._slow / self._ended if self._ended > 0.5 else 0.0
        violated = share > self.objective.allowed
        self.violated += violated
        column.violated += violated
        column.slowest = max(column.slowest, share)
        self.minutes += 1
        self._slow = self._ended = 0.0
