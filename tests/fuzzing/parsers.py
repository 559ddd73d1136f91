"""The parsers as a fuzzing target: the first octet says which one, the second where the rest is cut in two.

What must hold, whatever the octets: nothing but `Refusal` is raised; the outcome is the same whole, in two pieces and octet by octet;
a head that is accepted and written again is read as the same; blocks read by difference say what they say when they are read whole.
"""

from balancer.hotpath.affinity import cookie, parameter
from balancer.hotpath.body import CHUNKED, Body
from balancer.hotpath.fields import parse_altered_block, parse_request_block
from balancer.hotpath.forwarding import added_fields
from balancer.hotpath.head import Refusal
from balancer.hotpath.paths import READ_MOST, is_plain, path_of, readings
from balancer.hotpath.values import is_address, parse_authority, parse_upgrade
from tests.hotpath.driver import FIELDS_MOST, AnswerReader, Reader, Request, RequestReader, octet_by_octet, read


def parsers(data: bytes) -> None:
    """One execution."""
    if len(data) < 2:
        return
    kind, cut, octets = data[0] % len(KINDS), data[1], data[2:]
    KINDS[kind](octets, cut * len(octets) // 255)


def requests(octets: bytes, cut: int) -> None:
    """A client's stream."""
    reader = read(RequestReader(), [octets])
    agreed(reader, [read(RequestReader(), pieces) for pieces in (halves(octets, cut), octet_by_octet(octets))])
    for request in reader.heads:
        written_again(request)


def answers(octets: bytes, cut: int) -> None:
    """A replica's stream."""
    for bodiless in (False, True):
        reader = read(AnswerReader(bodiless=bodiless), [octets])
        agreed(reader, [read(AnswerReader(bodiless=bodiless), halves(octets, cut))])


def chunks(octets: bytes, cut: int) -> None:
    """A chunked body, as it goes on to somebody who reads chunks and to somebody who does not."""
    for plain in (False, True):
        passed = [chunked(pieces, plain) for pieces in ([octets], halves(octets, cut), list(octet_by_octet(octets)))]
        assert passed[0] == passed[1] == passed[2], passed


def blocks(octets: bytes, cut: int) -> None:
    """A header block read by difference to another one says what it says when it is read whole."""
    before, after = halves(octets, cut)
    try:
        first = parse_request_block(before, FIELDS_MOST)
    except Refusal:
        return
    altered = parse_altered_block(first, after, FIELDS_MOST)
    if altered is None:
        return
    whole = parse_request_block(after, FIELDS_MOST)
    names = ("host", "length", "chunked", "close", "keep_alive", "upgrade", "kept", "plain", "forwarded_for", "hearsay")
    assert [getattr(altered, name) for name in names] == [getattr(whole, name) for name in names]


def values(octets: bytes, cut: int) -> None:
    """Single values: whatever they are, they are read or refused."""
    one, other = halves(octets, cut)
    cookie(one, other)
    parameter(one, other)
    is_address(one)
    assert b"h2c" not in parse_upgrade(one).lower().split(b", ")
    path = path_of(b"/" + one)
    if len(path) <= READ_MOST:
        found = readings(path)
        assert path in found
        assert len(found) == 1 or not is_plain(path)
    try:
        assert parse_authority(one) == parse_authority(one).lower()
    except Refusal:
        return


KINDS = (requests, answers, chunks, blocks, values)


def halves(octets: bytes, cut: int) -> list[bytes]:
    """Two pieces."""
    return [octets[:cut], octets[cut:]]


def agreed(reader: Reader, others: list[Reader]) -> None:
    """All accept the same, or refuse it. Who refuses may have seen less of it, and so have another reason."""
    for other in others:
        assert outcome(other) == outcome(reader), (outcome(reader), outcome(other))


def outcome(reader: Reader) -> tuple[int, bool, bool, bytes]:
    """What a stream came to."""
    return reader.messages, reader.status > 0, reader.switched, b"" if reader.status else reader.passed_on


def written_again(request: Request) -> None:
    """What goes on to a replica is read there as what came."""
    block = request.block
    added = added_fields(block, b"192.0.2.1", request.minor, False)
    head = b"%b %b HTTP/1.1\r\n%b%b" % (request.method, request.target, block.kept, added)
    reader = read(RequestReader(), [head])
    assert reader.status == 0, (head, reader.status)
    (again,) = reader.heads
    assert (again.method, again.target, again.block.host) == (request.method, request.target, block.host or b"localhost")
    assert (again.block.chunked, max(0, again.block.length)) == (block.chunked, max(0, block.length))


def chunked(pieces: list[bytes], plain: bool) -> tuple[bytes, bool] | None:
    """What a chunked body passes on, and whether it is whole; None: it is refused."""
    body = Body()
    body.begin(CHUNKED, -1, plain)
    out = b""
    try:
        for piece in pieces:
            if body.done:
                break
            out += body.feed(piece)
    except Refusal:
        return None
    return out, body.done
