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


class Priority(StrEnum):
    """Whose requests go first where there is a line, and who is turned away first where it is full."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Per(StrEnum):
    """Whose requests a rate limit counts together."""

    ALL = "all"
    ADDRESS = "address"  # of the client; of IPv6 the /64, which is one subscriber's (RFC 6177)
    HEADER = "header"  # its value


@dataclass(frozen=True, slots=True)
class ReplicaEntry:
    """One replica. `slot` is its row number in the scoreboard; `address` is "10.0.0.5:80", "[::1]:80" or "unix:/run/app.sock".

    ready_at_s: when it became READY, in seconds since the epoch; 0: before anybody can tell.
    """

    id: str
    slot: int
    address: str
    state: ReplicaState
    weight: int = 1
    ready_at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket: `rate` requests in a second, and `burst` at once. name: the header's, in lower case, for `Per.HEADER`."""

    per: Per
    rate: float
    burst: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is tried, the first time included, and for how long each time.

    budget: how many tries after the first may be under way, as a share of the service's requests in flight; `least` always may.
    try_timeout_s: to the head of an answer, after which another replica is tried; 0: `Timeouts.response_head_s`, and no other one.
    """

    attempts: int = 3
    budget: float = 0.5
    least: int = 10
    try_timeout_s: float = 0.0


class By(StrEnum):
    """What keeps requests together on one replica."""

    NOTHING = ""
    SESSION = "session"  # a cookie of ours, signed
    HEADER = "header"
    COOKIE = "cookie"
    QUERY = "query"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Affinity:
    """Which requests are to meet the same replica again. name: of the cookie, header or query parameter.

    key, attributes: of a session: what its cookie is signed with, and what follows its value. load: by all others: how many times the
    mean number of requests in flight a replica may have before the next one in the ring is taken (Mirrokni et al. 2018).
    """

    by: By = By.NOTHING
    name: str = ""
    key: str = ""
    attributes: str = ""
    load: float = 1.25


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One service. `slot` is its row number in the scoreboard.

    max_concurrency: requests in flight per replica over all workers; 0 is no cap.
    queue: requests that may wait for a replica, over all workers; queue_timeout_s: how long one may wait.
    hold: requests also wait (up to hold_timeout_s, at most max_held) while no replica is READY, instead of a 503 at once.
    adaptive: the cap is learned from latency, up to max_concurrency. total_s: first byte of a request to last byte of its answer; 0:
    `Timeouts.total_s`. hedge_s: without an answer for so long, an idempotent request is sent to a second replica too; 0: never.
    slow_start_s: how long a replica that became READY takes to get its whole share. failures: so many failed attempts in a row on one
    worker are reported; 0: never. rates: count for all routes of the service.
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
    adaptive: bool = False
    total_s: float = 0.0
    hedge_s: float = 0.0
    slow_start_s: float = 0.0
    failures: int = 0
    retries: Retries = field(default_factory=Retries)
    affinity: Affinity = field(default_factory=Affinity)
    rates: tuple[RateLimit, ...] = ()
    replicas: tuple[ReplicaEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """Requests whose Host matches `host` ("" for any, "shop.example.com", "*.example.com") and whose path starts with `path`.

    body: the largest request body in bytes; 0: no limit of its own.
    """

    host: str
    path: str
    service: str
    priority: Priority = Priority.NORMAL
    body: int = 0
    rates: tuple[RateLimit, ...] = ()


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
