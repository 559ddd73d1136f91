"""A connection to a replica: being made, carrying one request, or idle in the replica's pool.

Invariants: it carries one exchange at a time; anything that happens on an idle connection ends it, so that octets nobody asked
for can never become the answer to a later request. What an answer means is decided in `exchange.py`.
"""

import socket
from typing import TYPE_CHECKING

from balancer.hotpath import system
from balancer.hotpath.board import CONNECTS
from balancer.hotpath.stream import Stream

if TYPE_CHECKING:
    from balancer.hotpath.context import Context
    from balancer.hotpath.exchange import Exchange
    from balancer.hotpath.replica import Replica


class Upstream(Stream):
    """exchange: the one that is carried, or None. requests: how many were sent on it. connecting: what connects, until it stands."""

    def __init__(self, context: "Context", replica: "Replica") -> None:
        """Raises OSError if there are no descriptors left."""
        self.connecting: socket.socket | None = connecting_socket(replica.family)
        self.set_up(context, self.connecting.fileno())
        self.replica = replica
        self.exchange: Exchange | None = None
        self.requests = 0

    def connect(self, exchange: "Exchange") -> None:
        """Begin to connect for the exchange, which is told by `send_request` or `connect_failed`. Raises OSError if it fails at once."""
        replica = self.replica
        assert self.connecting is not None
        try:
            self.connecting.connect(replica.target)
        except BlockingIOError:  # for a Unix socket: its queue is full, and nothing would ever say that it is not
            if replica.family == socket.AF_UNIX:
                self.close()
                raise
        except OSError:
            self.close()
            raise
        self.context.row.count_replica(replica.slot, CONNECTS)
        self.exchange = exchange
        self.await_room()

    def on_writable(self) -> None:
        """There is room again, or the connection stands or has failed."""
        if self.connecting is None:
            Stream.on_writable(self)
            return
        self.context.read_clock()
        failed = self.connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.stop_connecting()
        exchange = self.exchange
        if exchange is None:
            self.close()
        elif failed:
            exchange.connect_failed("the replica refused the connection", 502)
        else:
            exchange.send_request()

    def stop_connecting(self) -> None:
        """No longer wait for the connection to stand."""
        if self.connecting is not None:
            self.connecting.detach()
            self.connecting = None
            self.stop_awaiting_room()

    def received(self, data: bytes) -> None:
        """Octets of the answer, or octets that nobody asked for."""
        if self.exchange is not None:
            self.exchange.from_replica(data)
        else:
            self.drop()

    def ended(self) -> None:
        """The replica has closed its side."""
        if self.exchange is not None:
            self.exchange.replica_ended()
        else:
            self.drop()

    def lost(self) -> None:
        """The connection is broken."""
        if self.exchange is not None:
            self.exchange.replica_lost()
        else:
            self.drop()

    def unwritable(self) -> None:
        """The replica takes nothing any more; it may have answered before."""
        if self.exchange is not None and self.exchange.tunnel is None:
            self.exchange.upload_broke()
        else:
            self.lost()

    def drained(self) -> None:
        """All that was held of the request is sent."""
        if self.exchange is not None:
            self.exchange.upstream_drained()

    def expire(self, now_us: int) -> None:
        """Idle for too long."""
        self.drop()

    def fail(self) -> None:
        """A fault in our own program: it ends the client's connection too."""
        exchange = self.exchange
        if exchange is not None:
            exchange.downstream.fail()
        else:
            self.replica.forget(self, self.context.row)
            Stream.fail(self)

    def alive(self) -> bool:
        """Whether an idle connection still stands, as far as the kernel knows now."""
        return system.silent(self.fd)

    def keep(self, announced_us: int) -> None:
        """The exchange is over and the connection can carry another one. announced_us: how long the replica keeps it; 0: unknown.

        A request that crosses the replica's close on its way may be lost (a POST is not sent again), so ours comes well before.
        """
        context = self.context
        idle_us = context.pool_idle_us
        if announced_us and announced_us // 2 < idle_us:
            idle_us = announced_us // 2
        self.exchange = None
        self.first = True  # what happens while it is idle must be seen before a request of the same batch is sent on it
        self.arm(context.now_us + idle_us)
        if not self.replica.keep(self, context.row, context.pool_most):
            self.close()

    def drop(self) -> None:
        """End an idle connection."""
        self.replica.forget(self, self.context.row)
        self.close()

    def close(self) -> None:
        """End it now, whatever it carries."""
        self.exchange = None
        if self.connecting is not None:
            self.connecting.detach()
            self.connecting = None
        Stream.close(self)


def connecting_socket(family: int) -> socket.socket:
    """A socket to connect with. Raises OSError if there are no descriptors left."""
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    if family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
