"""The keys under `routes`, `balance` and `rate_limits`, as pydantic models: where requests go, how they are spread and what they keep to.

Defaults are those of `balancer.table`, `probes.outliers` and `sidecar.config`; see `models`.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from balancer.limits import ATTEMPTS
from balancer.table import Affinity, Per, Policy, Priority
from balancer.table import Retries as RetriesEntry
from probes.outliers import EjectionSpec
from sidecar import config
from sidecar.configuration import addresses, kinds
from sidecar.configuration.base import Model
from sidecar.configuration.problems import Finding, Path
from sidecar.configuration.shapes import OrFalse, OrTrue

_SERVICE = config.Service(name="", routes=())
_RETRIES = RetriesEntry()
_EJECTION = EjectionSpec()
_BODY_MOST = 1024**5
RATES = 16
HASH_KEYS = ("header", "cookie", "query", "address")


class SameSite(StrEnum):
    """When a browser sends a cookie with requests that another site caused."""

    LAX = "lax"
    STRICT = "strict"
    NONE = "none"


class RateLimit(Model):
    """A token bucket: so many requests in a second, and a burst at once; 429 with Retry-After beyond."""

    per: Annotated[Per | None, kinds.choice(Per)] = None
    """Whose requests count together: those of one client `address` (the default; of IPv6 a /64), of one value of a `header`, or `all`."""
    header: Annotated[str, kinds.text(kinds.field_name)] = ""
    """The header whose value counts, such as X-Api-Key. Requests without it are not limited."""
    rate: Annotated[float, kinds.rate()]
    """How many in the long run: 10/s, 600/m, 1000/h, or a number of requests per second."""
    burst: Annotated[int | None, kinds.whole(1, 1_000_000)] = None
    """How many at once. Default: those of one second, at least 1."""


Rates = Annotated[tuple[RateLimit, ...], Field(max_length=RATES)]


class Route(Model):
    """Which requests a service gets. The most exact host wins, then the longest path."""

    host: Annotated[str, kinds.text(addresses.route_host)] = ""
    """The Host of the request: shop.example.com, *.example.com, or "" for any."""
    path: Annotated[str, kinds.text(addresses.route_path)] = "/"
    """What the path begins with, in whole segments: /api is for /api and /api/users, not for /apis."""
    priority: Annotated[Priority, kinds.choice(Priority)] = Priority.NORMAL
    """Whose requests go first where some wait: `high`, `normal` or `low`. Low ones fill half of a queue at most."""
    body: Annotated[int, kinds.size(0, _BODY_MOST)] = 0
    """The largest request body; 413 beyond. 0: limits.body alone."""
    rate_limits: Rates = ()
    """How many requests come this way, beside the limits of the service."""


class Retries(Model):
    """What happens when a replica gives no answer."""

    attempts: Annotated[int, kinds.whole(1, ATTEMPTS)] = _RETRIES.attempts
    """How often a request is tried, each time at another replica, the first time included. 1: once."""
    budget: Annotated[float, kinds.share(0, 1)] = _RETRIES.budget
    """The most tries after the first at once, as a share of the requests in flight: a failing service is not loaded twice."""
    least: Annotated[int, kinds.whole(0, 100_000)] = _RETRIES.least
    """So many are always allowed."""
    try_timeout: Annotated[float, kinds.duration(low=0.0)] = _RETRIES.try_timeout_s
    """How long one try may take to the head of an answer, before another replica is tried; for requests that may be sent twice. 0: as
    long as timeouts.response_head."""


class Ejection(Model):
    """When a replica is taken out for what its answers were. It comes back through its probes."""

    failures: Annotated[int, kinds.whole(0, 10_000)] = _EJECTION.failures
    """After so many failed attempts in a row, as one worker sees them: no connection, no answer, or 502, 503, 504. 0: never."""
    interval: Annotated[float, kinds.duration(1.0, 3600.0)] = _EJECTION.interval_s
    """How often replicas are compared with each other."""
    requests: Annotated[int, kinds.whole(1, 1_000_000)] = _EJECTION.least
    """The least requests in an interval that say anything about a replica."""
    failure_margin: Annotated[float, kinds.share(0, 1)] = _EJECTION.failure_margin
    """How much larger its share of failed requests (5xx, too) must be than that of the others. 0: never."""
    latency_factor: Annotated[float, kinds.number(0, 1000)] = _EJECTION.latency_factor
    """How many times the others' median latency its own must be. 0: never."""
    time: Annotated[float, kinds.duration(0.1, kinds.DAY_S)] = _EJECTION.base_s
    """How long it is out the first time; the second time twice as long, and so on."""
    longest: Annotated[float, kinds.duration(0.1, kinds.DAY_S)] = _EJECTION.longest_s
    """At most so long."""
    panic_threshold: Annotated[float, kinds.share(0, 1)] = _EJECTION.panic
    """The share of replicas below which ejections are ignored: a sick one is better than none."""


class Sticky(Model):
    """Sessions that stay at one replica, by a signed cookie, until it drains or dies."""

    cookie: Annotated[str, kinds.text(kinds.cookie_name)] = ""
    """The cookie's name. Default: ecluse_ and the service's name."""
    key: Annotated[str, kinds.text(kinds.token)] = ""
    """What it is signed with; best given as ${NAME}. Default: one that is kept with the state."""
    max_age: Annotated[float, kinds.duration(0.0, 400 * kinds.DAY_S)] = 0.0
    """How long browsers keep it. 0: until they are closed."""
    secure: Annotated[bool, kinds.flag()] = False
    """Whether browsers send it over https only."""
    same_site: Annotated[SameSite, kinds.choice(SameSite)] = SameSite.LAX
    """When browsers send it with requests that another site caused: `lax`, `strict` or `none` (which needs secure)."""


class Hash(Model):
    """Requests with the same value go to the same replica, as long as it has not much more to do than the others. One of the first four."""

    header: Annotated[str, kinds.text(kinds.field_name)] = ""
    """The value of this header."""
    cookie: Annotated[str, kinds.text(kinds.cookie_name)] = ""
    """The value of this cookie."""
    query: Annotated[str, kinds.text(kinds.parameter_name)] = ""
    """The value of this query parameter."""
    address: Annotated[bool, kinds.flag()] = False
    """The client's address."""
    load: Annotated[float, kinds.share(1.01, 100)] = Affinity().load
    """How many times the mean number of requests in flight a replica may have before the next one gets the request."""

    @property
    def chosen(self) -> list[str]:
        """Which of the first four are given."""
        return [key for key in HASH_KEYS if getattr(self, key)]


class Balance(Model):
    """How requests are spread over the replicas."""

    policy: Annotated[Policy, kinds.choice(Policy)] = _SERVICE.policy
    """How a replica is picked: `p2c` (the less loaded of two at random), `least_request`, `round_robin` or `random`."""
    max_concurrency: Annotated[int, kinds.whole(0, 1_000_000)] = _SERVICE.max_concurrency
    """The most requests at once in one replica, over all workers. 0: no limit."""
    adaptive_concurrency: Annotated[bool, kinds.flag()] = _SERVICE.adaptive
    """Whether that is learned from latency, up to max_concurrency where that is given."""
    queue: Annotated[int, kinds.whole(0, 1_000_000)] = _SERVICE.queue
    """The most requests that wait while every replica is at max_concurrency; 503 beyond."""
    queue_timeout: Annotated[float, kinds.duration()] = _SERVICE.queue_timeout_s
    """How long one of them waits; then 503, and 503 at once where the wait would be longer."""
    deadline: Annotated[float, kinds.duration(low=0.0)] = _SERVICE.total_s
    """From the first byte of a request to the last of its answer, tries and waiting included. 0: as timeouts.total."""
    retries: Retries = Retries()
    """How often and for how long a request is tried."""
    hedge_after: Annotated[float, kinds.duration(low=0.0)] = _SERVICE.hedge_s
    """Without an answer for so long, a request that may be sent twice is sent to a second replica too, and the first answer taken. 0:
    never."""
    slow_start: Annotated[float, kinds.duration(low=0.0)] = _SERVICE.slow_start_s
    """How long a replica that became ready takes to get its whole share of the requests."""
    ejection: Annotated[Ejection | None, OrFalse(), OrTrue()] = Ejection()
    """When a replica is taken out for what its answers were; false: never."""
    sticky: Annotated[Sticky | None, OrFalse(), OrTrue()] = None
    """Sessions that stay at one replica; false (the default): none. True: with the defaults."""
    hash: Hash | None = None
    """Requests that are alike go to the same replica. Default: any replica."""
    drain_timeout: Annotated[float, kinds.duration()] = _SERVICE.drain_timeout_s
    """How long a replica that is to stop may finish its requests."""
    stop_grace: Annotated[float, kinds.duration()] = _SERVICE.stop_grace_s
    """The time between SIGTERM and SIGKILL."""


def balance_findings(balance: Balance, path: Path) -> Iterator[Finding]:
    """What does not fit together under `balance`."""
    if balance.hash and len(balance.hash.chosen) != 1:
        yield Finding((*path, "hash"), f"takes exactly one of {', '.join(HASH_KEYS)}", at_key=True)
    if balance.hash and balance.sticky:
        yield Finding((*path, "hash"), "cannot be beside sticky: a session stays where it began; take one out", at_key=True)
    if balance.sticky and balance.sticky.same_site is SameSite.NONE and not balance.sticky.secure:
        message = "needs secure: true beside it: browsers drop such a cookie otherwise"
        yield Finding((*path, "sticky", "same_site"), message, needs=((*path, "sticky", "secure"),))
    if balance.ejection and balance.ejection.time > balance.ejection.longest:
        message = "must not be longer than longest"
        yield Finding((*path, "ejection", "time"), message, needs=((*path, "ejection", "longest"),))


def rate_findings(rates: tuple[RateLimit, ...], path: Path) -> Iterator[Finding]:
    """What does not fit together in rate limits."""
    for index, rate in enumerate(rates):
        if rate.per is Per.HEADER and not rate.header:
            yield Finding((*path, index, "per"), "needs the key header beside it: the header whose value counts")
        elif rate.header and rate.per not in (None, Per.HEADER):
            message = f"means nothing to per: {rate.per}; take one of them out"
            yield Finding((*path, index, "header"), message, needs=((*path, index, "per"),), at_key=True)
