"""A client's connection: reads request heads one after the other, hands each to an exchange, and sends what comes back.

Invariants: one request is under way at a time, so pipelined ones are answered in order; after a request that could not be read to its
end the connection is closed, after reading on for a little while (a reset would destroy the answer on its way).

States: HEAD -> EXCHANGE -> (FLUSH ->) HEAD ... | LINGER -> closed. How a request is carried is decided in `exchange.py`.
"""

from typing import TYPE_CHECKING

from balancer.hotpath import octets, system
from balancer.hotpath.answers import answer
from balancer.hotpath.board import BAD_REQUESTS, CONNECTIONS
from balancer.hotpath.exchange import Exchange
from balancer.hotpath.fields import RequestBlock, parse_altered_block, parse_request_block, with_authority
from balancer.hotpath.forwarding import added_fields
from balancer.hotpath.head import Refusal, check_unfinished, find_head_end, parse_request_line, plain_method, split_target
from balancer.hotpath.meter import client_key
from balancer.hotpath.stream import RECEIVE, Stream
from balancer.hotpath.values import is_address, split_list
from balancer.hotpath.watched import READ

if TYPE_CHECKING:
    from balancer.hotpath.context import Context
    from balancer.hotpath.memo import Memo

HEAD = 0  # between requests, or a head has begun to arrive
EXCHANGE = 1  # a request is under way
LINGER = 2  # all is said; what the client still sends is dropped
FLUSH = 3  # the answer is complete but not all of it is taken; the next request does not begin before it is

SPARE_MOST = 256  # exchanges kept for the next requests
REPEATED_MOST = 512  # octets of a head that is kept to see whether the next one is the same
BURST = 16  # pipelined requests that the proxy answers itself, before the others on this worker get their turn


class Downstream(Stream):
    """One client connection. peer: the client's address as text."""

    def __init__(self, context: "Context", fd: int, peer: bytes) -> None:
        self.set_up(context, fd)
        self.peer = peer
        self.trusted = context.trusts is not None and context.trusts(peer.decode())
        self.metered = False  # it counts among the connections of its client
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
        self.exchange: Exchange | None = None  # while a request is under way
        self.block: RequestBlock | None = None  # of the last request
        self.again = b""  # the last head as it came, if it may come again, and
        self.again_under: Memo | None = None  # what stood for the limits then,
        self.again_head = self.again_method = self.again_target = b""  # and what was made of it
        self.added_for = b""  # the authority and
        self.added_minor = -1  # the version that stand in `added`
        self.added = b""  # the fields set here
        context.connections.add(self)
        context.row.count(CONNECTIONS, 1)

    def start(self) -> None:
        """Take the first request, which may have come with the connection, or wait for it."""
        self.arm(self.context.now_us + self.context.head_us)
        self.resume()
        self.context.poller.hand_out(self, READ)

    # What happens to the socket.

    def received(self, data: bytes) -> None:
        """Octets from the client."""
        if self.state == HEAD:
            self.buffer = self.buffer + data if self.buffer else data
            self.advance()
        elif self.state == EXCHANGE:
            self.during_exchange(data)
        elif self.state == FLUSH:
            self.store(data)
        elif not self.closing:  # before all is sent, what comes is dropped and moves no deadline
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
        elif not self.backlog:
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
            if self.metered and self.context.meters is not None:
                self.context.meters.leave(client_key(self.peer))
            self.part()
        Stream.close(self)

    # From request to request.

    def advance(self) -> None:
        """Begin requests as long as whole heads are there, up to a point; a loop, because answers given at once come back here."""
        if self.advancing:
            return
        self.advancing = True
        begun = 0
        while self.state == HEAD and self.buffer and self.open:
            begun += 1
            if begun > BURST:
                self.pause()
                self.context.poller.call_soon(self.go_on, None)
                break
            if not self.begin_request():
                if self.half_closed:  # the rest of this head will never come
                    self.close()
                break
        self.advancing = False

    def go_on(self, _: None) -> None:
        """The others had their turn."""
        self.context.read_clock()
        try:
            if self.state == HEAD and not self.half_closed:
                self.resume()
            self.advance()
        except Exception:
            self.fail()

    def begin_request(self) -> bool:
        """Read one head and begin its exchange. False: the head is not whole yet."""
        buffer = self.buffer
        if (
            octets.same(buffer, 0, 2, b"\r\n") and not self.skipped
        ):  # one empty line before a request is ignored: RFC 9112 section 2.2
            buffer = self.buffer = buffer[2:]
            self.skipped = True
            self.searched = 0
        try:
            if self.again and octets.same(buffer, 0, len(buffer), self.again) and self.again_under is self.context.request_memo:
                self.begin_again()
                return True
            line_end = octets.find(buffer, 0x0D, 0, len(buffer))
            end = self.find_end(buffer, line_end)
            if end < 0:
                if not self.searched:
                    self.arm(self.context.now_us + self.context.head_us)
                self.searched = len(buffer)
                check_unfinished(buffer, self.context.request_line_most, self.context.head_most)
                return False
            self.searched = 0
            self.skipped = False
            self.carried = True
            self.read_head(buffer, line_end, end)
        except Refusal as refusal:
            self.refuse(refusal)
        return True

    def begin_again(self) -> None:
        """The last head has come once more, and nothing after it: there is nothing to read that was not read then."""
        block = self.block
        assert block is not None
        self.searched = 0
        self.skipped = False
        self.buffer = b""
        self.carry(self.again_head, self.again_method, self.again_target, 1, block)

    def find_end(self, buffer: bytes, line_end: int) -> int:
        """Where the empty line after the head begins, or -1. Where the fields are those of the last request, it stands after them."""
        block = self.block
        if block is not None and not self.searched:
            fields = line_end + 2
            end = fields + len(block.lines)
            if octets.same(buffer, fields, end, block.lines) and octets.same(buffer, end, end + 2, b"\r\n"):
                return end - 2
        return find_head_end(buffer, self.searched)

    def read_head(self, buffer: bytes, line_end: int, end: int) -> None:
        """Read a whole head, which ends at `end`, and carry the request. Raises Refusal if that cannot be done."""
        context = self.context
        if line_end > context.request_line_most:
            raise Refusal(414, f"the request line is longer than {context.request_line_most} octets")
        if end + 4 > context.head_most:
            raise Refusal(431, f"the head is larger than {context.head_most} octets")
        if buffer[line_end + 1] != 0x0A:
            raise Refusal(400, "there is a bare CR in the request line")
        method = plain_method(buffer, line_end)
        if method:
            target, minor = octets.cut(buffer, len(method) + 1, line_end - 9), 1
        else:
            method, target, minor = parse_request_line(buffer, line_end)
        fields = line_end + 2
        block = self.block
        if block is None or not octets.same(buffer, fields, end + 2, block.lines):
            block = self.find_block(octets.cut(buffer, fields, end + 2))
        check_request(method, minor, block)
        self.keep = not block.close if minor else block.keep_alive
        if minor and target[0] == 0x2F:
            head = octets.join(buffer, fields, block.kept, self.added_to(block, minor))
            if end + 4 == len(buffer) and end <= REPEATED_MOST:
                self.remember(buffer, head, method, target)
            else:
                self.again = b""
        else:
            self.again = b""
            method, target, block = self.read_unusual(method, target, minor, block)
            head = b"%b %b HTTP/1.1\r\n%b%b" % (method, target, block.kept, self.added_to(block, minor))
        self.buffer = octets.cut(buffer, end + 4, len(buffer))
        self.carry(head, method, target, minor, block)

    def remember(self, buffer: bytes, head: bytes, method: bytes, target: bytes) -> None:
        """Keep a small head that was all that had come, and what was made of it."""
        self.again, self.again_head, self.again_method, self.again_target = buffer, head, method, target
        self.again_under = self.context.request_memo

    def carry(self, head: bytes, method: bytes, target: bytes, minor: int, block: RequestBlock) -> None:
        """Begin the exchange of a request whose head was read."""
        context = self.context
        self.state = EXCHANGE
        self.exchange = context.spare.pop() if context.spare else Exchange(context)
        self.exchange.begin(self, head, method, target, minor, block)

    def find_block(self, lines: bytes) -> RequestBlock:
        """What a header block says that is another than the last one on this connection. Raises Refusal."""
        memo, most_fields = self.context.request_memo, self.context.fields_most
        found: RequestBlock | None = memo.get(lines)  # type: ignore[assignment] # this memo holds nothing else
        if found is None and self.block is not None:
            found = parse_altered_block(self.block, lines, most_fields)
        if found is None:
            found = parse_request_block(lines, most_fields)
            memo.put(lines, found)
        self.block = found
        return found

    def read_unusual(self, method: bytes, target: bytes, minor: int, block: RequestBlock) -> tuple[bytes, bytes, RequestBlock]:
        """The same for a target that may not be a path, or for HTTP/1.0. Raises Refusal."""
        if target[0] == 0x2F:
            return method, target, block
        authority, target = split_target(target)
        target = target or (b"*" if method == b"OPTIONS" else b"/")  # RFC 9112 section 3.2.4
        if authority:
            block = with_authority(block, authority)
        return method, target, block

    def added_to(self, block: RequestBlock, minor: int) -> bytes:
        """The fields set here; the same again where the client repeats itself."""
        if self.trusted or not block.plain:
            return added_fields(block, self.peer, minor, self.trusted)
        if minor != self.added_minor or block.authority != self.added_for:
            self.added_for = block.authority
            self.added_minor = minor
            self.added = added_fields(block, self.peer, minor, False)
        return self.added

    def client(self, block: RequestBlock) -> bytes:
        """The address of who asks: the nearest that is not a configured proxy (RFC 7239 section 5.2 says how they line up)."""
        trusts = self.context.trusts
        if not self.trusted or trusts is None:
            return self.peer
        for address in reversed(split_list(block.forwarded_for)):
            if not is_address(address):
                break
            if not trusts(address.decode()):
                return address
        return self.peer

    def refuse(self, refusal: Refusal) -> None:
        """Answer a request that could not be read, and close."""
        context = self.context
        context.row.count(BAD_REQUESTS)
        if context.log_refused is not None:
            context.log_refused(self, refusal.status, context.now_us)
        self.keep = False
        wants_json = self.block is not None and self.block.wants_json
        if self.send(answer(refusal.status, refusal.reason, wants_json, True, b"Connection: close\r\n", 0, context.date_line)):
            self.end(True)
        else:
            self.close()

    def exchange_over(self, whole: bool, keep: bool) -> None:
        """The exchange has ended, its answer is sent or in the backlog.

        whole: the request was read to its end. keep: on our side nothing speaks against another one on this connection.
        """
        self.part()
        if not (whole and keep and self.keep):
            self.end(self.keep or not whole or self.buffer != b"")  # a client that asked for the end sends nothing more
        elif self.backlog:
            self.state = FLUSH
            self.arm(self.context.now_us + self.context.body_idle_us)
        else:
            self.next_request()

    def part(self) -> None:
        """Done with the exchange: another request may use it, on this connection or on another one."""
        exchange, self.exchange = self.exchange, None
        if exchange is not None and len(self.context.spare) < SPARE_MOST:
            exchange.head = exchange.upload.held = exchange.relay.buffer = b""
            self.context.spare.append(exchange)

    def next_request(self) -> None:
        """Everything before it is sent: wait for the next request, or begin it."""
        if self.context.draining or (self.half_closed and not self.buffer):
            self.end(self.buffer != b"")
            return
        self.state = HEAD
        self.arm(self.context.now_us + self.context.idle_us)
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
            system.reset_on_close(self.fd)
        self.close()

    def fail(self) -> None:
        """A fault in our own program: nothing may stay counted for this connection."""
        if self.exchange is not None:
            self.exchange.release(False)
        Stream.fail(self)

    def drain(self) -> None:
        """The worker is about to end: an idle connection ends now, a busy one after its answer."""
        if self.state == HEAD and not self.buffer:
            self.context.poller.hand_out(self, READ)  # a request may have come since the last event
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
