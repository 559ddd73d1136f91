"""The first line of a request or a response, and where a head ends: strict readings of RFC 9112 sections 2 to 4.

Invariants: no I/O and no state; a line is either read in the one way that every parser reads it or refused. Field lines are read
in `fields.py`, bodies in `body.py`.
"""

from balancer.hotpath import octets

TCHAR = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # RFC 9110 section 5.6.2
_VISIBLE = bytes(range(0x21, 0x7F))
_TARGET = _VISIBLE.replace(b"#", b"")  # a request target has no fragment, RFC 9112 section 3.2
_IS_TARGET = bytes([octet in _TARGET for octet in range(256)])
_REASON = bytes(range(0x20, 0x7F)) + b"\t" + bytes(range(0x80, 0x100))
_METHODS = {name: name for name in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH")}
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"))  # RFC 9110 section 9.2.2, less TRACE: never forwarded
METHOD_LENGTH = 64  # octets; the longest one registered with IANA has 17


class Refusal(Exception):  # noqa: N818 - the message is refused; nothing went wrong here
    """The message will not be carried. `status` is what a client is answered; a replica's fault becomes 502 instead."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def find_head_end(data: bytes, searched: int) -> int:
    """Where the empty line after the head begins, or -1. `searched`: octets of data looked at before, on an earlier call."""
    return octets.find_head_end(data, searched - 3 if searched > 3 else 0)


def check_unfinished(data: bytes, line_limit: int, head_limit: int) -> None:
    """Refuse a head that is not whole yet but can no longer become a good one.

    Raises Refusal: 400 for a bare LF (RFC 9112 section 2.2 lets us), 414 for the first line, 431 for the head.
    """
    if data.count(b"\n") != data.count(b"\r\n"):
        raise Refusal(400, "a line ends in LF without CR")
    if len(data) > line_limit and data.find(b"\r\n", 0, line_limit + 2) < 0:
        raise Refusal(414, f"the request line is longer than {line_limit} octets")
    if len(data) > head_limit:
        raise Refusal(431, f"the head is larger than {head_limit} octets")


def plain_method(data: bytes, end: int) -> bytes:
    """The method, if the request line data[:end] is as most are: a method known here, a path, and HTTP/1.1 in 9 octets; else b""."""
    last = end - 9
    if last > 0 and octets.same(data, last, end, b" HTTP/1.1"):
        first = octets.find(data, 0x20, 0, last)
        method = b"GET" if octets.same(data, 0, first, b"GET") else _METHODS.get(octets.cut(data, 0, first), b"")
        if method and data[first + 1] == 0x2F and octets.only(data, first + 1, last, _IS_TARGET):
            return method
    return b""


def parse_request_line(data: bytes, end: int) -> tuple[bytes, bytes, int]:
    """(method, target, minor version) of the request line data[:end], which is without its CRLF; RFC 9112 section 3.

    Raises Refusal: 400, or 505 for a version other than 1.0 and 1.1.
    """
    method = plain_method(data, end)
    if method:
        return method, octets.cut(data, len(method) + 1, end - 9), 1
    return _parse_unusual_line(data[:end])


def _parse_unusual_line(line: bytes) -> tuple[bytes, bytes, int]:
    """The same for any line."""
    parts = line.split(b" ")
    if len(parts) != 3:
        raise Refusal(400, "the request line is not 'method target version' with single spaces")
    method, target, version = parts
    minor = parse_version(version)
    if method not in _METHODS and not is_method(method):
        raise Refusal(400, "the method is not a token")
    if not target or target.translate(None, _TARGET):
        raise Refusal(400, "the request target is empty or has a character that no target may have")
    if target == b"*" and method != b"OPTIONS":  # RFC 9112 section 3.2.4
        raise Refusal(400, "the request target '*' is for OPTIONS only")
    return method, target, minor


def is_method(method: bytes) -> bool:
    """Whether it is a token of sane length."""
    return 0 < len(method) <= METHOD_LENGTH and not method.translate(None, TCHAR)


def parse_version(version: bytes) -> int:
    """The minor version of HTTP/1.0 or HTTP/1.1. Raises Refusal 505 for other HTTP versions, 400 for anything else."""
    if version == b"HTTP/1.1":
        return 1
    if version == b"HTTP/1.0":
        return 0
    if (
        len(version) == 8
        and version[:5] == b"HTTP/"
        and version[5:6].isdigit()
        and version[6:7] == b"."
        and version[7:].isdigit()
    ):
        raise Refusal(505, "the HTTP version is neither 1.0 nor 1.1")
    raise Refusal(400, "the request line does not end in an HTTP version")


def parse_status_line(line: bytes) -> tuple[int, int]:
    """(status, minor version) of a status line without its CRLF, RFC 9112 section 4. Raises Refusal 502."""
    minor = 1 if line[:9] == b"HTTP/1.1 " else 0 if line[:9] == b"HTTP/1.0 " else -1
    code = line[9:12]
    if minor < 0 or not code.isdigit() or line[12:13] not in (b" ", b"") or line.translate(None, _REASON):
        raise Refusal(502, "the replica's status line is not valid")
    status = int(code)
    if not 100 <= status <= 599:
        raise Refusal(502, f"the replica answered with the status {status}")
    return status, minor


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """(authority, origin-form) of a request target; the authority is empty unless the target is absolute, RFC 9112 section 3.2.

    The origin-form is empty if the absolute one has neither path nor query.
    Raises Refusal 400 for every other form but the asterisk.
    """
    if target[:1] == b"/" or target == b"*":
        return b"", target
    scheme, mark, rest = target.partition(b"://")
    if not mark or scheme.lower() not in (b"http", b"https"):
        raise Refusal(400, "the request target is neither a path nor an absolute http URI")
    ends = [at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0]
    cut = min(ends) if ends else len(rest)
    if cut == 0:
        raise Refusal(400, "the request target has no authority")  # RFC 9110 section 4.2.1
    path = rest[cut:]
    return rest[:cut], b"/" + path if path[:1] == b"?" else path
