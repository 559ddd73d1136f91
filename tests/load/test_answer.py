"""An answer is read to its end however it is cut into pieces, and what no parser should accept is refused."""

import pytest

from balancer.hotpath.head import Refusal
from sidecar.load.answer import HEAD, Answer, Framings

GOOD = [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, True, id="with a length"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, True, id="of length 0"),
    pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, True, id="204 has no body"),
    pytest.param(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, True, id="304 has no body though it says a length"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", 200, True, id="chunked"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n", 200, True, id="chunked with trailers"
    ),
    pytest.param(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, True, id="after an interim one"
    ),
    pytest.param(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 503, False, id="that ends the connection"),
    pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, False, id="HTTP/1.0 ends the connection"),
    pytest.param(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, True, id="HTTP/1.0 that keeps it"
    ),
]
BAD = [
    pytest.param(b"nonsense\r\n\r\n", id="no status line"),
    pytest.param(b"HTTP/1.1 20 OK\r\n\r\n", id="a status of two digits"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n", id="a length that is no number"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", id="two framings"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokk", id="octets after its end"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", id="a chunk of no size"),
    pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="another protocol"),
    pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * HEAD, id="a head without end"),
]


def answer(bodiless: bool = False) -> Answer:
    made = Answer(Framings(bodiless))
    made.begin()
    return made


@pytest.mark.parametrize("pieces", ["whole", "octet by octet"])
@pytest.mark.parametrize(("octets", "status", "keeps"), GOOD)
def test_it_is_whole_at_its_last_octet_and_not_before(octets: bytes, status: int, keeps: bool, pieces: str) -> None:
    read = answer()
    cut = [octets] if pieces == "whole" else [octets[at : at + 1] for at in range(len(octets))]
    for again in range(2):  # the second time its head is remembered
        read.begin()
        assert [read.feed(piece) for piece in cut] == [False] * (len(cut) - 1) + [True], again
        assert (read.framing.status, read.framing.keeps) == (status, keeps)


@pytest.mark.parametrize("octets", BAD)
def test_it_is_refused_if(octets: bytes) -> None:
    with pytest.raises(Refusal):
        answer().feed(octets)


def test_without_a_length_it_ends_with_the_connection() -> None:
    read = answer()
    assert not read.feed(b"HTTP/1.1 200 OK\r\n\r\nso f")
    assert not read.feed(b"ar")
    assert read.ended()
    assert not read.framing.keeps


@pytest.mark.parametrize("octets", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_connection_that_ends_before_the_answer_does_not_make_it_whole(octets: bytes) -> None:
    read = answer()
    assert not (octets and read.feed(octets))
    assert not read.ended()


def test_the_answer_to_head_has_no_body() -> None:
    assert answer(bodiless=True).feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")


def test_the_heads_that_are_remembered_are_bounded() -> None:
    framings = Framings(bodiless=False)
    read = Answer(framings)
    for number in range(3000):
        read.begin()
        assert read.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Request: %d\r\n\r\n" % number)
    assert len(framings.known) <= 1000
