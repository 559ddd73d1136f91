"""What a row of the tables is."""

from dataclasses import dataclass

Seen = tuple[str, str, bytes]


@dataclass(frozen=True)
class Row:
    """One input of a client, and what must come of it.

    claim: what the row says. octets: on one connection, from its beginning. rests_on: the section that says so. statuses: of the
    answers, in order. seen: (method, target, body) of the requests that the replica gets, in order. closed: whether the proxy closes the
    connection afterwards. has, lacks: octets that must and must not be in what the replica gets.
    """

    claim: str
    octets: bytes
    rests_on: str
    statuses: tuple[int, ...]
    seen: tuple[Seen, ...] = ()
    closed: bool = True
    has: tuple[bytes, ...] = ()
    lacks: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Answer:
    """One answer of a replica to GET, and what must come of it.

    status: what the client gets, 0: the connection ends before an answer. body: the client's, None: it cannot be whole. again: whether the
    replica's connection may carry another request.
    """

    claim: str
    octets: bytes
    rests_on: str
    status: int = 502
    body: bytes | None = None
    again: bool = False
    ends: bool = False  # the replica closes after it
    request: bytes = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def refused(claim: str, octets: bytes, rests_on: str, status: int = 400) -> Row:
    """Nothing of it reaches a replica."""
    return Row(claim, octets, rests_on, (status,))


def head(*lines: bytes, first: bytes = b"GET / HTTP/1.1", host: bytes = b"Host: test") -> bytes:
    """A request's head of these lines."""
    return b"\r\n".join((first, *((host,) if host else ()), *lines)) + b"\r\n\r\n"


def post(*lines: bytes, body: bytes = b"", target: bytes = b"/") -> bytes:
    """A POST with these lines, and these octets after them."""
    return head(*lines, first=b"POST " + target + b" HTTP/1.1") + body
