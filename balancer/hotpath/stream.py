"""A non-blocking socket on the event loop: reads straight from it, writes straight to it, holds what it would not take.

Invariants: at most one read of `RECEIVE` octets per turn, so that no connection starves the others; whoever feeds a stream stops
while `backlog` is not empty, so that what is held is bounded by one read; after `close` no callback comes. What the octets mean
is not known here.
"""

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from balancer.hotpath.context import Context

RECEIVE = 64 * 1024


class Stream:
    """One socket. Subclasses take what happens to it: `received`, `ended`, `lost`, `drained`, `expire`."""

    def __init__(self, context: "Context", sock: socket.socket) -> None:
        self.context = context
        self.sock = sock
        self.fd = sock.fileno()
        self.backlog = b""
        self.reading = False
        self.open = True
        self.deadline_us = 0
        self.tick = 0

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

    def expire(self, now_us: int) -> None:
        """The deadline has passed."""
        raise NotImplementedError

    def resume(self) -> None:
        """Read from now on."""
        if not self.reading and self.open:
            self.reading = True
            self.context.add_reader(self.fd, self.on_readable)

    def pause(self) -> None:
        """Leave what arrives in the kernel."""
        if self.reading:
            self.reading = False
            self.context.remove_reader(self.fd)

    def on_readable(self) -> None:
        """The event loop says that there is something to read."""
        try:
            data = self.sock.recv(RECEIVE)
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
            sent = self.sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return False
        if sent < len(data):
            self.backlog = data[sent:]
            self.context.add_writer(self.fd, self.on_writable)
        return True

    def on_writable(self) -> None:
        """The event loop says that there is room again."""
        try:
            sent = self.sock.send(self.backlog)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.backlog = b""
            self.context.remove_writer(self.fd)
            self.unwritable()
            return
        self.backlog = self.backlog[sent:]
        if not self.backlog:
            self.context.remove_writer(self.fd)
            self.drained()

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
        self.pause()
        if self.backlog:
            self.backlog = b""
            self.context.remove_writer(self.fd)
        self.deadline_us = 0
        self.context.wheel.forget(self)
        self.sock.close()

    def arm(self, deadline_us: int) -> None:
        """Expire at this moment unless it is moved before; 0: never."""
        self.deadline_us = deadline_us
        if deadline_us:
            self.context.wheel.watch(self)
