"""Header blocks: validated once, remembered, and freed of what is for this hop only.

The octets between the first line and the empty line (the *block*) repeat from message to message on real connections, so what
a block says is kept in a bounded memo under the block itself. A repeated block costs one look-up, and strictness costs nothing.

Invariants: what is in the memo was validated whole; `kept` never holds a hop-by-hop field (RFC 9110 section 7.6.1), nor one that
this proxy sets itself; a block that two parsers could read differently is refused. No I/O; first lines are read in `head.py`.
"""

import re
from collections.abc import Iterable

from balancer.hotpath import octets
from balancer.hotpath.head import Refusal, parse_status_line
from balancer.hotpath.values import (
    END_TO_END,
    FORWARDED,
    HOP_BY_HOP,
    LOOKALIKES,
    is_hearsay,
    is_lookalike,
    join_list,
    parse_authority,
    parse_length,
    parse_options,
    parse_transfer_encoding,
    parse_upgrade,
    split_list,
)

_LINES = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*")  # RFC 9112 section 5
_IDLE_S = re.compile(rb"(?i)\btimeout=([0-9]{1,6})\b")  # of Keep-Alive, as Apache and Node send it
_SPACED_NAME = re.compile(rb"(?m)^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]+:")
FORBIDDEN_TRAILERS = HOP_BY_HOP | FORWARDED | END_TO_END  # RFC 9110 section 6.5.1


def _shapes(names: Iterable[bytes], initials: bytes = b"") -> bytes:
    """The map that `octets.noted_lines` wants: 1 for the shapes of these names and of every name with one of these initials.

    A shape is the length and the first letter, so most names are told from those to note without being looked at.
    """
    shapes = bytearray(2048)
    for name in names:
        shapes[len(name) << 5 & 0x7E0 | name[0] & 31] = 1
    for initial in initials:
        for length in range(64):
            shapes[length << 5 | initial & 31] = 1
    return bytes(shapes)


_NOTED_IN_REQUESTS = _shapes(HOP_BY_HOP | FORWARDED | LOOKALIKES | {b"max-forwards", b"http2-settings"}, b"x")
_NOTED_IN_ANSWERS = _shapes(HOP_BY_HOP | {b"content-length", b"date", b"http2-settings"})
_ALL = b"\1" * 2048
# Connection options that name no other field than those that never go on anyway.
_PLAIN_OPTIONS = HOP_BY_HOP | {b"close", b"http2-settings"}


class Block:
    """What is noted while the fields of a block are gone through. names_fields: its Connection names fields that do not go on."""

    names_fields: bool

    def take(self, name: bytes, value: bytes) -> bool:
        """Note one field; True: it goes on as it is. Raises Refusal."""
        raise NotImplementedError

    def take_hop(self, name: bytes, value: bytes) -> None:
        """Note one hop-by-hop field, which never goes on as it is. Raises Refusal."""
        raise NotImplementedError

    def take_connection(self, options: frozenset[bytes]) -> None:
        """Note the connection options."""
        raise NotImplementedError


class RequestBlock(Block):
    """What a request's header block says. Octets unless said otherwise; b"" or -1 where the block does not say it."""

    def __init__(self, lines: bytes) -> None:
        self.lines = lines  # all of it
        self.names_fields = False
        self.dropped: list[tuple[int, int]] = []  # where the lines stand that do not go on
        self.authority = b""  # of Host, as it came
        self.host = b""  # the same in lower case, without port: what routes match
        self.hosts = 0  # how many Host fields
        self.length = -1  # of the body
        self.chunked = False
        self.close = False
        self.keep_alive = False
        self.upgrade = b""
        self.trailers = False  # TE: trailers
        self.max_forwards = -1
        self.forwarded_for = b""
        self.forwarded_proto = b""
        self.forwarded_host = b""
        self.forwarded = b""
        self.hearsay = b""  # field lines about the client that only a trusted proxy may say and this one does not say itself
        self.kept = b""  # the field lines that go on to the replica, each with its CRLF
        self.plain = False  # what is added to it for the replica depends on nothing here but `authority`

    @property
    def wants_json(self) -> bool:
        """Whether an answer of ours should be JSON."""
        return b"application/json" in value_of(self.lines, b"accept")

    def take(self, name: bytes, value: bytes) -> bool:
        """Note one field; True: it goes on as it is. Raises Refusal."""
        if name == b"host":
            self.hosts += 1
            self.authority, self.host = value, parse_authority(value)
        elif name == b"content-length":
            self.length = parse_length(value, self.length)
        elif name == b"expect":
            if value.lower() != b"100-continue":  # RFC 9110 section 10.1.1
                raise Refusal(417, "the only expectation that can be met is 100-continue")
        elif name in FORWARDED:
            self._forwarded(name, value)
            return False
        elif is_hearsay(name):
            self.hearsay += b"%b: %b\r\n" % (name, value)
            return False
        elif name == b"max-forwards":
            self.max_forwards = int(value) if value.isdigit() and len(value) < 10 else -1
            return False
        return True

    def take_hop(self, name: bytes, value: bytes) -> None:
        """Note one hop-by-hop field, which never goes on as it is. Raises Refusal."""
        if name == b"transfer-encoding":
            parse_transfer_encoding(value, self.chunked, 501)
            self.chunked = True
        elif name == b"upgrade":
            self.upgrade = b", ".join([offer for offer in (self.upgrade, parse_upgrade(value)) if offer])
        elif name == b"te":
            self.trailers = self.trailers or b"trailers" in split_list(value.lower())

    def altered(self, lines: bytes, dropped: list[tuple[int, int]]) -> "RequestBlock":
        """The same with other lines, which say nothing that is noted here."""
        other = RequestBlock(lines)
        other.authority, other.host, other.hosts = self.authority, self.host, self.hosts
        other.length, other.chunked, other.close, other.keep_alive = self.length, self.chunked, self.close, self.keep_alive
        other.upgrade, other.trailers, other.max_forwards, other.plain = (
            self.upgrade,
            self.trailers,
            self.max_forwards,
            self.plain,
        )
        other.forwarded_for, other.forwarded_proto = self.forwarded_for, self.forwarded_proto
        other.forwarded_host, other.forwarded, other.hearsay = self.forwarded_host, self.forwarded, self.hearsay
        other.dropped = dropped
        other.kept = _without(lines, dropped)
        return other

    def take_connection(self, options: frozenset[bytes]) -> None:
        """Note the connection options."""
        self.close = b"close" in options
        self.keep_alive = b"keep-alive" in options and not self.close  # RFC 9112 section 9.3
        if b"upgrade" not in options or self.chunked or self.length > 0:
            self.upgrade = b""
        if b"te" not in options:
            self.trailers = False

    def _forwarded(self, name: bytes, value: bytes) -> None:
        if name == b"x-forwarded-for":
            self.forwarded_for = join_list(self.forwarded_for, value)
        elif name == b"forwarded":
            self.forwarded = join_list(self.forwarded, value)
        elif name == b"x-forwarded-proto":
            self.forwarded_proto = value
        else:
            self.forwarded_host = value


class ResponseBlock(Block):
    """What a response's head says."""

    def __init__(self) -> None:
        self.names_fields = False
        self.size = 0  # of the head, without the empty line
        self.line = b""  # the status line
        self.status = 0
        self.minor = 1  # version
        self.length = -1
        self.chunked = False
        self.close = False
        self.keep_alive = False
        self.upgrade = b""
        self.idle_us = 0  # how long the replica keeps an idle connection; 0: it does not say
        self.dated = False
        self.kept = b""
        # The head for the client where nothing out of the ordinary is to be said (b"": something is); whole if it is dated.
        self.usual = b""

    def take(self, name: bytes, value: bytes) -> bool:
        """Note one field; True: it goes on as it is. Raises Refusal."""
        if name == b"content-length":
            self.length = parse_length(value, self.length)
        elif name == b"date":
            self.dated = True
        return True

    def take_hop(self, name: bytes, value: bytes) -> None:
        """Note one hop-by-hop field, which never goes on as it is. Raises Refusal."""
        if name == b"transfer-encoding":
            parse_transfer_encoding(value, self.chunked, 502)
            self.chunked = True
        elif name == b"upgrade":
            self.upgrade = value
        elif name == b"keep-alive":
            found = _IDLE_S.search(value)
            self.idle_us = int(found[1]) * 1_000_000 if found else 0

    def take_connection(self, options: frozenset[bytes]) -> None:
        """Note the connection options."""
        self.close = b"close" in options
        self.keep_alive = b"keep-alive" in options and not self.close  # RFC 9112 section 9.3

    def kept_without_length(self) -> bytes:
        """The same without Content-Length, for answers that have no body of their own."""
        if self.length < 0:
            return self.kept
        return _without(self.kept, _lines_named(self.kept, frozenset((b"content-length",)), []))


def parse_request_block(block: bytes, most_fields: int) -> RequestBlock:
    """Read a request's header block (every line with its CRLF, without the empty line). Raises Refusal 400, 417, 431 or 501."""
    lines = octets.noted_lines(block, 0, len(block), _NOTED_IN_REQUESTS)
    if lines is None:
        raise Refusal(400, "a header field line is not valid")
    if octets.count(block, 0x0A) > most_fields:
        raise Refusal(431, f"there are more than {most_fields} header fields")
    parsed = RequestBlock(block)
    parsed.dropped = _take_all(parsed, block, lines, True)
    parsed.kept = _without(block, parsed.dropped)
    if parsed.hosts > 1:
        raise Refusal(400, "there is more than one Host field")
    if parsed.chunked and parsed.length >= 0:
        raise Refusal(400, "both Content-Length and Transfer-Encoding are given")
    parsed.plain = parsed.hosts == 1 and not (parsed.chunked or parsed.upgrade or parsed.trailers or parsed.max_forwards >= 0)
    return parsed


def parse_altered_block(before: RequestBlock, block: bytes, most_fields: int) -> RequestBlock | None:
    """Read a block that differs from the one before it only in lines that are not noted; None: it differs in others, or is not valid.

    On one connection, most of what a client says repeats; only what does not, such as a cookie, is looked at again.
    """
    if before.names_fields:
        return None
    start, old_end, new_end = octets.changed_lines(before.lines, block)
    old = octets.noted_lines(before.lines, start, old_end, _NOTED_IN_REQUESTS)
    new = octets.noted_lines(block, start, new_end, _NOTED_IN_REQUESTS)
    if old is None or old or new is None or new or octets.count(block, 0x0A) > most_fields:
        return None
    further = new_end - old_end
    dropped = (
        [(at, end) if at < start else (at + further, end + further) for at, end in before.dropped] if further else before.dropped
    )
    return before.altered(block, dropped)


def parse_response_head(head: bytes) -> ResponseBlock:
    """Read a response's head: status line and header block, every line with its CRLF, without the empty line. Raises Refusal 502."""
    end = head.find(b"\r\n")
    line = head[:end]
    status, minor = parse_status_line(line)
    block = parse_response_block(head[end + 2 :])
    block.line, block.status, block.minor, block.size = line, status, minor, len(head)
    if minor and status not in (204, 304) and status >= 200 and len(line) > 12:
        framing = b"Transfer-Encoding: chunked\r\n" if block.chunked else b""
        if block.chunked or block.length >= 0:
            block.usual = b"%b\r\n%b%bVia: 1.1 ecluse\r\n" % (line, block.kept, framing) + (b"\r\n" if block.dated else b"")
    return block


def parse_response_block(block: bytes) -> ResponseBlock:
    """Read a response's header block (every line with its CRLF, without the empty line). Raises Refusal 502."""
    lines = octets.noted_lines(block, 0, len(block), _NOTED_IN_ANSWERS)
    if lines is None:
        block = _SPACED_NAME.sub(rb"\1:", block)  # a proxy removes this white space: RFC 9112 section 5.1
        lines = octets.noted_lines(block, 0, len(block), _NOTED_IN_ANSWERS)
        if lines is None:
            raise Refusal(502, "a header field line of the replica's answer is not valid")
    parsed = ResponseBlock()
    try:
        parsed.kept = _without(block, _take_all(parsed, block, lines, False))
    except Refusal as refusal:
        raise Refusal(502, f"in the replica's answer: {refusal.reason}") from refusal
    if parsed.chunked and parsed.length >= 0:
        raise Refusal(502, "the replica's answer has both Content-Length and Transfer-Encoding")
    return parsed


def _take_all(parsed: Block, block: bytes, lines: list[tuple[int, int, int]], is_request: bool) -> list[tuple[int, int]]:
    """Let `parsed` note the fields in these lines of the block. Returns (start, end) of the lines that do not go on."""
    dropped: list[tuple[int, int]] = []
    options: frozenset[bytes] = frozenset()
    for start, colon, end in lines:
        name = octets.lower(block, start, colon)
        value = octets.trimmed(block, colon + 1, end - 2)
        if name == b"connection":
            found = parse_options(value, is_request)
            options = options | found if options else found
            dropped.append((start, end))
        elif name in HOP_BY_HOP:
            parsed.take_hop(name, value)
            dropped.append((start, end))
        elif is_request and b"_" in name and is_lookalike(name.replace(b"_", b"-")):
            raise Refusal(400, "a field name can be mistaken for another one: '_' stands where '-' is meant")
        elif not parsed.take(name, value) or name == b"http2-settings":
            dropped.append((start, end))
    parsed.take_connection(options)
    if options and not options <= _PLAIN_OPTIONS:
        parsed.names_fields = True
        dropped = _lines_named(block, options | _PLAIN_OPTIONS, dropped)
    return dropped


def _lines_named(block: bytes, names: frozenset[bytes], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(start, end) of the lines with these names, and of those that are given, in their order."""
    lines = octets.noted_lines(block, 0, len(block), _ALL) or []
    named = {(start, end) for start, colon, end in lines if octets.lower(block, start, colon) in names}
    return sorted(named.union(others))


def _without(block: bytes, dropped: list[tuple[int, int]]) -> bytes:
    """The block without these parts."""
    if not dropped:
        return block
    if len(dropped) == 1:  # most often Connection
        start, end = dropped[0]
        return octets.without(block, start, end)
    kept = []
    at = 0
    for start, end in dropped:
        kept.append(octets.cut(block, at, start))
        at = end
    kept.append(octets.cut(block, at, len(block)))
    return b"".join(kept)


def value_of(block: bytes, name: bytes) -> bytes:
    """The value of the last field with this name (in lower case) in a valid header block; for what is seldom asked."""
    lines = [line for line in block.split(b"\r\n") if line[: len(name) + 1].lower() == name + b":"]
    return lines[-1][len(name) + 1 :].strip(b" \t") if lines else b""


def parse_trailers(block: bytes) -> bytes:
    """The trailer lines that may go on (every line with its CRLF). Raises Refusal 400."""
    if _LINES.fullmatch(block) is None:
        raise Refusal(400, "a trailer field line is not valid")
    lines = [line for line in block.split(b"\r\n") if line]
    names = [line.partition(b":")[0].lower().replace(b"_", b"-") for line in lines]
    kept = [line for name, line in zip(names, lines, strict=True) if name not in FORBIDDEN_TRAILERS and not is_hearsay(name)]
    return b"".join([line + b"\r\n" for line in kept])


def with_authority(block: RequestBlock, authority: bytes) -> RequestBlock:
    """The block as it would be with this Host: an absolute target overrides the field, RFC 9112 section 3.2.2. Raises Refusal."""
    lines = [line for line in block.lines.split(b"\r\n") if line and line[:5].lower() != b"host:"]
    lines.insert(0, b"Host: " + authority)
    return parse_request_block(b"\r\n".join(lines) + b"\r\n", len(lines))
