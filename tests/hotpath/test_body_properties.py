"""Bodies: the same octets come out however they come in, and another parser (h11) finds the same content in them."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancer.hotpath import body
from balancer.hotpath.body import Body
from balancer.hotpath.head import Refusal
from tests.hotpath.driver import octet_by_octet
from tests.hotpath.strategies import THOROUGH, Chunked, chunked_bodies, cut, spoiled_chunked_bodies

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def begun(kind: int, length: int = 0, unchunk: bool = False) -> Body:
    expected = Body()
    expected.begin(kind, length, unchunk)
    return expected


def fed(expected: Body, pieces: list[bytes]) -> tuple[bytes, bool, bytes] | None:
    """(what goes on, whether the end was seen, what came after it), or None: refused."""
    try:
        out = b"".join([expected.feed(piece) for piece in pieces])
    except Refusal:
        return None
    return out, expected.done, expected.rest


def h11_reads(octets: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Content and trailers of a chunked body."""
    other = h11.Connection(h11.SERVER)
    other.receive_data(HEAD + octets)
    assert isinstance(other.next_event(), h11.Request)
    content = b""
    while isinstance(event := other.next_event(), h11.Data):
        content += event.data
    assert isinstance(event, h11.EndOfMessage), event
    return content, list(event.headers)


@THOROUGH
@given(st.data(), chunked_bodies(), st.sampled_from([b"", b"GET / HTTP/1.1\r\n", b"\r\n"]))
def test_a_chunked_body_says_the_same_to_the_next_parser_however_it_is_cut(
    data: st.DataObject, good: Chunked, after: bytes
) -> None:
    pieces = data.draw(cut(good.octets + after))
    out, done, rest = fed(begun(body.CHUNKED), pieces) or (b"", False, b"")
    assert (done, rest) == (True, after)
    assert b";" not in out.replace(good.content, b"") or b";" in good.content
    assert h11_reads(out) == (good.content, [(name, value) for name, value in good.trailers])


@THOROUGH
@given(st.data(), chunked_bodies())
def test_without_its_framing_only_the_content_is_left(data: st.DataObject, good: Chunked) -> None:
    pieces = data.draw(cut(good.octets + b"more"))
    assert fed(begun(body.CHUNKED, unchunk=True), pieces) == (good.content, True, b"more")


@THOROUGH
@given(st.data(), spoiled_chunked_bodies())
def test_a_spoiled_body_is_read_in_one_way_however_it_is_cut(data: st.DataObject, octets: bytes) -> None:
    once = fed(begun(body.CHUNKED), [octets])
    assert fed(begun(body.CHUNKED), list(octet_by_octet(octets))) == once
    assert fed(begun(body.CHUNKED), data.draw(cut(octets))) == once


@THOROUGH
@given(spoiled_chunked_bodies())
def test_a_spoiled_body_that_is_accepted_says_the_same_to_another_parser(octets: bytes) -> None:
    read = fed(begun(body.CHUNKED), [octets])
    content = fed(begun(body.CHUNKED, unchunk=True), [octets])
    if read is None or not read[1]:
        return
    assert content is not None
    assert h11_reads(octets)[0] == h11_reads(read[0])[0] == content[0]


@THOROUGH
@given(st.data(), st.binary(max_size=60), st.integers(0, 60))
def test_a_body_with_a_length_ends_there(data: st.DataObject, octets: bytes, length: int) -> None:
    expected = begun(body.LENGTH, length)
    read = fed(expected, data.draw(cut(octets)))
    assert read == (octets[:length], len(octets) >= length, octets[length:])
    assert expected.passed == min(length, len(octets))


@THOROUGH
@given(st.data(), st.binary(max_size=60))
def test_a_body_that_ends_with_the_connection_passes_as_it_is(data: st.DataObject, octets: bytes) -> None:
    expected = begun(body.CLOSE)
    assert fed(expected, data.draw(cut(octets))) == (octets, False, b"")
    assert expected.end()


@THOROUGH
@given(st.binary(max_size=60))
def test_any_octets_are_a_chunked_body_or_refused(octets: bytes) -> None:
    once = fed(begun(body.CHUNKED), [octets])
    assert fed(begun(body.CHUNKED), list(octet_by_octet(octets))) == once


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"5\n", id="a size ends in LF alone"),
        pytest.param(b"5\rh\r\n", id="a CR stands inside a size"),
        pytest.param(b"1\r\nabc", id="a chunk is longer than it says"),
        pytest.param(b"1\r\na\rb", id="a chunk ends in CR alone"),
        pytest.param(b"1\r\na\n", id="a chunk ends in LF alone"),
        pytest.param(b"0\r\nX: 1\n", id="a trailer ends in LF alone"),
        pytest.param(b"-1\r\n", id="a size has a sign"),
        pytest.param(b"0x5\r\n", id="a size has a prefix"),
        pytest.param(b"\r\n", id="there is no size"),
        pytest.param(b"1000000000000000\r\n", id="a size has 16 digits"),
        pytest.param(b"5 \r\n", id="white space follows a size"),
        pytest.param(b"5;\r\n", id="an extension has no name"),
        pytest.param(b'5;a="\r\n', id="a quoted extension is not closed"),
        pytest.param(b"5;a=b c\r\n", id="an extension is followed by more"),
        pytest.param(b"5;" + b"a" * body.CHUNK_LINE, id="a size line is too long"),
        pytest.param(b"0\r\nX: " + b"a" * body.TRAILERS_MOST, id="trailers are too large"),
        pytest.param(b"0\r\n X: 1\r\n\r\n", id="a trailer is folded"),
        pytest.param(b"0\r\nX : 1\r\n\r\n", id="a trailer has white space before its colon"),
    ],
)
def test_a_chunked_body_is_refused_as_soon_as(octets: bytes) -> None:
    assert fed(begun(body.CHUNKED), [octets]) is None
    assert fed(begun(body.CHUNKED, unchunk=True), list(octet_by_octet(octets))) is None
