"""A load's request is valid HTTP/1.1, with the fields that were asked for."""

import pytest

from sidecar.load.request import build


def test_a_request_says_host_agent_and_accept() -> None:
    assert build("a:80", "/x").octets == b"GET /x HTTP/1.1\r\nHost: a:80\r\nUser-Agent: ecluse-bench\r\nAccept: */*\r\n\r\n"


def test_given_fields_stand_instead_of_ours_and_may_repeat() -> None:
    octets = build("a", "/", fields=["host: b", "Accept: text/html", "Cookie: a=1", "Cookie: b=2"]).octets
    lines = octets.decode().split("\r\n")[1:-2]
    assert lines == ["User-Agent: ecluse-bench", "host: b", "Accept: text/html", "Cookie: a=1", "Cookie: b=2"]


@pytest.mark.parametrize(
    ("method", "body", "length"), [("POST", b"", "0"), ("POST", b"four", "4"), ("GET", b"four", "4"), ("GET", b"", None)]
)
def test_the_length_of_the_body_is_said_where_there_may_be_one(method: str, body: bytes, length: str | None) -> None:
    octets = build("a", "/", method, body=body).octets
    assert octets.endswith(b"\r\n\r\n" + body)
    assert (f"\r\nContent-Length: {length}\r\n".encode() in octets) is (length is not None)


@pytest.mark.parametrize(("method", "repeatable"), [("GET", True), ("HEAD", True), ("POST", False), ("PATCH", False)])
def test_only_what_is_idempotent_may_be_sent_again(method: str, repeatable: bool) -> None:
    assert build("a", "/", method).repeatable is repeatable


@pytest.mark.parametrize(
    ("method", "field", "said"),
    [
        ("GET", "no colon", "not a header field"),
        ("GET", "a b: c", "not a header field"),
        ("GET", "a: b\r\nc: d", "not a header field"),
        ("GET", "a: é", "not a header field"),
        ("GET", "content-length: 5", "follows from the body"),
        ("GET", "Transfer-Encoding: chunked", "follows from the body"),
        ("G T", "a: b", "not a method"),
    ],
)
def test_what_would_break_the_request_is_refused(method: str, field: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build("a", "/", method, [field])
