"""A non-blocking socket on the event loop: reads straight from it, writes straight to it, holds what it would not take.

Invariants: at most one read of `RECEIVE` octets per turn, so that no connection starves the others; whoever feeds a stream stops
while `backlog` is not empty, so that what is held is bounded by one read; after `close` no callback comes. What the octets mean
is not known here.
"""

import socket
from typing import TYPE_CHECKING

from balancer.hotpath.watched import READ, WRITE, Watched

if TYPE_CHECKING:
    from balancer.hotpath.context import Context

RECEIVE = 64 * 1024


class Stream(Watched):
    """One socket. Subclasses take what happens to it: `received`, `ended`, `lost`, `drained`, `expire`."""

    def __init__(self, context: "Context", sock: socket.socket) -> None:
        super().__init__()
        self.context = context
        self.sock = sock
        self.receive = sock.recv
        self.transmit = sock.send
        self.fd = sock.fileno()
        self.backlog = b""
        self.open = True

    def received(self, data: bytes) -> None:
        """Octets have arrived."""
        raise NotImplementedError

    def ended(self) -> None:
        """The peer has closed its side; reading has stopped."""
        raise NotImplementedError

    def lost(self) -> None:
        """The connection is broken."""
        raise NotImplementedError

    def drained(self) -> None:
        """All of the backlog is sent."""
        raise NotImplementedError

    def unwritable(self) -> None:
        """The backlog cannot be sent any more."""
        raise NotImplementedError

    def resume(self) -> None:
        """Read from now on."""
        if not self.interest & READ and self.open:
            self.context.poller.want(self, self.interest | READ)

    def pause(self) -> None:
        """Leave what arrives in the kernel."""
        if self.interest & READ:
            self.context.poller.want(self, self.interest & ~READ)

    def await_room(self) -> None:
        """Be told when there is room to write."""
        self.context.poller.want(self, self.interest | WRITE)

    def stop_awaiting_room(self) -> None:
        """There is nothing to write."""
        self.context.poller.want(self, self.interest & ~WRITE)

    def on_readable(self) -> None:
        """There is something to read."""
        context = self.context
        context.now_us = context.clock()
        try:
            data = self.receive(RECEIVE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.pause()
            self.lost()
            return
        if data:
            self.received(data)
        else:
            self.pause()
            self.ended()

    def send(self, data: bytes) -> bool:
        """Send, holding what the socket does not take now. False: the connection is broken (nobody else is told)."""
        if self.backlog:
            self.backlog += data
            return True
        try:
            sent = self.transmit(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return False
        if sent < len(data):
            self.backlog = data[sent:]
            self.await_room()
        return True

    def on_writable(self) -> None:
        """There is room again."""
        context = self.context
        context.now_us = context.clock()
        try:
            sent = self.transmit(self.backlog)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.backlog = b""
            self.stop_awaiting_room()
            self.unwritable()
            return
        self.backlog = self.backlog[sent:]
        if not self.backlog:
            self.stop_awaiting_room()
            self.drained()

    def fail(self) -> None:
        """A fault in our own program: end this connection, and whatever it carries, and say so."""
        self.context.fault("a fault ended a connection; the others go on")
        self.close()

    def shutdown(self) -> None:
        """Say that nothing more will be sent. A connection that is broken already needs no telling."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        """End it now; what is held is dropped."""
        if not self.open:
            return
        self.open = False
        self.context.poller.forget(self)
        self.backlog = b""
        self.deadline_us = 0
        self.context.wheel.forget(self)
        self.sock.close()

    def arm(self, deadline_us: int) -> None:
        """Expire at this moment unless it is moved before; 0: never."""
        self.deadline_us = deadline_us
        if deadline_us:
            self.context.wheel.watch(self)
