"""Verdicts from the requests themselves: a replica that fails many in a row, or does far worse than the others, is an outlier.

Three rules, each of which can be turned off:
- failures in a row, as the workers see them: connections refused or lost, no answer in time, answers 502, 503 and 504. An answer 500
  is the application's own affair: a request that makes every replica fail must not empty the service;
- the share of failed requests (5xx among them) over an interval against that of all others together: farther than `failure_margin`,
  and farther than chance explains (a two-proportion z-test at `Z`);
- the median latency over an interval against that of all others: `latency_factor` times as much, and at least `LATENCY_LEAST_US` more.

Who is ejected stays so for `base_s` times the number of its ejections, at most `longest_s`, and comes back through its probes; for each
`base_s` without an ejection one is forgotten (as Envoy's outlier detection does). The panic threshold: where fewer than that share of
the replicas that were READY once would be left, ejections are ignored, the newest first, for a sick replica is better than none.

Pure but for what it remembers: counters and moments in, verdicts out.
"""

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from balancer.hotpath.board import BROKEN, BUCKETS, CONNECT_ERRORS, LATENCY, STATUS, TIMEOUTS
from balancer.scoreboard import quantile_us

Z = 3.0  # standard errors: one good replica in 740 would be taken for an outlier by chance, if it were not for the margin
LATENCY_LEAST_US = 50_000
LATENCY_REPLICAS = 3  # with fewer nobody can tell which one is far from the others


@dataclass(frozen=True, slots=True)
class EjectionSpec:
    """When a replica is ejected for what its answers were. Times in seconds; failures, failure_margin and latency_factor: 0 is never.

    least: requests in an interval, of the replica and of all others, below which shares and medians say nothing.
    """

    failures: int = 5
    interval_s: float = 10.0
    least: int = 50
    failure_margin: float = 0.2
    latency_factor: float = 5.0
    base_s: float = 10.0
    longest_s: float = 300.0
    panic: float = 0.5


@dataclass(frozen=True, slots=True)
class Counted:
    """What happened at one replica in an interval. latency: whole answers per bucket."""

    requests: int = 0
    failures: int = 0
    latency: tuple[int, ...] = (0,) * BUCKETS


@dataclass(slots=True)
class Record:
    """ejections: not forgotten yet. until_s: when it may come back; 0: it is not ejected here. last_s: when that changed last."""

    ejections: int = 0
    until_s: float = 0.0
    last_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ejection:
    """A verdict: out until then. kind: "failures", "failure_share" or "latency"."""

    replica: str
    until_s: float
    kind: str
    reason: str


@dataclass(slots=True)
class Outliers:
    """What is remembered of one service's replicas. ejected: how often, by kind."""

    spec: EjectionSpec | None = None
    ejected: dict[str, int] = field(default_factory=dict)
    _records: dict[str, Record] = field(default_factory=dict)
    _since: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _due_s: float = 0.0

    def due(self, now_s: float) -> bool:
        """Whether an interval has ended."""
        return self.spec is not None and now_s >= self._due_s

    def judge(self, cells: Mapping[str, Sequence[int]], ready: Set[str], serving: int, now_s: float) -> list[Ejection]:
        """Verdicts, at the end of each interval. cells: of all replicas (`board`); ready: those that are READY; serving: how many are
        READY or EJECTED."""
        spec = self.spec
        if spec is None or not self.due(now_s):
            return []
        self._due_s = now_s + spec.interval_s
        late = {name: _taken(cell) for name, cell in cells.items()}
        counted = {name: _between(self._since[name], late[name]) for name in ready if name in self._since and name in late}
        self._since = late
        self._records = {name: record for name, record in self._records.items() if name in cells}
        found = [(name, *why) for name in counted if (why := far(name, counted, spec))]
        found.sort(key=lambda outlier: -counted[outlier[0]].failures)
        return [ejection for name, kind, reason in found if (ejection := self._eject(name, kind, reason, ready, serving, now_s))]

    def in_a_row(self, replica: str, failures: int, ready: Set[str], serving: int, now_s: float) -> list[Ejection]:
        """The verdict where a worker has seen so many failed attempts in a row."""
        if self.spec is None or not self.spec.failures or failures < self.spec.failures or replica not in ready:
            return []
        ejection = self._eject(replica, "failures", f"{failures} attempts in a row failed", ready, serving, now_s)
        return [ejection] if ejection else []

    def pardoned(self, ready: int, serving: int, now_s: float) -> list[str]:
        """Who is to come back before its time, since too few others are left: who was ejected last first."""
        out = sorted((record.last_s, name) for name, record in self._records.items() if record.until_s > now_s)
        least = math.ceil(self.spec.panic * serving) if self.spec else serving
        pardoned = [name for _, name in reversed(out)][: max(0, least - ready)]
        for name in pardoned:
            self._records[name].until_s = 0.0
        return pardoned

    def forget(self, replica: str) -> None:
        """It was started again, or is gone."""
        self._records.pop(replica, None)
        self._since.pop(replica, None)

    def _eject(self, name: str, kind: str, reason: str, ready: Set[str], serving: int, now_s: float) -> Ejection | None:
        assert self.spec is not None
        out = sum(record.until_s > now_s and other in ready for other, record in self._records.items())
        record = self._records.setdefault(name, Record())
        if record.until_s > now_s or len(ready) - out - 1 < self.spec.panic * serving:
            return None
        forgiven = int((now_s - record.last_s) / self.spec.base_s) if record.ejections else 0
        record.ejections = max(0, record.ejections - forgiven) + 1
        record.until_s = now_s + min(self.spec.base_s * record.ejections, self.spec.longest_s)
        record.last_s = record.until_s
        self.ejected[kind] = self.ejected.get(kind, 0) + 1
        return Ejection(name, record.until_s, kind, f"{reason}; out for {record.until_s - now_s:g} s")


def far(name: str, counted: Mapping[str, Counted], spec: EjectionSpec) -> tuple[str, str] | None:
    """Why a replica is far from the others, as (kind, words); None: it is not."""
    own = counted[name]
    others = together([other for key, other in counted.items() if key != name])
    if own.requests < spec.least or others.requests < spec.least:
        return None
    return _failing(own, others, spec) or (_slow(own, others, spec) if len(counted) >= LATENCY_REPLICAS else None)


def together(counted: list[Counted]) -> Counted:
    """Several replicas as one."""
    latency = tuple(map(sum, zip(*(each.latency for each in counted), strict=True))) or (0,) * BUCKETS
    return Counted(sum(each.requests for each in counted), sum(each.failures for each in counted), latency)


def _failing(own: Counted, others: Counted, spec: EjectionSpec) -> tuple[str, str] | None:
    share, usual = own.failures / own.requests, others.failures / others.requests
    if not spec.failure_margin or share - usual < spec.failure_margin:
        return None
    pooled = (own.failures + others.failures) / (own.requests + others.requests)
    error = math.sqrt(pooled * (1 - pooled) * (1 / own.requests + 1 / others.requests))
    if error and (share - usual) / error < Z:
        return None
    return "failure_share", f"{share:.0%} of its requests failed, {usual:.0%} of the others'"


def _slow(own: Counted, others: Counted, spec: EjectionSpec) -> tuple[str, str] | None:
    median, usual = quantile_us(own.latency, 0.5), quantile_us(others.latency, 0.5)
    if not spec.latency_factor or median is None or usual is None or sum(own.latency) < spec.least:
        return None
    if median < spec.latency_factor * usual or median - usual < LATENCY_LEAST_US:
        return None
    return "latency", f"its median latency was {median / 1000:.0f} ms, that of the others {usual / 1000:.0f} ms"


def _taken(cells: Sequence[int]) -> tuple[int, ...]:
    """Requests, failures, and the latency's buckets."""
    answers = sum(cells[cell] for cell in range(STATUS, STATUS + 5))
    errors = cells[CONNECT_ERRORS] + cells[BROKEN] + cells[TIMEOUTS]
    return (answers + errors, errors + cells[STATUS + 4], *(cells[LATENCY + bucket] for bucket in range(BUCKETS)))


def _between(early: tuple[int, ...], late: tuple[int, ...]) -> Counted:
    """What was counted from one reading to the next; nothing where counters fell."""
    grew = [now - before for before, now in zip(early, late, strict=True)]
    return Counted(grew[0], grew[1], tuple(grew[2:])) if min(grew) >= 0 else Counted()
