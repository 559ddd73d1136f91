"""Reads streams of octets as the proxy does, without sockets: the head, then the body, then the next message.

`RequestReader` puts the pure parts together as `Downstream` does, `AnswerReader` as `Relay` does. Invariant: they decide nothing
themselves that could be asked of the hot path.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from balancer.hotpath import body
from balancer.hotpath.body import Body
from balancer.hotpath.downstream import check_request
from balancer.hotpath.fields import RequestBlock, ResponseBlock, parse_request_block, parse_response_block, with_authority
from balancer.hotpath.head import (
    Refusal,
    check_unfinished,
    find_head_end,
    parse_request_line,
    parse_status_line,
    split_target,
)

LINE_MOST = 8 * 1024
HEAD_MOST = 32 * 1024
FIELDS_MOST = 100


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose head was read."""

    method: bytes
    target: bytes
    minor: int
    block: RequestBlock


def read_request_head(head: bytes) -> Request:
    """A whole head with its empty line, as `Downstream.read_head` reads it. Raises Refusal."""
    end = find_head_end(head, 0)
    line_end = head.find(b"\r\n", 0, end + 2)
    if line_end > LINE_MOST:
        raise Refusal(414, "long line")
    if end + 4 > HEAD_MOST:
        raise Refusal(431, "large head")
    method, target, minor = parse_request_line(head, line_end)
    lines = head[line_end + 2 : end + 2]
    block = parse_request_block(lines, FIELDS_MOST)
    check_request(method, minor, block)
    if target[:1] != b"/" and method != b"CONNECT":
        authority, target = split_target(target)
        target = target or (b"*" if method == b"OPTIONS" else b"/")
        if authority:
            block = with_authority(block, authority)
    return Request(method, target, minor, block)


def request_body(request: Request) -> Body:
    """The body that the request announces."""
    block, expected = request.block, Body()
    kind = body.CHUNKED if block.chunked else body.LENGTH if block.length > 0 else body.NONE
    expected.begin(kind, block.length, False)
    return expected


def answer_body(status: int, block: ResponseBlock) -> Body:
    """The body that the answer (to anything but HEAD) announces, RFC 9112 section 6.3."""
    expected = Body()
    if status < 200 or status in {204, 304}:
        kind = body.NONE
    elif block.chunked:
        kind = body.CHUNKED
    else:
        kind = body.LENGTH if block.length >= 0 else body.CLOSE
    expected.begin(kind, block.length, False)
    return expected


@dataclass
class Reader:
    """messages: how many were whole. status: of the refusal, or 0. dropped: something followed the last message that may come.

    switched: the octets after the last message are another protocol's. passed_on: the bodies as they go on.
    """

    messages: int = 0
    status: int = 0
    dropped: bool = False
    switched: bool = False
    passed_on: bytes = b""
    heads: list[Request] = field(default_factory=list)
    _buffer: bytes = b""
    _last: bool = False  # the message under way is the last one on its connection
    _body: Body | None = None

    @property
    def refused(self) -> bool:
        return self.status > 0 or self.dropped

    @property
    def between_messages(self) -> bool:
        return not self._buffer and self._body is None

    def feed(self, data: bytes) -> None:
        """Take more of the stream; what comes after a refusal or a switch of protocols is nobody's."""
        try:
            self._take(data)
        except Refusal as refusal:
            self.status = refusal.status

    def _take(self, data: bytes) -> None:
        self._buffer += data
        while self._buffer and not self.status and not self.switched:
            if self._body is None and self._last:
                self.dropped = True
                return
            if self._body is None:
                if not self.begin():
                    return
            else:
                octets, self._buffer = self._buffer, b""
                self.passed_on += self._body.feed(octets)
            self._settle()

    def _settle(self) -> None:
        if self._body is not None and self._body.done:
            self._buffer = self._body.rest + self._buffer
            self._body = None
            self.messages += 1

    def begin(self) -> bool:
        """Read one head; False: it is not whole yet."""
        raise NotImplementedError


@dataclass
class RequestReader(Reader):
    """The client's side."""

    _passed_empty_line: bool = False

    def begin(self) -> bool:
        if self._buffer[:2] == b"\r\n" and not self._passed_empty_line:  # RFC 9112 section 2.2
            self._buffer = self._buffer[2:]
            self._passed_empty_line = True
        end = find_head_end(self._buffer, 0)
        if end < 0:
            check_unfinished(self._buffer, LINE_MOST, HEAD_MOST)
            return False
        self._passed_empty_line = False
        request = read_request_head(self._buffer[: end + 4])
        self.heads.append(request)
        self._buffer = self._buffer[end + 4 :]
        self._body = request_body(request)
        self._last = request.block.close if request.minor else not request.block.keep_alive
        self.switched = bool(request.block.upgrade)
        return True


@dataclass
class AnswerReader(Reader):
    """A replica's side: one answer after the other, as on a connection that is used again. bodiless: all of them are to HEAD."""

    bodiless: bool = False

    def begin(self) -> bool:
        end = find_head_end(self._buffer, 0)
        if end < 0:
            return False
        line_end = self._buffer.find(b"\r\n", 0, end + 2)
        status, minor = parse_status_line(self._buffer[:line_end])
        block = parse_response_block(self._buffer[line_end + 2 : end + 2])
        self._buffer = self._buffer[end + 4 :]
        self._body = Body() if self.bodiless else answer_body(status, block)
        self._last = block.close if minor else not block.keep_alive
        self.switched = status == 101
        return True


def whole(data: bytes) -> Iterator[bytes]:
    """All at once."""
    yield data


def octet_by_octet(data: bytes) -> Iterator[bytes]:
    """As a slow client sends it."""
    for at in range(len(data)):
        yield data[at : at + 1]


def read(reader: Reader, pieces: Iterable[bytes]) -> Reader:
    """Feed all the pieces."""
    for piece in pieces:
        reader.feed(piece)
    return reader
