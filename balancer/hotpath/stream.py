"""A non-blocking connection on the event loop: reads straight from it, writes straight to it, holds what it would not take.

Invariants: at most one read of `RECEIVE` octets per turn, so that no connection starves the others; whoever feeds a stream stops
while `backlog` is not empty, so that what is held is bounded by one read; after `close` no callback comes. What the octets mean
is not known here.
"""

from typing import TYPE_CHECKING

from balancer.hotpath import system
from balancer.hotpath.watched import READ, WRITE, Watched
from balancer.hotpath.wheel import TICK_US

if TYPE_CHECKING:
    from balancer.hotpath.conduit import Conduit
    from balancer.hotpath.context import Context

RECEIVE = 64 * 1024
_RECEIVE = RECEIVE  # the same, as a C integer where that is compiled


class Stream(Watched):
    """One connection, by its descriptor, which is its own to close.

    Subclasses take what happens to it: `received`, `ended`, `lost`, `drained`, `expire`.
    """

    context: "Context"
    backlog: bytes
    taken: int  # octets of the backlog that are sent already
    open: bool
    more: bool  # what was read last may not be all that has arrived
    outgoing: "Conduit | None"  # where what arrives goes, if it is spliced
    incoming: "Conduit | None"  # where what is sent comes from, if it is spliced

    def set_up(self, context: "Context", fd: int) -> None:
        """What a subclass begins with."""
        self.watch_nothing(fd)
        self.context = context
        self.backlog = b""
        self.taken = 0
        self.open = True
        self.more = False
        self.outgoing = self.incoming = None

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
        if self.outgoing is not None:
            self.outgoing.pull()
            return
        self.context.read_clock()
        try:
            data = system.receive(self.fd, _RECEIVE)
        except OSError:
            self.pause()
            self.lost()
            return
        if data:
            self.more = len(data) == _RECEIVE
            self.received(data)
        elif data is not None:
            self.pause()
            self.ended()

    def send(self, data: bytes) -> bool:
        """Send, holding what the socket does not take now. False: the connection is broken (nobody else is told)."""
        if self.backlog:
            self.backlog = self.backlog[self.taken :] + data
            self.taken = 0
            return True
        sent = system.transmit(self.fd, data, 0)
        if sent == len(data):
            return True
        if sent == system.BROKEN:
            return False
        self.backlog = data
        self.taken = max(sent, 0)
        self.await_room()
        return True

    def on_writable(self) -> None:
        """There is room again."""
        if self.incoming is not None:
            self.incoming.flow()
            return
        self.context.read_clock()
        sent = system.transmit(self.fd, self.backlog, self.taken)
        if sent == system.BLOCKED:
            return
        if sent == system.BROKEN:
            self.backlog = b""
            self.stop_awaiting_room()
            self.unwritable()
            return
        self.taken += sent
        if self.taken == len(self.backlog):
            self.backlog = b""
            self.taken = 0
            self.stop_awaiting_room()
            self.drained()

    def fail(self) -> None:
        """A fault in our own program: end this connection, and whatever it carries, and say so."""
        self.context.fault("a fault ended a connection; the others go on")
        self.close()

    def shutdown(self) -> None:
        """Say that nothing more will be sent."""
        system.shut(self.fd)

    def close(self) -> None:
        """End it now; what is held is dropped."""
        if not self.open:
            return
        self.open = False
        self.context.poller.forget(self)
        self.context.wheel.forget(self)
        self.backlog = b""
        self.taken = 0
        self.deadline_us = 0
        system.close(self.fd)
        self.fd = -1  # another connection may have this descriptor at once

    def arm(self, deadline_us: int) -> None:
        """Expire at this moment unless it is moved before; 0: never."""
        self.deadline_us = deadline_us
        if deadline_us and (not self.tick or deadline_us < (self.tick - 1) * TICK_US):
            self.context.wheel.watch(self)
