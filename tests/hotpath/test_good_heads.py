"""Request heads that are accepted, what is read from them, and what a replica gets to see. Each row: claim, section of an RFC, ..."""

import pytest

from balancer.hotpath.fields import parse_response_block, parse_trailers
from balancer.hotpath.forwarding import added_fields
from tests.hotpath.driver import Request, read_request_head

LINE = b"GET / HTTP/1.1\r\n"
HOST = b"Host: a.example\r\n"
PEER = b"192.0.2.7"


def request(line: bytes, *fields: bytes, host: bytes = HOST) -> Request:
    return read_request_head(line + b"\r\n" + host + b"".join(field + b"\r\n" for field in fields) + b"\r\n")


def fields(*lines: bytes, host: bytes = HOST) -> Request:
    return request(b"POST / HTTP/1.1", *lines, host=host)


def lines_for_replica(head: Request, peer: bytes = PEER, trusted: bool = False) -> list[bytes]:
    sent = head.block.kept + added_fields(head.block, peer, head.minor, trusted)
    assert sent.endswith(b"\r\n\r\n")
    return sent[:-4].split(b"\r\n")


def names(lines: list[bytes]) -> list[bytes]:
    return [line.partition(b":")[0].lower() for line in lines]


def table(*rows: tuple) -> pytest.MarkDecorator:
    ids = [f"{row[0]} - RFC {row[1]}" for row in rows]
    assert len(set(ids)) == len(ids)
    return pytest.mark.parametrize(("head", "expected"), [row[2:] for row in rows], ids=ids)


@table(
    ("a path and a query stay as they are", "9112 3.2.1", request(b"GET /a%2Fb//c/../d?x=/?y HTTP/1.1"), b"/a%2Fb//c/../d?x=/?y"),
    ("characters that URIs should not have but browsers send", "3986 2", request(b'GET /|^`{}"<>\\ HTTP/1.1'), b'/|^`{}"<>\\'),
    ("the asterisk of OPTIONS", "9112 3.2.4", request(b"OPTIONS * HTTP/1.1"), b"*"),
    ("an absolute target becomes its path", "9112 3.2.2", request(b"GET http://b.example/x?y HTTP/1.1"), b"/x?y"),
    ("an absolute target with no path gets one", "9110 4.2.3", request(b"GET http://b.example HTTP/1.1"), b"/"),
    ("an absolute target of OPTIONS with no path", "9112 3.2.4", request(b"OPTIONS http://b.example HTTP/1.1"), b"*"),
    ("an absolute target with only a query gets a path", "9110 4.2.3", request(b"GET http://b.example?x HTTP/1.1"), b"/?x"),
    ("a scheme in capitals", "3986 3.1", request(b"GET HTTPS://b.example/x HTTP/1.1"), b"/x"),
)
def test_target(head: Request, expected: bytes) -> None:
    assert head.target == expected


@table(
    ("a Host as it came", "9110 7.2", fields(host=b"Host: Shop.Example:8080\r\n"), {"authority": b"Shop.Example:8080"}),
    (
        "routes see the name in lower case, without port",
        "9110 4.2.3",
        fields(host=b"Host: Shop.Example:8080\r\n"),
        {"host": b"shop.example"},
    ),
    ("a final dot says nothing", "1034 3.1", fields(host=b"Host: shop.example.\r\n"), {"host": b"shop.example"}),
    ("an empty port says nothing", "3986 3.2.3", fields(host=b"Host: shop.example:\r\n"), {"host": b"shop.example"}),
    ("an IPv6 Host keeps its brackets", "3986 3.2.2", fields(host=b"Host: [2001:DB8::1]:80\r\n"), {"host": b"[2001:db8::1]"}),
    ("an underscore in a Host", "3986 3.2.2", fields(host=b"Host: my_app\r\n"), {"host": b"my_app"}),
    ("a percent-encoded Host", "3986 3.2.2", fields(host=b"Host: a%2Fb\r\n"), {"host": b"a%2fb"}),
    ("white space around a Host", "9110 5.5", fields(host=b"hOsT:\t a.example \t\r\n"), {"host": b"a.example"}),
    (
        "the authority of an absolute target wins",
        "9112 3.2.2",
        request(b"GET http://b.example:1/ HTTP/1.1"),
        {"authority": b"b.example:1", "host": b"b.example"},
    ),
    ("HTTP/1.0 without a Host", "9112 3.2", request(b"GET / HTTP/1.0", host=b""), {"hosts": 0, "host": b""}),
    (
        "HTTP/1.0 with an absolute target",
        "9112 3.2.2",
        request(b"GET http://b.example/ HTTP/1.0", host=b""),
        {"host": b"b.example"},
    ),
    ("no length", "9112 6.3", fields(), {"length": -1, "chunked": False}),
    ("a length", "9110 8.6", fields(b"Content-Length: 42"), {"length": 42}),
    ("a length of 0", "9110 8.6", fields(b"Content-Length: 0"), {"length": 0}),
    ("a length with zeros before it is still decimal", "9110 8.6", fields(b"Content-Length: 010"), {"length": 10}),
    ("the largest length", "9110 8.6", fields(b"Content-Length: 999999999999999999"), {"length": 10**18 - 1}),
    ("chunked, whatever its case", "9112 7", fields(b"transfer-encoding: \tChunKed "), {"chunked": True, "length": -1}),
    ("close", "9112 9.3", fields(b"Connection: Close"), {"close": True, "keep_alive": False}),
    ("keep-alive", "9112 9.3", fields(b"Connection: Keep-Alive"), {"close": False, "keep_alive": True}),
    ("close beats keep-alive", "9112 9.3", fields(b"Connection: keep-alive, close"), {"close": True, "keep_alive": False}),
    (
        "options over two fields and with empty members",
        "9110 5.6.1",
        fields(b"Connection: ,", b"Connection: , close,"),
        {"close": True},
    ),
    ("an upgrade", "9110 7.8", fields(b"Connection: upgrade", b"Upgrade: WebSocket"), {"upgrade": b"WebSocket"}),
    ("an upgrade that Connection does not name", "9110 7.8", fields(b"Upgrade: websocket"), {"upgrade": b""}),
    (
        "an upgrade with a body is an ordinary request",
        "9110 7.8",
        fields(b"Connection: upgrade", b"Upgrade: websocket", b"Content-Length: 1"),
        {"upgrade": b"", "length": 1},
    ),
    (
        "an upgrade with chunks is an ordinary request",
        "9110 7.8",
        fields(b"Connection: upgrade", b"Upgrade: websocket", b"Transfer-Encoding: chunked"),
        {"upgrade": b"", "chunked": True},
    ),
    (
        "h2c is not offered",
        "7540 3.2",
        fields(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: H2C", b"HTTP2-Settings: x"),
        {"upgrade": b""},
    ),
    (
        "h2c is not offered in a list",
        "9110 7.8",
        fields(b"Connection: upgrade", b"Upgrade: websocket, h2c"),
        {"upgrade": b"websocket"},
    ),
    ("h2c is not offered with a version", "9110 7.8", fields(b"Connection: upgrade", b"Upgrade: h2c/1"), {"upgrade": b""}),
    (
        "h2c is not offered in a second field",
        "9110 7.8",
        fields(b"Connection: upgrade", b"Upgrade: websocket", b"Upgrade: h2c"),
        {"upgrade": b"websocket"},
    ),
    (
        "h2c is not offered in disguise",
        "9110 7.8",
        fields(b"Connection: upgrade", b'Upgrade: "h2c", h2c;a, \th2c\t'),
        {"upgrade": b""},
    ),
    (
        "HTTP/2.0 and TLS are not offered",
        "2817 3",
        fields(b"Connection: upgrade", b"Upgrade: HTTP/2.0, TLS/1.0"),
        {"upgrade": b""},
    ),
    (
        "several protocols",
        "9110 7.8",
        fields(b"Connection: upgrade", b"Upgrade: websocket", b"Upgrade: foo/2"),
        {"upgrade": b"websocket, foo/2"},
    ),
    ("TE: trailers", "9110 10.1.4", fields(b"Connection: TE", b"TE: gzip, Trailers"), {"trailers": True}),
    ("TE that Connection does not name", "9110 10.1.4", fields(b"TE: trailers"), {"trailers": False}),
    ("TE with a word that only contains it", "9110 10.1.4", fields(b"Connection: TE", b"TE: notrailers"), {"trailers": False}),
    ("Max-Forwards", "9110 7.6.2", fields(b"Max-Forwards: 5"), {"max_forwards": 5}),
    ("Max-Forwards that is no number", "9110 7.6.2", fields(b"Max-Forwards: five"), {"max_forwards": -1}),
    ("octets above ASCII in a value", "9110 5.5", fields(b"X-Forwarded-For: \xc3\xa9\xff"), {"forwarded_for": b"\xc3\xa9\xff"}),
    ("an empty value", "9110 5.5", fields(b"X-Forwarded-For:"), {"forwarded_for": b""}),
)
def test_says(head: Request, expected: dict[str, object]) -> None:
    assert {name: getattr(head.block, name) for name in expected} == expected


@table(
    (
        "ordinary fields, in order and octet for octet",
        "9110 5.3",
        fields(b"B: 1", b"a:2", b"B:  3 "),
        [b"B: 1", b"a:2", b"B:  3 "],
    ),
    ("Content-Length", "9112 6.2", fields(b"Content-Length: 5"), [b"Content-Length: 5"]),
    ("chunked in its plainest form", "9112 7", fields(b"transfer-encoding:CHUNKED"), [b"Transfer-Encoding: chunked"]),
    (
        "an upgrade",
        "9110 7.8",
        fields(b"Connection: keep-alive, Upgrade", b"Upgrade: websocket"),
        [b"Connection: upgrade", b"Upgrade: websocket"],
    ),
    ("TE: trailers", "9110 10.1.4", fields(b"Connection: te", b"TE: trailers"), [b"Connection: TE", b"TE: trailers"]),
    ("Host as it came", "9110 7.2", fields(host=b"Host: A.example:80\r\n"), [b"Host: A.example:80"]),
    ("the Host of an absolute target", "9112 3.2.2", request(b"GET http://b.example:1/ HTTP/1.1"), [b"Host: b.example:1"]),
    ("a Host for HTTP/1.0 without one", "9112 3.2", request(b"GET / HTTP/1.0", host=b""), [b"Host: localhost"]),
    ("Via after those of other proxies", "9110 7.6.3", fields(b"Via: 1.0 near"), [b"Via: 1.0 near", b"Via: 1.1 ecluse"]),
    ("Via with the client's version", "9110 7.6.3", request(b"GET / HTTP/1.0"), [b"Via: 1.0 ecluse"]),
    ("Max-Forwards, one less", "9110 7.6.2", fields(b"Max-Forwards: 5"), [b"Max-Forwards: 4"]),
    (
        "the client's address, replacing what it said",
        "7239 8.1",
        fields(b"X-Forwarded-For: 10.0.0.1"),
        [b"X-Forwarded-For: 192.0.2.7"],
    ),
    ("the scheme, replacing what it said", "7239 5.4", fields(b"X-Forwarded-Proto: https"), [b"X-Forwarded-Proto: http"]),
    ("the Host, replacing what it said", "7239 5.3", fields(b"X-Forwarded-Host: evil"), [b"X-Forwarded-Host: a.example"]),
    (
        "Forwarded, replacing what it said",
        "7239 4",
        fields(b"Forwarded: for=10.0.0.1"),
        [b'Forwarded: for=192.0.2.7;host="a.example";proto=http'],
    ),
    ("an expectation, which is for the replica", "9110 10.1.1", fields(b"Expect: 100-continue"), [b"Expect: 100-continue"]),
)
def test_a_replica_gets(head: Request, expected: list[bytes]) -> None:
    lines = lines_for_replica(head)
    same_name = [line for line in lines if line.partition(b":")[0].lower() in names(expected)]
    assert same_name == expected


@table(
    (
        "what Connection names",
        "9110 7.6.1",
        fields(b"Connection: X-Hop, close", b"X-Hop: 1", b"x-hop: 2"),
        [b"connection", b"x-hop"],
    ),
    (
        "Keep-Alive and Proxy-Connection",
        "9110 7.6.1",
        fields(b"Keep-Alive: 5", b"Proxy-Connection: close"),
        [b"keep-alive", b"proxy-connection"],
    ),
    ("TE that Connection does not name", "9110 10.1.4", fields(b"TE: trailers"), [b"te", b"connection"]),
    ("an upgrade that Connection does not name", "9110 7.8", fields(b"Upgrade: websocket"), [b"upgrade", b"connection"]),
    (
        "an upgrade by HTTP/1.0",
        "9110 7.8",
        request(b"GET / HTTP/1.0", b"Connection: upgrade", b"Upgrade: websocket"),
        [b"upgrade", b"connection"],
    ),
    (
        "HTTP2-Settings",
        "7540 3.2.1",
        fields(b"Connection: upgrade", b"Upgrade: h2c", b"HTTP2-Settings: AA"),
        [b"http2-settings", b"upgrade"],
    ),
    (
        "the word of an unknown client about itself",
        "7239 8.1",
        fields(b"X-Forwarded-Port: 1", b"X-Forwarded-Prefix: /x", b"X-Real-IP: ::1"),
        [b"x-forwarded-port", b"x-forwarded-prefix", b"x-real-ip"],
    ),
    (
        "an X-Forwarded-Host that nobody gave",
        "7239 5.3",
        request(b"GET / HTTP/1.0", b"X-Forwarded-Host: evil", host=b""),
        [b"x-forwarded-host"],
    ),
    ("Max-Forwards that is no number", "9110 7.6.2", fields(b"Max-Forwards: five"), [b"max-forwards"]),
)
def test_a_replica_does_not_get(head: Request, expected: list[bytes]) -> None:
    assert not set(names(lines_for_replica(head))) & set(expected)


@table(
    (
        "addresses with the proxy's own behind",
        "7239 5.2",
        fields(b"X-Forwarded-For: 10.1.1.1", b"X-Forwarded-For: 10.2.2.2"),
        b"X-Forwarded-For: 10.1.1.1, 10.2.2.2, 192.0.2.7",
    ),
    ("its scheme", "7239 5.4", fields(b"X-Forwarded-Proto: https"), b"X-Forwarded-Proto: https"),
    ("its Host", "7239 5.3", fields(b"X-Forwarded-Host: b.example"), b"X-Forwarded-Host: b.example"),
    (
        "its Forwarded with one element more",
        "7239 4",
        fields(b"Forwarded: for=10.1.1.1"),
        b'Forwarded: for=10.1.1.1, for=192.0.2.7;host="a.example";proto=http',
    ),
    ("its other words about the client", "7239 8.1", fields(b"X-Forwarded-Port: 443"), b"x-forwarded-port: 443"),
    ("the Host where it says none", "7239 5.3", fields(), b"X-Forwarded-Host: a.example"),
)
def test_from_a_trusted_proxy_a_replica_gets(head: Request, expected: bytes) -> None:
    assert expected in lines_for_replica(head, trusted=True)


def test_an_ipv6_client_is_bracketed_and_quoted_in_forwarded_only() -> None:
    lines = lines_for_replica(fields(), peer=b"2001:db8::1")
    assert b"X-Forwarded-For: 2001:db8::1" in lines
    assert b'Forwarded: for="[2001:db8::1]";host="a.example";proto=http' in lines


@pytest.mark.parametrize(
    ("block", "kept"),
    [
        pytest.param(b"X-A : 1\r\n", b"X-A: 1\r\n", id="white space before the colon is taken out - RFC 9112 5.1"),
        pytest.param(
            b"Connection: X-B, close\r\nX-B: 1\r\nX-A: 1\r\n", b"X-A: 1\r\n", id="what Connection names goes - RFC 9110 7.6.1"
        ),
        pytest.param(b"Connection: Set-Cookie\r\nSet-Cookie: a\r\n", b"Set-Cookie: a\r\n", id="but not what is for the client"),
        pytest.param(b"Keep-Alive: timeout=5\r\nUpgrade: h2c\r\n", b"", id="hop-by-hop fields go - RFC 9110 7.6.1"),
        pytest.param(
            b"Content-Length: 5\r\nX_Forwarded_For: 1\r\n", b"Content-Length: 5\r\nX_Forwarded_For: 1\r\n", id="the rest stays"
        ),
    ],
)
def test_of_an_answer_s_fields_a_client_gets(block: bytes, kept: bytes) -> None:
    assert parse_response_block(block).kept == kept


@pytest.mark.parametrize(
    ("block", "kept"),
    [
        pytest.param(b"X-Sum: 1\r\nServer-Timing: a\r\n", b"X-Sum: 1\r\nServer-Timing: a\r\n", id="trailers go on"),
        pytest.param(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"", id="framing does not - RFC 9110 6.5.1"),
        pytest.param(b"Host: b\r\nAuthorization: x\r\nCookie: y\r\n", b"", id="routing and credentials do not - RFC 9110 6.5.1"),
        pytest.param(b"X-Forwarded-For: 1\r\nX_Forwarded_For: 1\r\nx-real-ip: 1\r\n", b"", id="nor does word about the client"),
    ],
)
def test_of_trailers(block: bytes, kept: bytes) -> None:
    assert parse_trailers(block) == kept
