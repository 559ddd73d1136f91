"""Whatever comes, a head is read as another parser (h11) reads it, or refused; nothing but a refusal is ever raised."""

from contextlib import suppress

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancer.hotpath import fields, forwarding, head, octets, values
from balancer.hotpath.head import Refusal
from tests.hotpath.driver import AnswerReader, Request, RequestReader, octet_by_octet, read, read_request_head, whole
from tests.hotpath.strategies import GOOD_FIELDS, HOSTS, THOROUGH, answer_heads, request_heads

PEER = b"192.0.2.7"


def accepted(octets: bytes) -> Request | None:
    try:
        return read_request_head(octets)
    except Refusal:
        return None


def h11_reads(octets: bytes) -> h11.Request:
    other = h11.Connection(h11.SERVER)
    other.receive_data(octets)
    event = other.next_event()
    assert isinstance(event, h11.Request), event
    return event


def framing(request: h11.Request) -> tuple[int, bool]:
    named = dict(request.headers)
    return int(named.get(b"content-length", b"-1")), b"transfer-encoding" in named


@pytest.mark.parametrize(
    "parse",
    [
        lambda octets: head.parse_request_line(octets, len(octets)),
        head.parse_status_line,
        head.parse_version,
        head.split_target,
        lambda octets: head.check_unfinished(octets, 16, 32),
        lambda octets: fields.parse_request_block(octets, 8),
        fields.parse_response_block,
        values.parse_authority,
        fields.parse_trailers,
        values.parse_upgrade,
        lambda octets: values.parse_options(octets, True),
        lambda octets: values.parse_length(octets, -1),
        lambda octets: values.parse_transfer_encoding(octets, False, 501),
    ],
    ids=lambda parse: parse.__name__.strip("<>"),
)
@THOROUGH
@given(st.binary(max_size=80))
def test_any_octets_are_parsed_or_refused(parse, octets: bytes) -> None:
    with suppress(Refusal):
        parse(octets)


@THOROUGH
@given(request_heads())
def test_a_request_head_that_is_accepted_is_read_by_another_parser_in_the_same_way(octets: bytes) -> None:
    request = accepted(octets)
    if request is None:
        return
    theirs = h11_reads(octets)
    assert theirs.method == request.method
    assert request.target == head.split_target(theirs.target)[1]
    length, chunked = framing(theirs)
    assert (length, chunked) == (request.block.length, request.block.chunked)


@THOROUGH
@given(request_heads(), st.booleans())
def test_what_a_replica_gets_is_read_by_another_parser_as_it_was_meant(octets: bytes, trusted: bool) -> None:
    request = accepted(octets)
    if request is None:
        return
    block = request.block
    sent = block.kept + forwarding.added_fields(block, PEER, request.minor, trusted)
    theirs = h11_reads(b"%b %b HTTP/1.1\r\n%b" % (request.method, request.target, sent))
    assert (theirs.method, theirs.target) == (request.method, request.target)
    assert framing(theirs) == (block.length, block.chunked)
    names = [name for name, _ in theirs.headers]
    assert names.count(b"host") == names.count(b"forwarded") == names.count(b"x-forwarded-for") == 1
    assert len(names) == sent.count(b"\r\n") - 1


@THOROUGH
@given(st.lists(request_heads(), max_size=3).map(b"".join))
def test_requests_are_read_alike_whole_and_octet_by_octet(octets: bytes) -> None:
    once, slowly = read(RequestReader(), whole(octets)), read(RequestReader(), octet_by_octet(octets))
    assert (once.messages, once.refused, once.switched) == (slowly.messages, slowly.refused, slowly.switched)
    assert [request.target for request in once.heads] == [request.target for request in slowly.heads]


@THOROUGH
@given(st.text("\r\nx", max_size=30).map(str.encode), st.integers(0, 30))
def test_the_end_of_a_head_is_found_in_whatever_piece_it_comes(octets: bytes, first: int) -> None:
    end = head.find_head_end(octets, 0)
    if head.find_head_end(octets[:first], 0) < 0:
        assert head.find_head_end(octets, min(first, len(octets))) == end
    assert end == octets.find(b"\r\n\r\n")


@THOROUGH
@given(answer_heads())
def test_answers_are_read_alike_whole_and_octet_by_octet(octets: bytes) -> None:
    once, slowly = read(AnswerReader(), whole(octets)), read(AnswerReader(), octet_by_octet(octets))
    assert (once.messages, once.refused) == (slowly.messages, slowly.refused)
    assert once.status in {0, 400, 502}


@THOROUGH
@given(answer_heads())
def test_of_an_answer_nothing_goes_on_that_belongs_to_one_hop(octets: bytes) -> None:
    block_octets = octets[octets.find(b"\r\n") + 2 : -2]
    try:
        block = fields.parse_response_block(block_octets)
    except Refusal:
        return
    names = {line.partition(b":")[0].lower() for line in block.kept.split(b"\r\n") if line}
    assert not names & fields.HOP_BY_HOP
    assert not block.kept or block.kept.endswith(b"\r\n")
    assert b"content-length:" not in block.kept_without_length().lower()


FIELD_LINES = st.lists(
    st.one_of(GOOD_FIELDS, HOSTS, st.sampled_from([b"A: 1", b"A: 22", b"B: 1", b"Cookie: c", b"bad line", b""])).map(
        lambda line: line + b"\r\n"
    ),
    max_size=7,
)


@THOROUGH
@given(FIELD_LINES, FIELD_LINES, st.integers(0, 7), st.integers(0, 7))
def test_what_an_altered_block_says_is_what_it_says_when_it_is_read_whole(
    lines: list[bytes], others: list[bytes], start: int, end: int
) -> None:
    first, second = b"".join(lines), b"".join(lines[:start] + others + lines[end:])
    try:
        before = fields.parse_request_block(first, 8)
    except Refusal:
        return
    altered = fields.parse_altered_block(before, second, 8)
    if altered is not None:
        assert vars_of(altered) == vars_of(fields.parse_request_block(second, 8))


def vars_of(block: fields.RequestBlock) -> dict[str, object]:
    return {name: getattr(block, name) for name in dir(block) if name[0] != "_" and not callable(getattr(block, name))}


@THOROUGH
@given(st.text("\nab", max_size=20).map(str.encode), st.text("\nab", max_size=20).map(str.encode))
def test_changed_lines_are_whole_and_all_that_differs(old: bytes, new: bytes) -> None:
    old, new = old + b"\n", new + b"\n"
    start, old_end, new_end = octets.changed_lines(old, new)
    assert (old[:start], old[old_end:]) == (new[:start], new[new_end:])
    assert 0 <= start <= min(old_end, new_end)
    for text, end in ((old, old_end), (new, new_end)):
        assert {text[max(start - 1, 0) : start], text[max(end - 1, 0) : end]} <= {b"", b"\n"}


def test_a_cookie_that_changes_is_all_that_is_read_again() -> None:
    lines = b"Host: a.example\r\nCookie: seen=%d\r\nConnection: keep-alive\r\nAccept: */*\r\n"
    before = fields.parse_request_block(lines % 9, 8)
    after = fields.parse_altered_block(before, lines % 10, 8)
    assert after is not None
    assert (after.host, after.kept) == (b"a.example", b"Host: a.example\r\nCookie: seen=10\r\nAccept: */*\r\n")
