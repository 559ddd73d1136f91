"""An answer on its way to the client: any number of interim heads, the final one, and the body.

Invariants: the client is told at the head how the body ends, and can tell if it breaks off; the replica is read no faster than the
client takes it; nothing hop-by-hop goes through. Whether an attempt is made again is decided in `exchange.py`.
"""

from typing import TYPE_CHECKING

from balancer.hotpath import octets
from balancer.hotpath.body import CHUNKED, CLOSE, LENGTH, NONE, Body
from balancer.hotpath.fields import ResponseBlock, parse_response_head
from balancer.hotpath.head import Refusal, find_head_end

if TYPE_CHECKING:
    from balancer.hotpath.context import Context
    from balancer.hotpath.exchange import Exchange

VIA = b"Via: 1.1 ecluse\r\n\r\n"  # and the end of the head
VIA_1_0 = b"Via: 1.0 ecluse\r\n\r\n"
INTERIM_MOST = 16  # 1xx answers to one request


class Relay:
    """status: of the final head, 0 before it came."""

    def __init__(self, exchange: "Exchange", context: "Context") -> None:
        self.exchange = exchange
        self.context = context
        self.body = Body()
        self.buffer = b""  # of a head that is not whole yet
        self.interim = 0
        self.status = 0
        self.rechunk = False  # the replica ends the body by closing; the client gets chunks
        self.idle_us = 0  # how long the replica keeps an idle connection; 0: it has not said
        self.unframed = False  # this client can know the end of the body only by the end of the connection
        self.reusable = False  # the replica's connection, after this answer

    def begin(self) -> None:
        """Expect an answer."""
        self.buffer = b""
        self.interim = self.status = 0
        self.rechunk = self.unframed = self.reusable = False

    def begun(self) -> bool:
        """Whether any octet of an answer has come."""
        return self.buffer != b"" or self.interim > 0

    def read_heads(self, data: bytes) -> None:
        """Read interim heads and the final one, as far as they have come. Raises Refusal 502 if this is no answer."""
        self.buffer = data = self.buffer + data if self.buffer else data
        most = self.context.response_head_most
        replica = self.exchange.replica
        while data:
            block = replica.head_again(data) if replica is not None else None
            end = find_head_end(data, 0) if block is None else block.size - 2
            if end < 0 or end > most:
                if len(data) > most:
                    raise Refusal(502, "the head of the replica's answer is too large")
                if data.count(b"\n") != data.count(b"\r\n"):
                    raise Refusal(502, "a line of the replica's answer ends in LF without CR")
                return
            if block is None:
                block = self.read_head(octets.cut(data, 0, end + 2))
            self.buffer = b""
            if block.status >= 200:
                self.deliver(block, data, end + 4)
                return  # this exchange may be over, and the next one begun
            data = data[end + 4 :]
            if block.status == 101:
                self.status = 101
                self.exchange.open_tunnel(block, data)
                return
            if not self.pass_interim(block):
                return
            self.buffer = data

    def read_head(self, head: bytes) -> ResponseBlock:
        """What a head says that is another than the replica's last one. Raises Refusal 502."""
        replica = self.exchange.replica
        memo = self.context.response_memo
        block: ResponseBlock | None = memo.get(head)  # type: ignore[assignment] # this memo holds nothing else
        if block is None:
            block = parse_response_head(head)
            memo.put(head, block)
        if replica is not None:
            replica.last_head, replica.last_block = head, block
        return block

    def pass_interim(self, block: ResponseBlock) -> bool:
        """Hand on a 1xx answer (RFC 9110 section 15.2), but not to HTTP/1.0. False: the client is gone. Raises Refusal 502."""
        self.interim += 1
        if self.interim > INTERIM_MOST:
            raise Refusal(502, "the replica gave too many interim answers")
        exchange = self.exchange
        head = b"HTTP/1.1 %b\r\n%bVia: 1.%d ecluse\r\n\r\n" % (block.line[9:], block.kept_without_length(), block.minor)
        if exchange.minor and not exchange.downstream.send(head):
            exchange.client_gone()
            return False
        return True

    def deliver(self, block: ResponseBlock, data: bytes, start: int) -> None:
        """The final head: settle how the body ends (RFC 9112 section 6.3), and send it with what has come of the body: data[start:]."""
        exchange = self.exchange
        status, minor = block.status, block.minor
        self.status = status
        if exchange.method == b"HEAD" or status == 204 or status == 304:
            kind = NONE
        elif block.chunked:
            kind = CHUNKED
        else:
            kind = LENGTH if block.length >= 0 else CLOSE
        modern = exchange.minor == 1
        self.body.begin(kind, block.length, not modern)
        # Chunks from HTTP/1.0 are a fault in the framing: RFC 9112 section 6.1 lets them be read, but nothing after them.
        self.reusable = (not block.close if minor else block.keep_alive and not block.chunked) and kind != CLOSE
        self.idle_us = block.idle_us
        self.rechunk = modern and kind == CLOSE
        self.unframed = not modern and kind >= CHUNKED  # or CLOSE
        exchange.answer_begun()
        self.pass_on(self.final_head(block), data, start)

    def final_head(self, block: ResponseBlock) -> bytes:
        """The head for the client."""
        exchange = self.exchange
        if block.usual and exchange.minor and not exchange.close_after and not exchange.extra:
            return block.usual if block.dated else octets.join(block.usual, len(block.usual), self.context.date_line, b"\r\n")
        line, status = block.line, block.status
        via = VIA if block.minor else VIA_1_0
        if not block.minor or len(line) == 12:
            line = b"HTTP/1.1 " + line[9:] + (b" " if len(line) == 12 else b"")
        kept = block.kept
        added = exchange.extra
        if status == 204:  # RFC 9110 section 8.6, RFC 9112 section 6.1: neither field goes with it
            kept = block.kept_without_length()
        elif exchange.minor and (block.chunked or self.rechunk):
            added += b"Transfer-Encoding: chunked\r\n"
        if not block.dated:  # RFC 9110 section 6.6.1
            added += self.context.date_line
        if exchange.close_after:
            added += b"Connection: close\r\n"
        elif not exchange.minor:
            added += b"Connection: keep-alive\r\n"
        return line + b"\r\n" + kept + added + via

    def pass_on(self, before: bytes, data: bytes, start: int) -> None:
        """Hand on `before` and then more of the body, data[start:], in one piece."""
        exchange, body = self.exchange, self.body
        if not self.rechunk and body.passes(len(data) - start):
            out = octets.append(before, data, start) if before else data
        else:
            try:
                out = before + self.framed(octets.cut(data, start, len(data)))
            except Refusal:
                if before:
                    exchange.downstream.send(before)
                exchange.broken()
                return
        if out and not exchange.downstream.send(out):
            exchange.client_gone()
        elif body.done:
            exchange.finish()
        else:
            exchange.answer_goes_on()

    def framed(self, data: bytes) -> bytes:
        """What goes on of these octets of the body, framed as the client expects it. Raises Refusal."""
        out = self.body.feed(data) if data else b""
        return b"%x\r\n%b\r\n" % (len(out), out) if self.rechunk and out else out

    def replica_ended(self) -> None:
        """The replica has closed its side: that may be the end of the body, or break it off."""
        exchange = self.exchange
        if not self.body.end():
            exchange.broken()
        elif self.rechunk and not exchange.downstream.send(b"0\r\n\r\n"):
            exchange.client_gone()
        else:
            exchange.finish()
