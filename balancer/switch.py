"""Swaps routing tables: turns a `RoutingTable` into the services, replicas and routes that the hot path works on.

Invariants: a table is taken whole between two events, never in the middle of a request; replicas and services that go on keep their
connections, counters and waiting requests; a replica that is no longer READY gets no further request and its idle connections end.
"""

import ipaddress
from collections.abc import Callable

from balancer import limits
from balancer.hotpath.affinity import Affinity, Ring, Sessions
from balancer.hotpath.context import Context
from balancer.hotpath.memo import Memo
from balancer.hotpath.meter import Rate
from balancer.hotpath.pick import POLICIES
from balancer.hotpath.replica import Replica
from balancer.hotpath.route import Route, Router
from balancer.hotpath.service import PRIORITIES, Service
from balancer.table import Affinity as AffinityEntry
from balancer.table import (
    By,
    Per,
    RateLimit,
    ReplicaEntry,
    ReplicaState,
    RouteEntry,
    RoutingTable,
    ServiceEntry,
    Settings,
)


class Switch:
    """`table`: the one in use. Before the first `take` there are no services and the settings are the default ones."""

    def __init__(self, context: Context, random: Callable[[], float], wall_us: Callable[[], int]) -> None:
        """wall_us: microseconds since the epoch."""
        self.table = RoutingTable()
        self._context = context
        self._random = random
        self._wall_us = wall_us
        self._services: dict[str, Service] = {}
        apply_settings(context, self.table.settings)

    def take(self, table: RoutingTable) -> None:
        """Use this table from now on. Raises KeyError or ValueError, and changes nothing, if it cannot be used."""
        services = {entry.name: self._service(entry) for entry in table.services}
        changed = self._changed(table)
        ready = {entry.name: self._ready(entry) for entry in changed}
        router = self._router(table, services)
        if table.settings != self.table.settings:
            apply_settings(self._context, table.settings)
        self._leave(services, ready)
        for entry in changed:
            configure(services[entry.name], entry, ready[entry.name])
            services[entry.name].warm(self._wall_us())
        self.table, self._services, self._context.router = table, services, router
        for service in self.waiting():
            self._context.serve(service, True)

    def waiting(self) -> list[Service]:
        """The services for which requests wait."""
        return [service for service in self._services.values() if service.waiting]

    def services(self) -> list[Service]:
        """All of them."""
        return list(self._services.values())

    def warm(self) -> None:
        """Replicas that start slowly are a little further on."""
        for service in self._services.values():
            if service.warming:
                service.warm(self._wall_us())

    def _changed(self, table: RoutingTable) -> list[ServiceEntry]:
        """A service that stayed as it was has the same object as its entry."""
        known = {entry.name: entry for entry in self.table.services}
        return [entry for entry in table.services if known.get(entry.name) is not entry]

    def _service(self, entry: ServiceEntry) -> Service:
        service = self._services.get(entry.name)
        if service is None or service.slot != entry.slot:
            return Service(entry.name, entry.slot, self._context.row, self._random)
        return service

    def _ready(self, entry: ServiceEntry) -> list[Replica]:
        """The replicas to pick from: those that go on as they are, new ones for the rest. Raises ValueError."""
        service = self._services.get(entry.name)
        known = {(replica.name, replica.address, replica.slot): replica for replica in service.ready} if service else {}
        return [
            known.get((line.id, line.address, line.slot)) or Replica(line.id, line.slot, line.address, line.weight)
            for line in ready_lines(entry)
        ]

    def _router(self, table: RoutingTable, services: dict[str, Service]) -> Router:
        """The one in use, unless it would lead elsewhere. Raises KeyError for a route to no service."""
        if table.routes is self.table.routes and services == self._services and _rates(table) == _rates(self.table):
            return self._context.router
        rates = {entry.name: entry.rates for entry in table.services}
        return Router(
            [
                (route.host.encode(), route.path.encode(), make_route(route, services[route.service], rates[route.service]))
                for route in table.routes
            ]
        )

    def _leave(self, services: dict[str, Service], ready: dict[str, list[Replica]]) -> None:
        """Let go of services that are in use no more, and of the replicas that the new table does not pick from."""
        for name, service in self._services.items():
            if name in services and name not in ready:
                continue
            staying = set(ready.get(name, ()))
            for replica in service.ready:
                if replica not in staying:
                    replica.leave(self._context.row)
            if services.get(name) is not service:
                service.ready = []


def ready_lines(entry: ServiceEntry) -> list[ReplicaEntry]:
    """The replicas of a service that may be picked."""
    return [line for line in entry.replicas if line.state is ReplicaState.READY]


def configure(service: Service, entry: ServiceEntry, ready: list[Replica]) -> None:
    """Bring a service up to its entry in the table; ready: a replica for each of its ready lines."""
    service.policy = POLICIES[entry.policy]
    service.cap_most, service.adaptive = entry.max_concurrency, entry.adaptive
    if not service.adaptive:
        service.cap = entry.max_concurrency
    service.queue = entry.queue
    service.queue_timeout_us = microseconds(entry.queue_timeout_s)
    service.hold = entry.hold
    service.hold_timeout_us = microseconds(entry.hold_timeout_s)
    service.max_held = entry.max_held
    service.total_us = microseconds(entry.total_s)
    service.hedge_us = microseconds(entry.hedge_s)
    service.slow_start_us = microseconds(entry.slow_start_s)
    service.failures_most = entry.failures
    service.attempts_most = entry.retries.attempts
    service.retry_share = entry.retries.budget
    service.retry_least = entry.retries.least
    service.try_us = microseconds(entry.retries.try_timeout_s)
    service.ready = ready
    for replica, line in zip(ready, ready_lines(entry), strict=True):
        replica.share = line.weight
        replica.ready_at_us = microseconds(line.ready_at_s)
    service.affinity = affinity(entry.affinity)
    if service.affinity is not None:
        service.affinity.follow(service)


def affinity(entry: AffinityEntry) -> Affinity | None:
    """What keeps requests together, if anything does. Raises ValueError for a key that is not hexadecimal."""
    if entry.by is By.NOTHING:
        return None
    if entry.by is By.SESSION:
        return Sessions(entry.name.encode(), bytes.fromhex(entry.key), entry.attributes.encode())
    return Ring(entry.by, entry.name.lower().encode() if entry.by is By.HEADER else entry.name.encode(), entry.load)


def make_route(entry: RouteEntry, service: Service, rates: tuple[RateLimit, ...]) -> Route:
    """A route, and what requests must keep to on it; rates: those of its service."""
    own = [rate_of(rate, f"{entry.service}\0{entry.host}\0{entry.path}\0{index}") for index, rate in enumerate(entry.rates)]
    shared = [rate_of(rate, f"{entry.service}\0{index}") for index, rate in enumerate(rates)]
    return Route(service, PRIORITIES[entry.priority], entry.body, (*own, *shared))


def rate_of(limit: RateLimit, scope: str) -> Rate:
    """A rate limit as a worker keeps it. One that is changed begins with full buckets."""
    whole, name = limit.per is Per.ALL, limit.name.lower() if limit.per is Per.HEADER else ""
    buckets = f"{scope}\0{limit.per}\0{name}\0{limit.rate!r}\0{limit.burst}\0"
    return Rate(buckets.encode(), limit.rate, limit.burst, whole, name.encode())


def _rates(table: RoutingTable) -> list[tuple[RateLimit, ...]]:
    return [entry.rates for entry in table.services]


def apply_settings(context: Context, settings: Settings) -> None:
    """Fill in limits, timeouts and trust."""
    most, after = settings.limits, settings.timeouts
    context.trusts = trust(settings.trusted_proxies) if settings.trusted_proxies else None
    context.request_line_most = most.request_line
    context.head_most = most.head
    context.fields_most = most.fields
    context.body_most = most.body
    context.connections_most = most.connections
    context.buffers_most = most.buffers
    context.response_head_most = most.response_head
    context.pool_most = most.pool_per_replica
    context.client_connections_most = most.connections_per_client
    context.replay_most = limits.REPLAY_BODY
    context.linger_most_us = microseconds(limits.LINGER_S)
    context.head_us = microseconds(after.head_s)
    context.idle_us = microseconds(after.idle_s)
    context.body_idle_us = microseconds(after.body_idle_s)
    context.rate_least = most.body_rate
    context.rate_grace_us = microseconds(after.body_grace_s)
    context.tunnel_idle_us = microseconds(after.tunnel_idle_s)
    context.connect_us = microseconds(after.connect_s)
    context.response_head_us = microseconds(after.response_head_s)
    context.total_us = microseconds(after.total_s)
    context.pool_idle_us = microseconds(after.pool_idle_s)
    context.linger_us = microseconds(after.linger_s)
    # What was validated under the old limits is validated again under the new ones.
    context.request_memo = Memo(limits.MEMO_ENTRIES, limits.MEMO_BLOCK)
    context.response_memo = Memo(limits.MEMO_ENTRIES, limits.MEMO_BLOCK)


def trust(networks: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a client's address is a configured proxy. Raises ValueError for what is no address and no network."""
    parsed = [ipaddress.ip_network(network, strict=False) for network in networks]

    def trusts(address: str) -> bool:
        client = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(client, "ipv4_mapped", None)  # an IPv4 client on a dual-stack listener
        return any((mapped or client) in network for network in parsed)

    return trusts


def microseconds(seconds: float) -> int:
    """Seconds as whole microseconds."""
    return round(seconds * 1_000_000)
