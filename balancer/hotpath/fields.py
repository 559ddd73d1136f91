"""Header blocks: validated once, remembered, and freed of what is for this hop only.

The octets between the first line and the empty line (the *block*) repeat from message to message on real connections, so what
a block says is kept in a bounded memo under the block itself. A repeated block costs one look-up, and strictness costs nothing.

Invariants: what is in the memo was validated whole; `kept` never holds a hop-by-hop field (RFC 9110 section 7.6.1), nor one that
this proxy sets itself; a block that two parsers could read differently is refused. No I/O; first lines are read in `head.py`.
"""

import re

from balancer.hotpath.head import Refusal, parse_status_line
from balancer.hotpath.values import (
    END_TO_END,
    FORWARDED,
    HOP_BY_HOP,
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

# A field line: token, colon, value. No white space before the colon, no folding, no control characters (RFC 9112 section 5).
_LINES = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*")
_IDLE_S = re.compile(rb"(?i)\btimeout=([0-9]{1,6})\b")  # of Keep-Alive, as Apache and Node send it
_SPACED_NAME = re.compile(rb"(?m)^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]+:")
FORBIDDEN_TRAILERS = HOP_BY_HOP | FORWARDED | END_TO_END  # RFC 9110 section 6.5.1


class RequestBlock:
    """What a request's header block says. Octets unless said otherwise; b"" or -1 where the block does not say it."""

    def __init__(self) -> None:
        self.authority = b""  # of Host, as it came
        self.host = b""  # the same in lower case, without port: what routes match
        self.hosts = 0  # how many Host fields
        self.length = -1  # of the body
        self.chunked = False
        self.close = False
        self.keep_alive = False
        self.expects = False  # 100-continue
        self.upgrade = b""
        self.trailers = False  # TE: trailers
        self.wants_json = False
        self.max_forwards = -1
        self.user_agent = b""
        self.referer = b""
        self.forwarded_for = b""
        self.forwarded_proto = b""
        self.forwarded_host = b""
        self.forwarded = b""
        self.hearsay = b""  # field lines about the client that only a trusted proxy may say and this one does not say itself
        self.kept = b""  # the field lines that go on to the replica, each with its CRLF

    def take(self, name: bytes, value: bytes) -> bool:
        """Note one field; True: it goes on as it is. Raises Refusal."""
        if name == b"host":
            self.hosts += 1
            self.authority, self.host = value, parse_authority(value)
        elif name == b"content-length":
            self.length = parse_length(value, self.length)
        elif name == b"expect":
            self._expect(value)
        elif name in FORWARDED:
            self._forwarded(name, value)
            return False
        elif is_hearsay(name):
            self.hearsay += b"%b: %b\r\n" % (name, value)
            return False
        elif name == b"max-forwards":
            self.max_forwards = int(value) if value.isdigit() and len(value) < 10 else -1
            return False
        else:
            self._describe(name, value)
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

    def take_connection(self, options: frozenset[bytes]) -> None:
        """Note the connection options."""
        self.close = b"close" in options
        self.keep_alive = b"keep-alive" in options and not self.close  # RFC 9112 section 9.3
        if b"upgrade" not in options or self.chunked or self.length > 0:
            self.upgrade = b""
        if b"te" not in options:
            self.trailers = False

    def _expect(self, value: bytes) -> None:
        if value.lower() != b"100-continue":  # RFC 9110 section 10.1.1
            raise Refusal(417, "the only expectation that can be met is 100-continue")
        self.expects = True

    def _forwarded(self, name: bytes, value: bytes) -> None:
        if name == b"x-forwarded-for":
            self.forwarded_for = join_list(self.forwarded_for, value)
        elif name == b"forwarded":
            self.forwarded = join_list(self.forwarded, value)
        elif name == b"x-forwarded-proto":
            self.forwarded_proto = value
        else:
            self.forwarded_host = value

    def _describe(self, name: bytes, value: bytes) -> None:
        if name == b"accept":
            self.wants_json = b"application/json" in value
        elif name == b"user-agent":
            self.user_agent = value
        elif name == b"referer":
            self.referer = value


class ResponseBlock:
    """What a response's head says."""

    def __init__(self) -> None:
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
        self.kept_without_length = b""
        self.usual = b""  # the whole head for the client where nothing out of the ordinary is to be said; b"": something is

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


def parse_request_block(block: bytes, most_fields: int) -> RequestBlock:
    """Read a request's header block (every line with its CRLF, without the empty line). Raises Refusal 400, 417, 431 or 501."""
    if _LINES.fullmatch(block) is None:
        raise Refusal(400, "a header field line is not valid")
    lines = block.split(b"\r\n")
    lines.pop()
    if len(lines) > most_fields:
        raise Refusal(431, f"there are more than {most_fields} header fields")
    parsed = RequestBlock()
    parsed.kept = b"".join(_take_all(parsed, lines, True))
    if parsed.hosts > 1:
        raise Refusal(400, "there is more than one Host field")
    if parsed.chunked and parsed.length >= 0:
        raise Refusal(400, "both Content-Length and Transfer-Encoding are given")
    return parsed


def parse_response_head(head: bytes) -> ResponseBlock:
    """Read a response's head: status line and header block, every line with its CRLF, without the empty line. Raises Refusal 502."""
    end = head.find(b"\r\n")
    line = head[:end]
    status, minor = parse_status_line(line)
    block = parse_response_block(head[end + 2 :])
    block.line, block.status, block.minor = line, status, minor
    if minor and block.dated and status not in (204, 304) and status >= 200 and len(line) > 12:
        framing = b"Transfer-Encoding: chunked\r\n" if block.chunked else b""
        if block.chunked or block.length >= 0:
            block.usual = b"%b\r\n%b%bVia: 1.1 ecluse\r\n\r\n" % (line, block.kept, framing)
    return block


def parse_response_block(block: bytes) -> ResponseBlock:
    """Read a response's header block (every line with its CRLF, without the empty line). Raises Refusal 502."""
    if _LINES.fullmatch(block) is None:
        block = _SPACED_NAME.sub(rb"\1:", block)  # a proxy removes this white space: RFC 9112 section 5.1
        if _LINES.fullmatch(block) is None:
            raise Refusal(502, "a header field line of the replica's answer is not valid")
    lines = block.split(b"\r\n")
    lines.pop()
    parsed = ResponseBlock()
    try:
        kept = _take_all(parsed, lines, False)
    except Refusal as refusal:
        raise Refusal(502, f"in the replica's answer: {refusal.reason}") from refusal
    if parsed.chunked and parsed.length >= 0:
        raise Refusal(502, "the replica's answer has both Content-Length and Transfer-Encoding")
    parsed.kept = b"".join(kept)
    parsed.kept_without_length = b"".join([line for line in kept if line[:15].lower() != b"content-length:"])
    return parsed


def _take_all(parsed: RequestBlock | ResponseBlock, lines: list[bytes], is_request: bool) -> list[bytes]:
    """Let `parsed` note every field. Returns the lines that go on, with CRLF."""
    kept: list[tuple[bytes, bytes]] = []
    options: frozenset[bytes] = frozenset()
    for line in lines:
        name, _, value = line.partition(b":")
        name = name.lower()
        value = value.strip(b" \t")
        if name == b"connection":
            options |= parse_options(value, is_request)
        elif name in HOP_BY_HOP:
            parsed.take_hop(name, value)
        else:
            if is_request and b"_" in name and is_lookalike(name.replace(b"_", b"-")):
                raise Refusal(400, "a field name can be mistaken for another one: '_' stands where '-' is meant")
            if parsed.take(name, value):
                kept.append((name, line + b"\r\n"))
    parsed.take_connection(options)
    return [line for name, line in kept if name not in options and name != b"http2-settings"]


def parse_trailers(block: bytes) -> bytes:
    """The trailer lines that may go on (every line with its CRLF). Raises Refusal 400."""
    if _LINES.fullmatch(block) is None:
        raise Refusal(400, "a trailer field line is not valid")
    lines = [line for line in block.split(b"\r\n") if line]
    names = [line.partition(b":")[0].lower().replace(b"_", b"-") for line in lines]
    kept = [line for name, line in zip(names, lines, strict=True) if name not in FORBIDDEN_TRAILERS and not is_hearsay(name)]
    return b"".join([line + b"\r\n" for line in kept])


def with_authority(block: RequestBlock, block_lines: bytes, authority: bytes) -> RequestBlock:
    """The block as it would be with this Host: an absolute target overrides the field, RFC 9112 section 3.2.2. Raises Refusal."""
    lines = [line for line in block_lines.split(b"\r\n") if line and line[:5].lower() != b"host:"]
    lines.insert(0, b"Host: " + authority)
    return parse_request_block(b"\r\n".join(lines) + b"\r\n", len(lines))
