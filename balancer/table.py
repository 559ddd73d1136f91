"""The routing table: everything a worker knows about routes, services and replicas, as one immutable snapshot.

The controller makes it and numbers it (`generation`); a worker swaps it whole and acknowledges the number. How it gets there is
known in `delta.py`. It is plain data: no sockets, no counters, no verdicts' reasons: those live in the scoreboard and in `probes`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from balancer.limits import Limits, Timeouts


class ReplicaState(StrEnum):
    """Where a replica stands in its life. Only READY replicas are picked."""

    STARTING = "starting"
    READY = "ready"
    EJECTED = "ejected"
    DRAINING = "draining"
    GONE = "gone"


TRANSITIONS: dict[ReplicaState, frozenset[ReplicaState]] = {
    ReplicaState.STARTING: frozenset({ReplicaState.READY, ReplicaState.DRAINING, ReplicaState.GONE}),
    ReplicaState.READY: frozenset({ReplicaState.EJECTED, ReplicaState.DRAINING, ReplicaState.GONE}),
    ReplicaState.EJECTED: frozenset({ReplicaState.READY, ReplicaState.DRAINING, ReplicaState.GONE}),
    ReplicaState.DRAINING: frozenset({ReplicaState.GONE}),
    ReplicaState.GONE: frozenset(),
}


class Policy(StrEnum):
    """How a replica is picked among those that are READY and below their cap."""

    P2C = "p2c"  # the less loaded of two picked at random (Mitzenmacher 2001)
    ROUND_ROBIN = "round_robin"
    LEAST_REQUEST = "least_request"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class ReplicaEntry:
    """One replica. `slot` is its row number in the scoreboard; `address` is "10.0.0.5:80", "[::1]:80" or "unix:/run/app.sock"."""

    id: str
    slot: int
    address: str
    state: ReplicaState
    weight: int = 1


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One service. `slot` is its row number in the scoreboard.

    max_concurrency: requests in flight per replica over all workers; 0 is no cap.
    queue: requests that may wait for a replica, over all workers; queue_timeout_s: how long one may wait.
    hold: requests also wait (up to hold_timeout_s, at most max_held) while no replica is READY, instead of a 503 at once.
    """

    name: str
    slot: int
    policy: Policy = Policy.P2C
    max_concurrency: int = 0
    queue: int = 100
    queue_timeout_s: float = 10.0
    hold: bool = False
    hold_timeout_s: float = 30.0
    max_held: int = 500
    replicas: tuple[ReplicaEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """Requests whose Host matches `host` ("" for any, "shop.example.com", "*.example.com") and whose path starts with `path`."""

    host: str
    path: str
    service: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a whole worker. access_log: "" is off, "-" is stdout, else a file; its format is "json" or "clf"."""

    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)
    trusted_proxies: tuple[str, ...] = ()
    access_log: str = ""
    access_log_format: str = "json"


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """One snapshot. `generation` grows by one with each that is sent."""

    generation: int = 0
    routes: tuple[RouteEntry, ...] = ()
    services: tuple[ServiceEntry, ...] = ()
    settings: Settings = field(default_factory=Settings)
