"""What the controller shows and lets others do: the contract between `controller.py` and the admin API, metrics and command line.

Views are snapshots made for reading, ready for JSON (`dataclasses.asdict`). Times are wall-clock seconds since the epoch unless
the name says otherwise.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from autoscaler.cluster.engine import Usage
from autoscaler.conditions import Condition
from autoscaler.rules import Pause
from balancer.scoreboard import ReplicaReading, ServiceReading, WorkerReading

LOG_LINES: Final = 10_000  # the most that one answer carries
EVENTS: Final = 1_000
DECISIONS: Final = 1_000


class Role(StrEnum):
    """What this process is of the program."""

    ALL = "all"
    PROXY = "proxy"  # carries requests by the tables of an autoscaler that runs apart
    AUTOSCALER = "autoscaler"  # decides; proxies that run apart carry the requests


@dataclass(frozen=True, slots=True)
class ReplicaView:
    """One replica. detail: why it is in this state, in words. reading: its cells now. usage: as its engine tells;
    cpu: the share of what it may use that it used over the last few seconds. Both are known only where a rule asks for either."""

    id: str
    state: str
    address: str
    weight: int
    age_s: float
    pid: int
    restarts: int
    detail: str
    reading: ReplicaReading
    usage: Usage | None = None
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class SignalView:
    """What others tell of a service. value: None where nothing that can be used; why: then, in words. Where each replica has its own it is
    their mean, and age_s that of the oldest. failures: how often asking gave none, or a pushed value grew too old."""

    name: str
    type: str
    value: float | None
    age_s: float | None
    why: str
    failures: int


@dataclass(frozen=True, slots=True)
class SloView:
    """An objective of latency, and what was learned of it, per replica: None while unknown. why: what from, in words. latency_s: the
    percentile over the last few seconds."""

    percentile: float
    objective_s: float
    latency_s: float | None
    concurrency: float | None
    rate: float | None
    why: str


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service. desired: what the autoscaler asked for last. override: the count set by hand, None is automatic.

    conditions: what somebody should know of, in words, by a token. scaling: the last decision in the HPA's words; since_s is the epoch's.

    start_s: how long a replica usually takes to be ready, None while unknown. coming: who is on the way, in words. wanted: the count
    without the budget, None where nothing was decided yet; priority: at this moment.

    way: how its replicas are reached, where there is more than one way. predictions: removals that went as predicted and not, where
    the engine chooses which replicas go. ejections: how often replicas were taken out for what their answers were, by rule.
    """

    name: str
    engine: str
    scalable: bool
    routes: tuple[str, ...]
    current: int
    ready: int
    desired: int
    min_replicas: int
    max_replicas: int
    override: int | None
    dry_run: bool
    pause: Pause  # the stronger of what is said by hand and in the rules
    load: float  # mean requests running, queued and held over the last second
    rps: float
    latency_p50_s: float | None
    latency_p95_s: float | None
    last_decision: str  # in words
    conditions: dict[str, str] = field(default_factory=dict)
    scaling: tuple[Condition, ...] = ()
    replicas: tuple[ReplicaView, ...] = ()
    reading: ServiceReading | None = None
    way: str = ""
    predictions: tuple[int, int] = (0, 0)
    signals: tuple[SignalView, ...] = ()
    start_s: float | None = None
    coming: str = ""
    wanted: int | None = None
    priority: int = 0
    slo: SloView | None = None
    ejections: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker slot."""

    row: int
    pid: int
    restarts: int
    acknowledged: int
    reading: WorkerReading


@dataclass(frozen=True, slots=True)
class ProxyView:
    """A proxy that runs apart, as its autoscaler knows it. age_s: of the last reading, None before the first one. acknowledged: the
    routing table that all its workers use. detail: why it is not in use, in words."""

    address: str
    acknowledged: int
    age_s: float | None
    workers: int
    connections: int
    detail: str


@dataclass(frozen=True, slots=True)
class ShareView:
    """A resource of the budget: replicas, cpus (cores) or memory (octets)."""

    resource: str
    limit: float
    used: float


@dataclass(frozen=True, slots=True)
class Overview:
    """The program as a whole. An autoscaler has no workers of its own, and nobody else has proxies."""

    version: str
    build: str  # of the hot path in the workers: compiled or interpreted
    pid: int
    started_at: float
    config: str
    generation: int
    listen: tuple[str, ...]
    workers: tuple[WorkerView, ...]
    reloads: int
    reloads_failed: int
    last_reload_error: str
    role: Role = Role.ALL
    proxies: tuple[ProxyView, ...] = ()
    budget: tuple[ShareView, ...] = ()


class UnknownName(LookupError):  # noqa: N818 - it becomes a 404, not a crash
    """No service or replica has that name; the message lists those that exist."""


class NotScalable(ValueError):  # noqa: N818 - it becomes a 409, not a crash
    """The service's replicas are only found, not started here."""


class NotKept(LookupError):  # noqa: N818 - it becomes a 404, not a crash
    """No decision of that time is kept; the message names the time of which there are."""


class Unanswered(TimeoutError):  # noqa: N818 - it becomes a 503, not a crash
    """It cannot be told now."""


class NotAProxy(ValueError):  # noqa: N818 - it becomes a 409, not a crash
    """This program takes no tables from others."""


class Superseded(ValueError):  # noqa: N818 - it becomes a 409, not a crash
    """Another autoscaler, which began later, is obeyed."""


class Misfit(ValueError):  # noqa: N818 - it becomes a 409, not a crash
    """What changed since a table that is not the one in use: send everything."""


class ProxyControl(Protocol):
    """What a proxy does for an autoscaler that runs apart. epoch: which autoscaler asks; a later one has a higher one."""

    def held(self) -> dict[str, Any]:
        """{"life", "epoch", "table"}: the table in use in the form of `balancer.delta`, None before the first, and whose it is."""
        ...

    def take(self, epoch: int, data: dict[str, Any]) -> int:
        """Use a table, or what changed of it. Returns its generation. Raises Superseded, Misfit."""
        ...

    def readings(self, epoch: int) -> AsyncGenerator[dict[str, Any], None]:
        """What is counted here, again and again. Raises Superseded at once."""
        ...


class Control(Protocol):
    """What the controller lets others see and do."""

    def proxy(self) -> ProxyControl:
        """For an autoscaler that runs apart. Raises NotAProxy."""
        ...

    def ready(self) -> bool:
        """Every service has its minimum of READY replicas, or had it once, and every worker has a table."""
        ...

    def overview(self) -> Overview: ...

    def services(self) -> Sequence[ServiceView]: ...

    def service(self, name: str) -> ServiceView:
        """Raises UnknownName."""
        ...

    def explain(self, name: str) -> dict[str, Any]:
        """The last decision with every stage, JSON-ready (`autoscaler.decision.Decision`). Raises UnknownName, NotScalable."""
        ...

    async def snapshot(self, name: str) -> dict[str, Any]:
        """What the next decision is made from, as `ecluse decide` reads it. Raises UnknownName, NotScalable, Unanswered."""
        ...

    async def explain_at(self, name: str, at_s: float) -> dict[str, Any]:
        """The decision that was in force at that moment, as in `explain`, with "at", when it was made. Raises UnknownName,
        NotScalable, NotKept, Unanswered."""
        ...

    async def past_decisions(self, name: str, since_s: float, until_s: float, changes: bool, limit: int) -> list[dict[str, Any]]:
        """The newest decisions of a time, newest first, each with "at", and "changed": whether it differs from the one before in
        anything that matters. changes: only those that do. Raises UnknownName, NotScalable, Unanswered."""
        ...

    def decisions(self) -> dict[tuple[str, str], int]:
        """How many decisions there were, by (service, reason)."""
        ...

    def scale(self, name: str, replicas: int | None) -> None:
        """Hold the count at `replicas`, or None: automatic again. Raises UnknownName, NotScalable, ValueError out of bounds."""
        ...

    def pause(self, name: str, what: Pause) -> None:
        """Hold the count by hand: ALL changes nothing by itself, DOWN lets it only rise, NONE ends it. Raises UnknownName, NotScalable."""
        ...

    def push(self, name: str, signal: str, value: float) -> None:
        """The value of a signal, now. Raises UnknownName, NotScalable."""
        ...

    def drain(self, name: str, replica: str) -> None:
        """Drain and stop one replica; the autoscaler starts another one if it still wants as many. Raises UnknownName."""
        ...

    async def reload(self) -> list[str]:
        """Read the configuration again. Returns the errors in words; not empty: nothing was changed."""
        ...

    def logs(self, name: str, lines: int) -> Sequence[str]:
        """The last lines that a service's replicas printed, oldest first, each with the replica's name before it."""
        ...

    def follow_logs(self, name: str) -> AsyncIterator[str]:
        """Lines as they come."""
        ...

    def events(self, limit: int) -> Sequence[dict[str, Any]]:
        """Decisions and state changes, newest first: {"id", "at", "kind", "service", "replica", "message", ...}."""
        ...

    def follow_events(self) -> AsyncIterator[dict[str, Any]]:
        """Events as they come. A reader that falls behind loses the oldest ones and is told how many."""
        ...
