"""Whether a worker runs short of connections or of memory, and which services have more than their share of it then.

Looked at on every tick and not for every request: what a worker holds for slow peers is bounded for each connection, so in one tick it
cannot grow by more than the connections there are. A service that is *crowded* has its new requests refused with 503 while it is;
those under way go on. Fair is the same for all services that have requests under way: one whose replicas hang cannot take the
connections that the others need.
"""

from balancer import limits
from balancer.hotpath.context import Context
from balancer.hotpath.downstream import Downstream
from balancer.hotpath.service import Service

FEW = 1000  # connections with which no worker can be short of memory


class Pressure:
    """For one worker. `under`: some service is crowded now."""

    def __init__(self, context: Context) -> None:
        self.under = False
        self._context = context

    def look(self, services: list[Service]) -> None:
        """Mark the services that are crowded."""
        connections = list(self._context.connections)
        scarce = len(connections) >= limits.CROWDED_SHARE * self._context.connections_most
        short = len(connections) > FEW and sum(map(held_for, connections)) > self._context.buffers_most
        if not (scarce or short or self.under):
            return
        under_way = shares(connections) if scarce else {}
        fair = self._context.connections_most * limits.CROWDED_SHARE / max(1, len(under_way))
        for service in services:
            service.crowded = short or under_way.get(service, 0) > fair
        self.under = scarce or short


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
