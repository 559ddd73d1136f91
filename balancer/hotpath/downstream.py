"""A client's connection: reads request heads one after the other, hands each to an exchange, and sends what comes back.

Invariants: one request is under way at a time, so pipelined ones are answered in order; after a request that could not be read to its
end the connection is closed, after reading on for a little while (a reset would destroy the answer on its way).

States: HEAD -> EXCHANGE -> (FLUSH ->) HEAD ... | LINGER -> closed. How a request is carried is decided in `exchange.py`.
"""

import socket
from typing import TYPE_CHECKING

from balancer.hotpath.answers import answer
from balancer.hotpath.board import BAD_REQUESTS, CONNECTIONS
from balancer.hotpath.exchange import Exchange
from balancer.hotpath.fields import RequestBlock, parse_request_block, with_authority
from balancer.hotpath.forwarding import upstream_fields
from balancer.hotpath.head import Refusal, check_unfinished, find_head_end, parse_request_line, split_target
from balancer.hotpath.stream import RECEIVE, Stream

if TYPE_CHECKING:
    from balancer.hotpath.context import Context

HEAD = 0  # between requests, or a head has begun to arrive
EXCHANGE = 1  # a request is under way
LINGER = 2  # all is said; what the client still sends is dropped
FLUSH = 3  # the answer is complete but not all of it is taken; the next request does not begin before it is


class Downstream(Stream):
    """One client connection. peer: the client's address as text."""

    def __init__(self, context: "Context", sock: socket.socket, peer: str) -> None:
        super().__init__(context, sock)
        self.peer = peer.encode()
        self.trusted = context.trusts(peer)
        self.state = HEAD
        self.buffer = b""
        self.searched = 0
        self.skipped = False  # the one empty line that may stand before a head
        self.carried = False  # a request, at some time
        self.keep = True
        self.half_closed = False
        self.closing = False  # once the backlog is sent
        self.advancing = False
        self.linger = False
        self.linger_until_us = 0
        self.wants_json = False
        self.exchange: Exchange | None = None
        self.last_block: RequestBlock | None = None
        self.last_minor = -1
        self.last_fields = b""
        context.connections.add(self)
        context.row.count(CONNECTIONS, 1)

    def start(self) -> None:
        """Wait for the first request."""
        self.arm(self.context.now_us + self.context.head_us)
        self.resume()

    # What happens to the socket.

    def received(self, data: bytes) -> None:
        """Octets from the client."""
        if self.state == HEAD:
            if not self.buffer:
                self.deadline_us = self.context.now_us + self.context.head_us
                self.context.wheel.watch(self)
                self.buffer = data
            else:
                self.buffer += data
            self.advance()
        elif self.state == EXCHANGE:
            self.during_exchange(data)
        elif self.state == FLUSH:
            self.store(data)
        else:
            self.linger_on()

    def linger_on(self) -> None:
        """Drop what has come, and wait for the rest of it, up to a point: many clients send everything before they read."""
        deadline_us = self.context.now_us + self.context.linger_us
        self.arm(deadline_us if deadline_us < self.linger_until_us else self.linger_until_us)

    def during_exchange(self, data: bytes) -> None:
        """Octets while a request is under way: more of its body, or the next request."""
        exchange = self.exchange
        if exchange is not None and exchange.wants_more():
            exchange.from_client(data)
        else:
            self.store(data)

    def store(self, data: bytes) -> None:
        """Octets of the next request: kept until it is its turn, up to about one read."""
        self.buffer += data
        if len(self.buffer) > RECEIVE:
            self.pause()

    def ended(self) -> None:
        """The client has closed its side: it may still wait for the answer to a whole request."""
        self.half_closed = True
        if self.state == EXCHANGE and self.exchange is not None:
            self.exchange.client_ended()
        elif self.state != FLUSH:
            self.close()

    def lost(self) -> None:
        """The connection is broken."""
        if self.state == EXCHANGE and self.exchange is not None:
            self.exchange.client_gone()
        self.close()

    def unwritable(self) -> None:
        """The client takes nothing any more."""
        self.lost()

    def drained(self) -> None:
        """The client has taken all that was held."""
        if self.closing:
            self.finish_closing()
        elif self.state == FLUSH:
            self.next_request()
        elif self.state == EXCHANGE and self.exchange is not None:
            self.exchange.client_drained()

    def expire(self, now_us: int) -> None:
        """The deadline of the present state has passed."""
        if self.state == EXCHANGE and self.exchange is not None:
            self.exchange.expired()
        elif self.state == FLUSH:
            self.abort()
        elif self.state == HEAD and self.buffer:
            self.refuse(Refusal(408, "the request's head did not arrive in time"))
        else:
            self.close()

    def close(self) -> None:
        """End the connection now."""
        if self.open:
            self.context.connections.discard(self)
            self.context.row.count(CONNECTIONS, -1)
        Stream.close(self)

    # From request to request.

    def advance(self) -> None:
        """Begin requests as long as whole heads are there; a loop, because answers given at once come back here."""
        if self.advancing:
            return
        self.advancing = True
        while self.state == HEAD and self.buffer and self.open:
            if not self.begin_request():
                if self.half_closed:  # the rest of this head will never come
                    self.close()
                break
        self.advancing = False

    def begin_request(self) -> bool:
        """Read one head and begin its exchange. False: the head is not whole yet."""
        buffer = self.buffer
        if buffer[:2] == b"\r\n" and not self.skipped:  # one empty line before a request is ignored: RFC 9112 section 2.2
            buffer = self.buffer = buffer[2:]
            self.skipped = True
            self.searched = 0
        try:
            end = find_head_end(buffer, self.searched)
            if end < 0:
                self.searched = len(buffer)
                check_unfinished(buffer, self.context.request_line_most, self.context.head_most)
                return False
            self.searched = 0
            self.skipped = False
            self.carried = True
            self.wants_json = False
            self.read_head(buffer, end)
        except Refusal as refusal:
            self.refuse(refusal)
        return True

    def read_head(self, buffer: bytes, end: int) -> None:
        """Read a whole head and carry the request. Raises Refusal if that cannot be done."""
        context = self.context
        line_end = buffer.find(b"\r\n", 0, end + 2)
        if line_end > context.request_line_most:
            raise Refusal(414, f"the request line is longer than {context.request_line_most} octets")
        if end + 4 > context.head_most:
            raise Refusal(431, f"the head is larger than {context.head_most} octets")
        line = buffer[:line_end]
        method, target, minor = parse_request_line(line)
        lines = buffer[line_end + 2 : end + 2]
        found = context.request_memo.get(lines)
        if found is None:
            found = parse_request_block(lines, context.fields_most)
            context.request_memo.put(lines, found)
        block: RequestBlock = found  # type: ignore[assignment] # the request memo holds nothing else
        self.wants_json = block.wants_json
        check_request(method, minor, block)
        if target[:1] != b"/":
            authority, target = split_target(target)
            target = target or (b"*" if method == b"OPTIONS" else b"/")  # RFC 9112 section 3.2.4
            if authority:
                block = with_authority(block, lines, authority)
            line = b"%b %b HTTP/1.1" % (method, target)
        if not minor:
            line = line[:-1] + b"1"
        self.keep = not block.close if minor else block.keep_alive
        self.buffer = buffer[end + 4 :]
        self.state = EXCHANGE
        if self.exchange is None:
            self.exchange = Exchange(self, context)
        self.exchange.begin(line + self.fields_for(block, minor), method, target, minor, block)

    def fields_for(self, block: RequestBlock, minor: int) -> bytes:
        """What follows the request line for the replica; the same again where the client repeats itself."""
        if block is not self.last_block or minor != self.last_minor:
            self.last_block = block
            self.last_minor = minor
            self.last_fields = b"\r\n" + upstream_fields(block, self.peer, minor, self.trusted)
        return self.last_fields

    def refuse(self, refusal: Refusal) -> None:
        """Answer a request that could not be read, and close."""
        context = self.context
        context.row.count(BAD_REQUESTS)
        if context.log_refused is not None:
            context.log_refused(self, refusal.status, context.now_us)
        self.keep = False
        if self.send(
            answer(refusal.status, refusal.reason, self.wants_json, True, b"Connection: close\r\n", 0, context.date_line)
        ):
            self.end(True)
        else:
            self.close()

    def exchange_over(self, reusable: bool) -> None:
        """The exchange has ended, its answer is sent or in the backlog. reusable: the request was read to its end."""
        if not (self.keep and reusable):
            self.end(not reusable or self.buffer != b"")
        elif self.backlog:
            self.state = FLUSH
            self.arm(self.context.now_us + self.context.body_idle_us)
        else:
            self.next_request()

    def next_request(self) -> None:
        """Everything before it is sent: wait for the next request, or begin it."""
        if self.context.draining or (self.half_closed and not self.buffer):
            self.end(self.buffer != b"")
            return
        self.state = HEAD
        self.arm(self.context.now_us + (self.context.head_us if self.buffer else self.context.idle_us))
        if not self.half_closed:
            self.resume()
        if self.buffer:
            self.advance()

    def end(self, linger: bool) -> None:
        """Close as soon as all is sent. linger: the client may still be sending, and a reset would destroy the answer."""
        self.state = LINGER
        self.closing = True
        self.linger = linger
        self.buffer = b""
        self.arm(self.context.now_us + self.context.body_idle_us)
        if not self.backlog:
            self.finish_closing()

    def finish_closing(self) -> None:
        """All is sent: close, or say so and wait for the client to close."""
        if self.half_closed or not self.linger:
            self.close()
            return
        self.closing = False
        self.shutdown()
        self.linger_until_us = self.context.now_us + self.context.linger_most_us
        self.linger_on()
        self.resume()

    def abort(self) -> None:
        """Cut the connection so that the client cannot take what it has for a whole answer."""
        if self.open:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.close()

    def fail(self) -> None:
        """A fault in our own program: nothing may stay counted for this connection."""
        if self.exchange is not None:
            self.exchange.release(False)
        Stream.fail(self)

    def drain(self) -> None:
        """The worker is about to end: an idle connection ends now, a busy one after its answer."""
        if self.state == HEAD and not self.buffer:
            self.on_readable()  # a request may have come since the last event
        if self.state == HEAD and not self.buffer:
            if self.carried:
                self.close()
            else:  # its first request may be on the way
                self.arm(self.context.now_us + self.context.linger_us)


def check_request(method: bytes, minor: int, block: RequestBlock) -> None:
    """What a good head may still not ask for. Raises Refusal 400 or 405."""
    if minor and block.hosts != 1:
        raise Refusal(400, "there is no Host field")
    if block.chunked and not minor:
        raise Refusal(400, "Transfer-Encoding is not for HTTP/1.0")
    if method in (b"CONNECT", b"TRACE"):
        raise Refusal(405, "the method is not allowed here")
