"""Reads the answers that come on one connection, as strictly as the proxy does (RFC 9112 section 6), and forgets their content.

Invariants: no I/O; at most HEAD octets are held; a head seen before is not parsed again, since most differ only in their Date.
"""

from dataclasses import dataclass

from balancer.hotpath.body import CHUNKED, CLOSE, LENGTH, NONE, Body
from balancer.hotpath.fields import parse_response_head
from balancer.hotpath.head import Refusal

HEAD = 64 * 1024
_REMEMBERED = 1000  # heads


@dataclass(frozen=True, slots=True)
class Framing:
    """What a head says of its answer. keeps: the connection is good for another request."""

    status: int
    kind: int
    length: int
    keeps: bool


class Framings:
    """Heads that were read before, and what they say. One for all connections of a load."""

    def __init__(self, bodiless: bool) -> None:
        """bodiless: the answers are to HEAD."""
        self.known: dict[bytes, Framing] = {}
        self._bodiless = bodiless

    def learn(self, head: bytes) -> Framing:
        """Read a head (every line with its CRLF, without the empty line). Raises Refusal."""
        block = parse_response_head(head)
        if block.status == 101:
            raise Refusal(502, "the answer switches protocols, which nobody asked for")
        empty = self._bodiless or block.status in (204, 304) or block.status < 200
        kind = NONE if empty else CHUNKED if block.chunked else LENGTH if block.length >= 0 else CLOSE
        stays = not block.close if block.minor else block.keep_alive
        framing = Framing(block.status, kind, max(0, block.length), stays and kind != CLOSE)
        if len(self.known) >= _REMEMBERED:
            self.known.clear()
        self.known[head] = framing
        return framing


class Answer:
    """One answer at a time. `framing` is that of the last one read whole."""

    def __init__(self, framings: Framings) -> None:
        self.framing = Framing(0, NONE, 0, False)
        self.begun = False
        self._framings = framings
        self._known = framings.known
        self._head = b""
        self._body = Body()

    def begin(self) -> None:
        """A request was sent: what comes now is its answer."""
        self.begun = False
        self._head = b""
        self._body.begin(NONE, 0, False)

    def feed(self, data: bytes) -> bool:
        """Take what has arrived; True: the answer is whole. Raises Refusal if it is not a good one."""
        self.begun = True
        if not self._body.done:
            self._body.feed(data)
            return self._whole()
        if self._head:
            data = self._head + data
            self._head = b""
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                return self._hold(data)
            head = data[: end + 2]
            framing = self.framing = self._known.get(head) or self._framings.learn(head)
            if framing.kind == LENGTH and len(data) - end - 4 == framing.length:
                return True
            data = data[end + 4 :]
            if framing.status >= 200:
                return self._begin_body(framing, data)
            # an interim answer, RFC 9110 section 15.2: another head follows

    def ended(self) -> bool:
        """The connection has ended; True: and with it the answer, which is whole."""
        return not self._body.done and self._body.end()

    def _hold(self, data: bytes) -> bool:
        """Part of a head."""
        if len(data) > HEAD:
            raise Refusal(502, f"the head of the answer is larger than {HEAD} octets")
        self._head = data
        return False

    def _begin_body(self, framing: Framing, data: bytes) -> bool:
        self._body.begin(framing.kind, framing.length, True)
        self._body.feed(data)
        return self._whole()

    def _whole(self) -> bool:
        if self._body.rest:
            raise Refusal(502, "octets came after the end of the answer")
        return self._body.done
