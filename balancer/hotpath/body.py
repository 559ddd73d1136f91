"""Where a message body ends (RFC 9112 sections 6 and 7), checked octet by octet while it passes through.

Invariants: no I/O; nothing is held but an unfinished chunk line or trailer section; what comes out is what the next parser reads
as the same body: chunk extensions and forbidden trailers are left out, everything else is passed on as it came.
"""

import re

from balancer.hotpath.fields import parse_trailers
from balancer.hotpath.head import Refusal

# How the end of a body is known.
NONE = 0
LENGTH = 1
CHUNKED = 2
CLOSE = 3
_NONE, _LENGTH, _CHUNKED, _CLOSE = NONE, LENGTH, CHUNKED, CLOSE  # the same, as C integers where that is compiled

# Where a chunked body stands: SIZE -> DATA -> DATA_END -> SIZE ... SIZE -> TRAILERS -> END.
_SIZE = 0
_DATA = 1
_DATA_END = 2
_TRAILERS = 3
_END = 4

LARGE = 256 * 1024  # octets still to come, below which the detour through a pipe costs more than it saves
CHUNK_LINE = 256  # octets of a chunk's size and extensions
TRAILERS_MOST = 8192
_SIZE_DIGITS = 15  # hexadecimal; below 2**60
_HEX = b"0123456789abcdefABCDEF"
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
# RFC 9112 section 7.1.1, but no white space before the semicolon: after a size it has been read in too many ways.
_EXTENSIONS = re.compile(rb"(?:;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?)+" % (_TOKEN, _TOKEN, _QUOTED))


class Body:
    """The body of one message at a time. `done`: its end was seen. `rest`: octets that came after it."""

    def __init__(self) -> None:
        self.kind = _NONE
        self.done = True
        self.rest = b""
        self.unchunk = False
        self.remaining = 0
        self.passed = 0
        self.state = _END
        self.partial = b""

    def begin(self, kind: int, length: int, unchunk: bool) -> None:
        """Expect a body. unchunk: hand on a chunked body's content without its framing (for an HTTP/1.0 client)."""
        self.kind = kind
        self.remaining = length if kind == _LENGTH else 0
        self.done = kind == _NONE or (kind == _LENGTH and length == 0)
        self.rest = b""
        self.unchunk = unchunk
        self.passed = 0
        self.state = _SIZE
        self.partial = b""

    def feed(self, data: bytes) -> bytes:
        """Take what has arrived; returns what goes on. Raises Refusal 400 if a chunked body is not valid."""
        if self.done:
            self.rest += data
            return b""
        if self.kind == _LENGTH:
            return self._feed_length(data)
        if self.kind == _CHUNKED:
            return self._feed_chunked(data)
        self.passed += len(data)
        return data

    def passes(self, size: int) -> bool:
        """Whether the next octets, so many, go on as they come; if so they are taken, else `feed` takes them."""
        if self.kind == _CLOSE:
            self.passed += size
            return True
        if self.kind != _LENGTH or size > self.remaining:
            return False
        self.remaining -= size
        self.passed += size
        self.done = self.remaining == 0
        return True

    def large(self) -> bool:
        """Whether so much is still to come, all of it as it is, that it is better spliced."""
        return self.kind == _LENGTH and self.remaining >= LARGE

    def end(self) -> bool:
        """The connection ended; True if the body is whole."""
        if self.kind == _CLOSE:
            self.done = True
        return self.done

    def _feed_length(self, data: bytes) -> bytes:
        size = len(data)
        if size > self.remaining:
            self.rest = data[self.remaining :]
            data = data[: self.remaining]
            size = self.remaining
        self.remaining -= size
        self.passed += size
        self.done = self.remaining == 0
        return data

    def _feed_chunked(self, data: bytes) -> bytes:
        if self.partial:
            data = self.partial + data
            self.partial = b""
        out: list[bytes] = []
        run = 0  # where the octets begin that go on as they came
        position = 0
        while position < len(data) and self.state != _END:
            if self.state == _DATA:
                position = self._skip_data(position, len(data))
                continue
            after = self._element_end(data, position)
            if after < 0:
                self.partial = data[position:]
                break
            replacement = self._element(data[position:after])
            if replacement is not None:
                out.append(data[run:position])
                out.append(replacement)
                run = after
            position = after
        if self.state == _END:
            self.done = True
            self.rest = data[position:]
        if not out and position == len(data):
            return data
        out.append(data[run:position])
        return b"".join(out)

    def _skip_data(self, position: int, end: int) -> int:
        """Move over the chunk's data; returns where it ends, or where the data that has arrived does."""
        step = end - position
        if step >= self.remaining:
            step = self.remaining
            self.state = _DATA_END
        self.remaining -= step
        self.passed += step
        return position + step

    def _element_end(self, data: bytes, position: int) -> int:
        """Where the size line, line end or trailer section that begins at `position` ends, or -1: not all of it has arrived."""
        if data[position : position + 2] == b"\r\n" and self.state != _SIZE:
            return position + 2
        left = len(data) - position
        if self.state == _DATA_END:
            if left >= 2 or data[position : position + 1] != b"\r":
                raise Refusal(400, "a chunk is longer than it says")
            return -1
        mark, most = (b"\r\n", CHUNK_LINE) if self.state == _SIZE else (b"\r\n\r\n", TRAILERS_MOST)
        at = data.find(mark, position, position + most)
        if at >= 0:
            return at + len(mark)
        if left >= most:
            raise Refusal(400, f"a chunk's size line or the trailer section is larger than {most} octets")
        if data.count(b"\n", position) != data.count(b"\r\n", position):
            raise Refusal(400, "a line of a chunked body ends in LF without CR")
        return -1

    def _element(self, element: bytes) -> bytes | None:
        """Check one element and move on; returns what stands in its place in the output, or None: itself."""
        if self.state == _DATA_END:
            self.state = _SIZE
            return b"" if self.unchunk else None
        if self.state == _TRAILERS:
            self.state = _END
            trailers = b"" if element == b"\r\n" else parse_trailers(element[:-2])
            return b"" if self.unchunk else trailers + b"\r\n"
        digits, mark, _ = element[:-2].partition(b";")
        if not digits or len(digits) > _SIZE_DIGITS or digits.strip(_HEX):
            raise Refusal(400, "a chunk's size is not a plain hexadecimal number")
        if mark and _EXTENSIONS.fullmatch(element, len(digits), len(element) - 2) is None:
            raise Refusal(400, "a chunk extension is not valid")
        self.remaining = int(digits, 16)
        self.state = _DATA if self.remaining else _TRAILERS
        if self.unchunk:
            return b""
        return digits + b"\r\n" if mark else None  # RFC 9112 section 7.1.1: extensions may be dropped
