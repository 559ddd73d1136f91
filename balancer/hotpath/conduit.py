"""A large body moved from one connection to the other inside the kernel, through a pipe (splice(2)).

Invariants: it is used only where every octet goes on as it came, which is a body with a length; never more is taken from the source than
belongs to the body; the pipe is empty whenever the source is read, so what is held is bounded by one read. Where a body may be spliced, and
what its end means, is decided in `exchange.py`.
"""

from typing import TYPE_CHECKING

from balancer.hotpath import system

if TYPE_CHECKING:
    from balancer.hotpath.body import Body
    from balancer.hotpath.exchange import Exchange
    from balancer.hotpath.stream import Stream

PIPE = 256 * 1024  # octets a pipe is asked to hold
MOST = 256 * 1024  # octets moved per turn, so that no connection starves the others
SPARE_MOST = 64  # empty pipes kept for the next bodies


class Conduit:
    """source, sink: the connections. body: what is counted. held: octets in the pipe."""

    def __init__(self, exchange: "Exchange", source: "Stream", sink: "Stream", body: "Body", pipe: tuple[int, int]) -> None:
        self.exchange = exchange
        self.source = source
        self.sink = sink
        self.body = body
        self.pipe = pipe
        self.outlet, self.inlet = pipe
        self.held = 0
        self.open = True
        source.outgoing = self
        sink.incoming = self

    def pull(self) -> None:
        """The source has something."""
        source = self.source
        source.context.read_clock()
        most = self.body.remaining if self.body.remaining < MOST else MOST
        taken = system.splice(source.fd, self.inlet, most)
        if taken > 0:
            source.more = True  # whatever stands behind the body
            self.body.passes(taken)
            self.held = taken
            self.push()
        elif taken != system.BLOCKED:
            source.pause()
            if taken:
                source.lost()
            else:
                source.ended()

    def flow(self) -> None:
        """The sink has room."""
        self.source.context.read_clock()
        self.push()

    def push(self) -> None:
        """Hand on what the pipe holds, as far as the sink takes it; the source is read no faster than that."""
        source, sink = self.source, self.sink
        sent = system.splice(self.outlet, sink.fd, self.held)
        if sent == system.BROKEN:
            sink.stop_awaiting_room()
            sink.unwritable()
            return
        if sent > 0:
            self.held -= sent
        if self.held:
            source.pause()
            sink.await_room()
            self.exchange.moved()
            return
        sink.stop_awaiting_room()
        if self.body.done:
            self.end()
            self.exchange.moved_all(self)
        else:
            source.resume()
            self.exchange.moved()

    def end(self) -> None:
        """Use the connections as before."""
        if not self.open:
            return
        self.open = False
        self.source.outgoing = None
        self.sink.incoming = None
        spare = self.source.context.pipes
        if self.held or len(spare) >= SPARE_MOST:
            system.close(self.outlet)
            system.close(self.inlet)
        else:
            spare.append(self.pipe)


def join(exchange: "Exchange", source: "Stream", sink: "Stream", body: "Body") -> Conduit | None:
    """Splice the rest of a body; None: there is no pipe to be had, and it goes on as before."""
    spare = exchange.context.pipes
    try:
        pipe = spare.pop() if spare else system.open_pipe(PIPE)
    except OSError:
        return None
    return Conduit(exchange, source, sink, body, pipe)
