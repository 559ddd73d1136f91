"""Swaps routing tables: turns a `RoutingTable` into the services, replicas and routes that the hot path works on.

Invariants: a table is taken whole between two events, never in the middle of a request; replicas and services that go on keep their
connections, counters and waiting requests; a replica that is no longer READY gets no further request and its idle connections end.
"""

import ipaddress
from collections.abc import Callable

from balancer import limits
from balancer.hotpath.context import Context
from balancer.hotpath.memo import Memo
from balancer.hotpath.pick import POLICIES
from balancer.hotpath.replica import Replica
from balancer.hotpath.route import Router
from balancer.hotpath.service import Service
from balancer.table import ReplicaEntry, ReplicaState, RoutingTable, ServiceEntry, Settings


class Switch:
    """Holds what the table in use is made of."""

    def __init__(self, context: Context, random: Callable[[], float]) -> None:
        self._context = context
        self._random = random
        self._services: dict[str, Service] = {}
        self._replicas: dict[tuple[str, str, str], Replica] = {}
        self._settings: Settings | None = None

    def take(self, table: RoutingTable) -> None:
        """Use this table from now on."""
        if table.settings != self._settings:
            apply_settings(self._context, table.settings)
            self._settings = table.settings
        replicas: dict[tuple[str, str, str], Replica] = {}
        services = {entry.name: self._service(entry, replicas) for entry in table.services}
        self._leave(replicas)
        gone = [service for name, service in self._services.items() if services.get(name) is not service]
        self._services, self._replicas = services, replicas
        self._context.router = Router(
            [(route.host.encode(), route.path.encode(), services[route.service]) for route in table.routes]
        )
        for service in gone:
            service.ready = []
        for service in services.values():
            if service.waiting:
                self._context.serve(service, True)

    def waiting(self) -> list[Service]:
        """The services for which requests wait."""
        return [service for service in self._services.values() if service.waiting]

    def _service(self, entry: ServiceEntry, replicas: dict[tuple[str, str, str], Replica]) -> Service:
        service = self._services.get(entry.name)
        if service is None or service.slot != entry.slot:
            service = Service(entry.name, entry.slot, self._context.row, self._random)
        service.policy = POLICIES[entry.policy]
        service.cap = entry.max_concurrency
        service.queue = entry.queue
        service.queue_timeout_us = microseconds(entry.queue_timeout_s)
        service.hold = entry.hold
        service.hold_timeout_us = microseconds(entry.hold_timeout_s)
        service.max_held = entry.max_held
        service.ready = [
            self._replica(entry.name, replica, replicas) for replica in entry.replicas if replica.state is ReplicaState.READY
        ]
        return service

    def _replica(self, service: str, entry: ReplicaEntry, replicas: dict[tuple[str, str, str], Replica]) -> Replica:
        key = (service, entry.id, entry.address)
        replica = self._replicas.get(key)
        if replica is None or replica.slot != entry.slot:
            replica = Replica(entry.id, entry.slot, entry.address, entry.weight)
        replica.weight = entry.weight
        replicas[key] = replica
        return replica

    def _leave(self, replicas: dict[tuple[str, str, str], Replica]) -> None:
        """Replicas of the old table that the new one does not use."""
        for key, replica in self._replicas.items():
            if replicas.get(key) is not replica:
                replica.leave(self._context.row)


def apply_settings(context: Context, settings: Settings) -> None:
    """Fill in limits, timeouts and trust."""
    most, after = settings.limits, settings.timeouts
    context.trusts = trust(settings.trusted_proxies)
    context.request_line_most = most.request_line
    context.head_most = most.head
    context.fields_most = most.fields
    context.body_most = most.body
    context.connections_most = most.connections
    context.response_head_most = most.response_head
    context.pool_most = most.pool_per_replica
    context.attempts_most = limits.ATTEMPTS
    context.replay_most = limits.REPLAY_BODY
    context.linger_most_us = microseconds(limits.LINGER_S)
    context.head_us = microseconds(after.head_s)
    context.idle_us = microseconds(after.idle_s)
    context.body_idle_us = microseconds(after.body_idle_s)
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
        if not parsed:
            return False
        client = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(client, "ipv4_mapped", None)  # an IPv4 client on a dual-stack listener
        return any((mapped or client) in network for network in parsed)

    return trusts


def microseconds(seconds: float) -> int:
    """Seconds as whole microseconds."""
    return round(seconds * 1_000_000)
