"""Request heads that are refused: whatever a second parser could read differently. Each row: claim, section of an RFC, head, status."""

import pytest

from balancer.hotpath.head import Refusal
from tests.hotpath.driver import FIELDS_MOST, HEAD_MOST, LINE_MOST, RequestReader, octet_by_octet, read, read_request_head

LINE = b"GET / HTTP/1.1\r\n"
HOST = b"Host: a.example\r\n"
END = b"\r\n"


def with_line(line: bytes) -> bytes:
    return line + b"\r\n" + HOST + END


def with_fields(*lines: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + END


def with_host(value: bytes) -> bytes:
    return LINE + b"Host: " + value + b"\r\n" + END


LINES = [
    ("two spaces after the method", "9112 3", with_line(b"GET  / HTTP/1.1"), 400),
    ("a tab instead of a space", "9112 3", with_line(b"GET\t/ HTTP/1.1"), 400),
    ("a space inside the target", "9112 3.2", with_line(b"GET /a b HTTP/1.1"), 400),
    ("a space before the method", "9112 3", with_line(b" GET / HTTP/1.1"), 400),
    ("a space after the version", "9112 3", with_line(b"GET / HTTP/1.1 "), 400),
    ("no version: HTTP/0.9", "9112 3", with_line(b"GET /"), 400),
    ("an empty target", "9112 3.2", with_line(b"GET  HTTP/1.1"), 400),
    ("a method that is no token", "9110 9.1", with_line(b"G(T / HTTP/1.1"), 400),
    ("a method of 65 octets", "9110 9.1", with_line(b"M" * 65 + b" / HTTP/1.1"), 400),
    ("a control character in the target", "9112 3.2", with_line(b"GET /\x01 HTTP/1.1"), 400),
    ("NUL in the target", "9112 3.2", with_line(b"GET /\x00 HTTP/1.1"), 400),
    ("DEL in the target", "9112 3.2", with_line(b"GET /\x7f HTTP/1.1"), 400),
    ("an octet above ASCII in the target", "9112 3.2", with_line("GET /é HTTP/1.1".encode()), 400),
    ("a fragment in the target", "9112 3.2", with_line(b"GET /#top HTTP/1.1"), 400),
    ("a bare CR in the request line", "9112 2.2", with_line(b"GET /\rX HTTP/1.1"), 400),
    ("a bare LF in the request line", "9112 2.2", with_line(b"GET /\nX HTTP/1.1"), 400),
    ("HTTP/2.0, as in its preface", "9112 2.3", with_line(b"PRI * HTTP/2.0"), 505),
    ("HTTP/2.0", "9112 2.3", with_line(b"GET / HTTP/2.0"), 505),
    ("HTTP/1.2", "9112 2.3", with_line(b"GET / HTTP/1.2"), 505),
    ("HTTP/0.9 written out", "9112 2.3", with_line(b"GET / HTTP/0.9"), 505),
    ("a version in lower case", "9112 2.3", with_line(b"GET / http/1.1"), 400),
    ("a version with two digits", "9112 2.3", with_line(b"GET / HTTP/1.10"), 400),
    ("a version with a digit that is none in ASCII", "9112 2.3", with_line("GET / HTTP/1.¹".encode()), 400),
    ("another protocol", "9112 2.3", with_line(b"GET / RTSP/1.0"), 400),
    ("the asterisk for anything but OPTIONS", "9112 3.2.4", with_line(b"GET * HTTP/1.1"), 400),
    ("the authority form for anything but CONNECT", "9112 3.2.3", with_line(b"GET a.example:80 HTTP/1.1"), 400),
    ("CONNECT", "9110 9.3.6", with_line(b"CONNECT a.example:80 HTTP/1.1"), 405),
    ("TRACE, which shows a replica's view to scripts", "9110 9.3.8", with_line(b"TRACE / HTTP/1.1"), 405),
    ("a relative path", "9112 3.2", with_line(b"GET index.html HTTP/1.1"), 400),
    ("an absolute target of another scheme", "9112 3.2.2", with_line(b"GET ftp://a.example/ HTTP/1.1"), 400),
    ("an absolute target without authority", "9110 4.2.1", with_line(b"GET http:///x HTTP/1.1"), 400),
    ("an absolute target without authority or path", "9110 4.2.1", with_line(b"GET http:// HTTP/1.1"), 400),
    ("an absolute target with user information", "9110 4.2.4", with_line(b"GET http://u:p@a.example/ HTTP/1.1"), 400),
    ("an absolute target with a bad port", "9110 4.2.1", with_line(b"GET http://a.example:8x/ HTTP/1.1"), 400),
]
SHAPES = [
    ("a field folded over two lines", "9112 5.2", with_fields(b"X-A: 1", b" 2"), 400),
    ("a fold after the request line", "9112 2.2", LINE + b" " + HOST + END, 400),
    ("a fold with a tab", "9112 5.2", with_fields(b"X-A: 1", b"\t2"), 400),
    ("a bare LF between fields", "9112 2.2", with_fields(b"X-A: 1\nX-B: 2"), 400),
    ("a bare CR between fields", "9112 2.2", with_fields(b"X-A: 1\rX-B: 2"), 400),
    ("a bare CR before the line end", "9112 2.2", with_fields(b"X-A: 1\r"), 400),
    ("only LF in the whole head", "9112 2.2", b"GET / HTTP/1.1\nHost: a\n\n" + END + END, 400),
    ("NUL in a value", "9110 5.5", with_fields(b"X-A: 1\x002"), 400),
    ("a control character in a value", "9110 5.5", with_fields(b"X-A: 1\x0b2"), 400),
    ("DEL in a value", "9110 5.5", with_fields(b"X-A: 1\x7f"), 400),
    ("a space before the colon", "9112 5.1", with_fields(b"X-A : 1"), 400),
    ("a space before the colon of Content-Length", "9112 5.1", with_fields(b"Content-Length : 5"), 400),
    ("a tab before the colon of Transfer-Encoding", "9112 5.1", with_fields(b"Transfer-Encoding\t: chunked"), 400),
    ("no colon", "9112 5", with_fields(b"X-A"), 400),
    ("no name", "9112 5", with_fields(b": 1"), 400),
    ("a name that is no token", "9110 5.1", with_fields(b"X(A): 1"), 400),
    ("a name with an octet above ASCII", "9110 5.1", with_fields("X-é: 1".encode()), 400),
    ("a NUL in a name", "9110 5.1", with_fields(b"Content-Length\x00: 5"), 400),
    ("one field too many", "9110 5.4", with_fields(*[b"X: 1"] * FIELDS_MOST), 431),
    ("a request line over its limit", "9110 15.5.15", with_line(b"GET /" + b"a" * LINE_MOST + b" HTTP/1.1"), 414),
    ("a head over its limit", "9110 5.4", with_fields(b"X: " + b"a" * HEAD_MOST), 431),
]
HOSTS = [
    ("no Host", "9112 3.2", LINE + END, 400),
    ("no Host under an absolute target", "9112 3.2", b"GET http://a.example/ HTTP/1.1\r\nX: 1\r\n" + END, 400),
    ("two Hosts", "9112 3.2", LINE + HOST + HOST + END, 400),
    ("two Hosts under HTTP/1.0", "9112 3.2", b"GET / HTTP/1.0\r\n" + HOST + HOST + END, 400),
    ("two Hosts that differ, under an absolute target", "9112 3.2", with_line(b"GET http://b/ HTTP/1.1\r\nHost: c"), 400),
    ("an empty Host", "9110 7.2", with_host(b""), 400),
    ("a list of Hosts", "9112 3.2", with_host(b"a.example, b.example"), 400),
    ("a Host with user information", "9112 3.2", with_host(b"user@a.example"), 400),
    ("a Host with a path", "9112 3.2", with_host(b"a.example/x"), 400),
    ("a Host with a space", "9112 3.2", with_host(b"a example"), 400),
    ("a Host with a port that is no number", "9112 3.2", with_host(b"a.example:8o"), 400),
    ("a Host with a port of six digits", "9112 3.2", with_host(b"a.example:123456"), 400),
    ("a Host that is only a port", "9112 3.2", with_host(b":80"), 400),
    ("a Host with two ports", "9112 3.2", with_host(b"a.example:80:90"), 400),
    ("a Host with an IPv6 address that is not closed", "3986 3.2.2", with_host(b"[::1"), 400),
    ("a Host with an IPv6 address without brackets", "3986 3.2.2", with_host(b"::1"), 400),
    ("a Host with a quote", "3986 3.2.2", with_host(b'a"b'), 400),
    ("a Host with a backslash", "3986 3.2.2", with_host(b"a\\b"), 400),
    ("a Host with half a percent-encoded octet", "3986 2.1", with_host(b"a%2"), 400),
    ("a Host with an octet above ASCII", "3986 3.2.2", with_host("é.example".encode()), 400),
]
FRAMING = [
    ("two Content-Lengths that differ", "9112 6.3", with_fields(b"Content-Length: 5", b"Content-Length: 6"), 400),
    ("two Content-Lengths that agree", "9110 8.6", with_fields(b"Content-Length: 5", b"Content-Length: 5"), 400),
    ("a list of Content-Lengths", "9110 8.6", with_fields(b"Content-Length: 5, 5"), 400),
    ("a Content-Length with a sign", "9110 8.6", with_fields(b"Content-Length: +5"), 400),
    ("a negative Content-Length", "9110 8.6", with_fields(b"Content-Length: -5"), 400),
    ("a hexadecimal Content-Length", "9110 8.6", with_fields(b"Content-Length: 0x5"), 400),
    ("a Content-Length with an underscore", "9110 8.6", with_fields(b"Content-Length: 1_0"), 400),
    ("a Content-Length with a space inside", "9110 8.6", with_fields(b"Content-Length: 1 0"), 400),
    ("an empty Content-Length", "9110 8.6", with_fields(b"Content-Length:"), 400),
    ("a Content-Length of 19 digits", "9110 8.6", with_fields(b"Content-Length: 9223372036854775808"), 400),
    ("a Content-Length past 64 bits", "9110 8.6", with_fields(b"Content-Length: 18446744073709551621"), 400),
    ("a Content-Length in digits that are none in ASCII", "9110 8.6", with_fields(b"Content-Length: \xd9\xa5"), 400),
    ("Content-Length and chunked", "9112 6.3", with_fields(b"Content-Length: 5", b"Transfer-Encoding: chunked"), 400),
    ("chunked and Content-Length", "9112 6.3", with_fields(b"Transfer-Encoding: chunked", b"Content-Length: 5"), 400),
    ("chunked and a Content-Length of 0", "9112 6.3", with_fields(b"Transfer-Encoding: chunked", b"Content-Length: 0"), 400),
    ("chunked twice in one field", "9112 6.1", with_fields(b"Transfer-Encoding: chunked, chunked"), 400),
    ("chunked twice in two fields", "9112 6.1", with_fields(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400),
    ("chunked before another coding", "9112 6.1", with_fields(b"Transfer-Encoding: chunked, gzip"), 400),
    ("another coding before chunked", "9112 6.1", with_fields(b"Transfer-Encoding: gzip, chunked"), 400),
    ("chunked with a parameter", "9112 7", with_fields(b"Transfer-Encoding: chunked;q=1"), 400),
    ("chunked in quotes", "9112 7", with_fields(b'Transfer-Encoding: "chunked"'), 400),
    ("chunked with letters before it", "9112 7", with_fields(b"Transfer-Encoding: xchunked"), 400),
    ("chunked after a vertical tab", "9110 5.5", with_fields(b"Transfer-Encoding: \x0bchunked"), 400),
    ("chunked after an empty member", "9112 6.1", with_fields(b"Transfer-Encoding: ,chunked"), 400),
    (
        "chunked, then identity in a second field",
        "9112 6.1",
        with_fields(b"Transfer-Encoding: chunked", b"Transfer-Encoding: x"),
        400,
    ),
    ("identity", "9112 7", with_fields(b"Transfer-Encoding: identity"), 501),
    ("gzip alone", "9112 6.1", with_fields(b"Transfer-Encoding: gzip"), 501),
    ("an empty Transfer-Encoding", "9112 6.1", with_fields(b"Transfer-Encoding:"), 501),
    ("chunked under HTTP/1.0", "9112 6.1", b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" + END, 400),
]
LOOKALIKES = [
    (f"{name} for the name with a hyphen", "3875 4.1.18", with_fields(name.encode() + b": 1"), 400)
    for name in (
        "Content_Length", "Transfer_Encoding", "transfer_Encoding", "Keep_Alive", "X_Forwarded_For", "X-Forwarded_Proto",
        "X_Forwarded_Host", "X_Forwarded_Port", "X_Real_IP", "Proxy_Connection",
    )
]  # fmt: skip
CONNECTION = [
    (f"Connection naming {name}", "9110 7.6.1", with_fields(b"Connection: close, " + name.encode()), 400)
    for name in (
        "Host", "Content-Length", "Transfer-Encoding", "Authorization", "Cookie", "X-Forwarded-For", "Forwarded", "Via",
        "Content-Type", "Expect", "Range", "Max-Forwards",
    )
] + [("a connection option that is no token", "9110 7.6.1", with_fields(b"Connection: clo se"), 400)]  # fmt: skip
EXPECTATIONS = [
    ("an expectation that cannot be met", "9110 10.1.1", with_fields(b"Expect: 200-ok"), 417),
    ("100-continue with a parameter", "9110 10.1.1", with_fields(b"Expect: 100-continue; a=b"), 417),
]
ROWS = [*LINES, *SHAPES, *HOSTS, *FRAMING, *LOOKALIKES, *CONNECTION, *EXPECTATIONS]
TABLE = pytest.mark.parametrize(
    ("head", "status"), [row[2:] for row in ROWS], ids=[f"{claim} - RFC {section}" for claim, section, _, _ in ROWS]
)


@TABLE
def test_is_refused(head: bytes, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        read_request_head(head)
    assert refused.value.status == status
    assert refused.value.reason.isascii()


@TABLE
def test_is_refused_when_it_comes_octet_by_octet(head: bytes, status: int) -> None:
    reader = read(RequestReader(), octet_by_octet(head))
    assert (reader.status, reader.messages) == (status, 0)


def test_the_claims_are_all_different() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS) >= 80
