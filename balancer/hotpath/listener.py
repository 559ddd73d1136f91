"""A listening socket of one worker, and the connections that it accepts.

Invariants: the socket belongs to the controller; closing it here closes no port. A bounded number is accepted per turn. A connection over
the limit is answered 503 and closed, so that nobody waits for nothing.
"""

import errno
import socket
from typing import TYPE_CHECKING

from balancer.hotpath import system
from balancer.hotpath.answers import answer
from balancer.hotpath.board import ACCEPTED, REFUSED
from balancer.hotpath.downstream import Downstream
from balancer.hotpath.meter import client_key
from balancer.hotpath.watched import Watched

if TYPE_CHECKING:
    from balancer.hotpath.context import Context

BATCH = 16  # connections accepted before the others on this worker get their turn
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Listener(Watched):
    """One listening socket."""

    def __init__(self, context: "Context", sock: socket.socket) -> None:
        Watched.__init__(self)
        self.context = context
        self.sock = sock
        self.fd = sock.fileno()

    def on_readable(self) -> None:
        """Accept a batch."""
        self.accept()

    def accept(self) -> bool:
        """Accept a batch; False: there are no more."""
        for _ in range(BATCH):
            try:
                accepted = system.accept(self.sock)
            except ConnectionAbortedError:  # it ended while it waited
                continue
            except OSError as failure:
                if failure.errno not in _EXHAUSTED:
                    raise
                # It stays readable, and trying again at once would never end; `Acceptor.resume` comes with the next tick.
                self.context.warn(f"cannot accept: {failure}; raise the limit of open files (ulimit -n)")
                self.context.poller.want(self, 0)
                return False
            if accepted is None:
                return False
            self.welcome(accepted[0], accepted[1])
        return True

    def fail(self) -> None:
        """A fault in our own program: the next connection may fare better."""
        self.context.fault("a fault while accepting")

    def welcome(self, fd: int, peer: bytes) -> None:
        """Take a new connection, or turn it away."""
        context = self.context
        context.read_clock()
        if len(context.connections) >= context.connections_most:
            self.turn_away(fd, 503, "too many connections")
            return
        if peer[:7] == b"::ffff:":  # an IPv4 client on a dual-stack listener
            peer = peer[7:]
        metered = self.is_metered(peer)
        if metered and context.meters is not None and not context.meters.enter(client_key(peer), context.client_connections_most):
            self.turn_away(fd, 429, "too many connections from this client")
            return
        context.row.count(ACCEPTED, 1)
        downstream = Downstream(context, fd, peer)
        downstream.metered = metered
        downstream.start()

    def is_metered(self, peer: bytes) -> bool:
        """Whether the connection counts among those of its client. A configured proxy stands for many."""
        context = self.context
        if not context.client_connections_most or context.meters is None:
            return False
        return context.trusts is None or not context.trusts(peer.decode())

    def turn_away(self, fd: int, status: int, reason: str) -> None:
        """Say why; whether that arrives is the client's luck."""
        self.context.row.count(REFUSED, 1)
        system.transmit(fd, answer(status, reason, False, True, b"Connection: close\r\n", 1, self.context.date_line), 0)
        system.shut(fd)
        system.close(fd)
