"""llhttp's test vectors: what it refuses is refused here, what it accepts is accepted with as many messages, or the reason is listed.

Vectors for llhttp's lenient switches are inputs that a strict parser refuses; all of them have to be refused here.
"""

from collections.abc import Callable, Iterable

import pytest

from tests.hotpath.driver import AnswerReader, Reader, RequestReader, octet_by_octet, read, whole
from tests.hotpath.llhttp import DIFFERENCES, Vector, vectors

REST_OF_A_HEAD = (b"\r\n", b"\r\n")
STRICT = [vector for vector in vectors() if not vector.lenient]
LENIENT = [vector for vector in vectors() if vector.lenient]
CUTS = pytest.mark.parametrize("cut", [whole, octet_by_octet], ids=["whole", "octet by octet"])


def by_name(cases: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", cases, ids=[vector.name for vector in cases])


def read_vector(vector: Vector, cut: Callable[[bytes], Iterable[bytes]]) -> Reader:
    reader = RequestReader() if vector.is_request else AnswerReader(bodiless=vector.bodiless)
    return read(reader, cut(vector.octets))


def refuses(reader: Reader) -> bool:
    """llhttp stops at the octet that is wrong, in the middle of a head; here a head is judged once it is whole."""
    for line_end in REST_OF_A_HEAD:
        if not reader.refused and not reader.between_messages:
            reader.feed(line_end)
    return reader.refused


@CUTS
@by_name([vector for vector in STRICT if vector.name not in DIFFERENCES])
def test_strict_vectors_are_read_as_llhttp_reads_them(vector: Vector, cut: Callable[[bytes], Iterable[bytes]]) -> None:
    reader = read_vector(vector, cut)
    if vector.refuses:
        assert refuses(reader)
        assert reader.messages <= vector.messages
    else:
        assert (reader.status, reader.messages) == (0, vector.messages)


@CUTS
@by_name([vector for vector in STRICT if vector.name in DIFFERENCES])
def test_listed_differences_are_still_so(vector: Vector, cut: Callable[[bytes], Iterable[bytes]]) -> None:
    reader = read_vector(vector, cut)
    listed = DIFFERENCES[vector.name]
    if vector.refuses:
        assert not refuses(reader)
    assert (reader.status, reader.messages) == (listed.status, listed.messages)
    assert (reader.refused, reader.messages) != (vector.refuses, vector.messages), "it no longer differs: take it off the list"


@CUTS
@by_name(LENIENT)
def test_what_llhttp_accepts_with_a_check_switched_off_is_refused(
    vector: Vector, cut: Callable[[bytes], Iterable[bytes]]
) -> None:
    assert refuses(read_vector(vector, cut))


def test_every_listed_difference_is_a_strict_vector_with_a_section_of_an_rfc() -> None:
    assert DIFFERENCES.keys() <= {vector.name for vector in STRICT}
    assert all("RFC 911" in difference.reason and "section" in difference.reason for difference in DIFFERENCES.values())


def test_all_vectors_are_here() -> None:
    assert (len(STRICT), len(LENIENT)) == (214, 37)
