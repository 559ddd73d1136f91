"""Whether a worker runs short of connections or of memory, and which services have more than their share of it then.

Looked at on ticks and not for every request: what a worker holds for slow peers is bounded for each connection, so in so short a time it
cannot grow by more than the connections there are. A service that is *crowded* has its new requests refused with 503 while it is; those
under way go on. Fair is the same for all services that have requests under way: one whose replicas hang cannot take the connections
that the others need. Going through all connections takes a millisecond for every thousand, so it is done only when there is reason to,
and twice a second where there are many.
"""

import os
from collections.abc import Callable

from balancer import limits
from balancer.hotpath.context import Context
from balancer.hotpath.downstream import Downstream
from balancer.hotpath.service import Service

FEW = 1000  # connections with which no worker can be short of memory
PAGE = os.sysconf("SC_PAGE_SIZE")
SWEEP_US = 500_000  # between two looks at all connections, where they are not few


class Pressure:
    """For one worker. resident: octets that its process has in memory now."""

    def __init__(self, context: Context, resident: Callable[[], int]) -> None:
        self._context = context
        self._resident = resident
        self._base = resident()
        self._under = False
        self._looked_us = 0

    def look(self, services: list[Service]) -> None:
        """Mark the services that are crowded."""
        context = self._context
        count = len(context.connections)
        scarce = count >= limits.CROWDED_SHARE * context.connections_most
        doubtful = count > FEW and self._resident() - self._base > context.buffers_most
        if not (scarce or doubtful or self._under) or (count > FEW and context.now_us - self._looked_us < SWEEP_US):
            return
        self._looked_us = context.now_us
        self._mark(list(context.connections), services, scarce)

    def _mark(self, connections: list[Downstream], services: list[Service], scarce: bool) -> None:
        short = len(connections) > FEW and sum(map(held_for, connections)) > self._context.buffers_most
        under_way = shares(connections) if scarce else {}
        fair = self._context.connections_most * limits.CROWDED_SHARE / max(1, len(under_way))
        for service in services:
            service.crowded = short or under_way.get(service, 0) > fair
        self._under = scarce or short


def shares(connections: list[Downstream]) -> dict[Service, int]:
    """How many requests are under way, by service."""
    found: dict[Service, int] = {}
    for connection in connections:
        service = connection.exchange.service if connection.exchange is not None else None
        if service is not None:
            found[service] = found.get(service, 0) + 1
    return found


def held_for(connection: Downstream) -> int:
    """Octets held for a connection: what its client has not taken, what it sent too early, and what its replica has not taken."""
    exchange = connection.exchange
    octets = len(connection.backlog) + len(connection.buffer)
    if exchange is None:
        return octets
    octets += len(exchange.upload.held) + len(exchange.relay.buffer)
    return octets + (len(exchange.upstream.backlog) if exchange.upstream is not None else 0)


def resident_octets() -> int:
    """What this process has in memory."""
    with open("/proc/self/statm", "rb", buffering=0) as file:  # noqa: PTH123 - pathlib reads through a buffer
        return int(file.read().split()[1]) * PAGE
