"""Requests that are not carried: each gets the right status, a short reason in the form it accepts, and never a hang."""

import json

import pytest

from balancer.table import RouteEntry
from tests.proxy.wire import Message, ask, dial
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, service_of, settings_of, table_of
from tests.support import wait_until

HOST = b"Host: test\r\n"


def get(fields: bytes = HOST, line: bytes = b"GET / HTTP/1.1\r\n") -> bytes:
    return line + fields + b"\r\n"


def post(fields: bytes, body: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


SMALL = {"request_line": 64, "head": 256, "fields": 5, "body": 10}
TE = b"Transfer-Encoding: chunked\r\n"

REFUSED: list[tuple[int, str, bytes]] = [
    (400, "no Host", get(b"")),
    (400, "two Hosts", get(HOST + HOST)),
    (400, "a Host that is none", get(b"Host: a b\r\n")),
    (400, "an empty Host with a user part", get(b"Host: user@test\r\n")),
    (400, "a space before the colon", get(HOST + b"X : 1\r\n")),
    (400, "a folded line", get(HOST + b"X: 1\r\n 2\r\n")),
    (400, "a line without a colon", get(HOST + b"X\r\n")),
    (400, "an empty field name", get(HOST + b": 1\r\n")),
    (400, "NUL in a value", get(HOST + b"X: a\0b\r\n")),
    (400, "CR in a value", get(HOST + b"X: a\rb\r\n")),
    (400, "LF alone at a line's end", get(HOST + b"X: 1\n")),
    (400, "LF alone everywhere", b"GET / HTTP/1.1\nHost: test\n\n"),
    (400, "a non-ASCII field name", get(HOST + b"X\xe9: 1\r\n")),
    (400, "two spaces in the request line", get(line=b"GET  / HTTP/1.1\r\n")),
    (400, "a tab in the request line", get(line=b"GET\t/ HTTP/1.1\r\n")),
    (400, "no version", get(line=b"GET /\r\n")),
    (400, "a version in lower case", get(line=b"GET / http/1.1\r\n")),
    (400, "a relative target", get(line=b"GET path HTTP/1.1\r\n")),
    (400, "a fragment in the target", get(line=b"GET /#x HTTP/1.1\r\n")),
    (400, "the asterisk for another method than OPTIONS", get(line=b"GET * HTTP/1.1\r\n")),
    (400, "a foreign scheme", get(line=b"GET ftp://test/ HTTP/1.1\r\n")),
    (400, "a non-ASCII target", get(line=b"GET /\xe9 HTTP/1.1\r\n")),
    (400, "a method that is no token", get(line=b"G(T / HTTP/1.1\r\n")),
    (400, "TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    (400, "two lengths", post(b"Content-Length: 1\r\nContent-Length: 1\r\n", b"x")),
    (400, "a list of lengths", post(b"Content-Length: 1, 1\r\n", b"x")),
    (400, "a signed length", post(b"Content-Length: +1\r\n", b"x")),
    (400, "a hexadecimal length", post(b"Content-Length: 0x1\r\n", b"x")),
    (400, "an empty length", post(b"Content-Length:\r\n")),
    (400, "a length beyond 64 bits", post(b"Content-Length: 18446744073709551617\r\n", b"x")),
    (400, "length and chunks", post(TE + b"Content-Length: 1\r\n", b"0\r\n\r\n")),
    (400, "chunked twice", post(TE + TE, b"0\r\n\r\n")),
    (400, "chunked, chunked", post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n")),
    (400, "chunked before another coding", post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n")),
    (400, "chunked with a vertical tab", post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n")),
    (400, "chunks from an HTTP/1.0 client", b"POST / HTTP/1.0\r\n" + HOST + TE + b"\r\n0\r\n\r\n"),
    (400, "a chunk size that is no number", post(TE, b"x\r\n\r\n")),
    (400, "a chunk size with a sign", post(TE, b"+1\r\nx\r\n0\r\n\r\n")),
    (400, "a chunk size with 0x", post(TE, b"0x1\r\nx\r\n0\r\n\r\n")),
    (400, "a chunk size with a space", post(TE, b"1 \r\nx\r\n0\r\n\r\n")),
    (400, "a chunk size of 17 digits", post(TE, b"10000000000000001\r\nx")),
    (400, "an empty chunk size", post(TE, b"\r\n\r\n")),
    (400, "a chunk longer than it says", post(TE, b"1\r\nxy\r\n0\r\n\r\n")),
    (400, "a chunk line ended by LF", post(TE, b"1\nx\n0\n\n")),
    (400, "endless chunk extensions", post(TE, b"1;" + b"x" * 5000)),
    (400, "a trailer that is no field", post(TE, b"0\r\nbad trailer\r\n\r\n")),
    (400, "an underscore where a dash is meant", post(b"Content_Length: 1\r\n")),
    (405, "CONNECT", get(line=b"CONNECT test:443 HTTP/1.1\r\n")),
    (405, "TRACE", get(line=b"TRACE / HTTP/1.1\r\n")),
    (413, "a body larger than allowed", post(b"Content-Length: 11\r\n")),
    (413, "chunks larger than allowed", post(TE, b"b\r\nhello world\r\n")),
    (414, "a long request line", get(line=b"GET /" + b"x" * 64 + b" HTTP/1.1\r\n")),
    (414, "a request line without end", b"GET /" + b"x" * 300),
    (417, "an expectation nobody can meet", post(b"Expect: wonders\r\n")),
    (431, "a large head", get(HOST + b"X: " + b"x" * 256 + b"\r\n")),
    (431, "a head without end", b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 500),
    (431, "many fields", get(HOST + b"".join(b"X-%d: 1\r\n" % number for number in range(6)))),
    (501, "a transfer coding that is not known", post(b"Transfer-Encoding: gzip\r\n")),
    (505, "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (505, "HTTP/1.2", get(line=b"GET / HTTP/1.2\r\n")),
    (505, "HTTP/0.9", get(line=b"GET / HTTP/0.9\r\n")),
]  # fmt: skip


@pytest.mark.parametrize(("status", "octets"), [pytest.param(s, o, id=f"{s} for {claim}") for s, claim, o in REFUSED])
@pytest.mark.parametrize("drip", [False, True], ids=["whole", "octet by octet"])
async def test_refused(proxy: Workers, status: int, octets: bytes, drip: bool) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), **SMALL)
        try:
            await (client.drip(octets) if drip else client.send(octets))
        except ConnectionError:
            assert drip  # it need not hear us out
        answer = await client.answer()
        assert (answer.status, answer.field("connection")) == (status, "close")
        assert answer.body.startswith(b"%d " % status)
        assert await client.ends()
        assert seen == []  # no replica got a whole request out of it


PASSED = [
    ("a request line of exactly the limit", get(line=b"GET /" + b"x" * 50 + b" HTTP/1.1\r\n")),
    ("a head of exactly the limit", get(HOST + b"X: " + b"x" * (256 - 35) + b"\r\n")),
    ("exactly as many fields as allowed", get(HOST + b"A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n")),
    ("a body of exactly the limit", post(b"Content-Length: 10\r\n", b"x" * 10)),
    ("chunks of exactly the limit, their framing aside", post(TE, b"1\r\nx\r\n" * 10 + b"0\r\n\r\n")),
    ("an empty field value", get(HOST + b"X:\r\n")),
    ("an unknown method", get(line=b"PROPFIND / HTTP/1.1\r\n")),
    ("an IPv6 Host", get(b"Host: [::1]:8080\r\n")),
    ("chunked in capitals", post(b"Transfer-Encoding: CHUNKED\r\n", b"0\r\n\r\n")),
    ("a length with leading zeros", post(b"Content-Length: 0010\r\n", b"x" * 10)),
]


@pytest.mark.parametrize("octets", [pytest.param(octets, id=claim) for claim, octets in PASSED])
async def test_not_refused(proxy: Workers, octets: bytes) -> None:
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address), **SMALL)
        assert (await ask(proxy.port, octets)).status == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        pytest.param(b"", "text/plain; charset=utf-8", id="plain text where nothing is said"),
        pytest.param(b"Accept: text/html, */*\r\n", "text/plain; charset=utf-8", id="plain text for a browser"),
        pytest.param(b"Accept: application/json\r\n", "application/json", id="JSON where it is accepted"),
    ],
)
@pytest.mark.parametrize("status", [404, 405, 413, 502, 503])
async def test_reason_is_given_as(proxy: Workers, accept: bytes, kind: str, status: int) -> None:
    service = service_of() if status == 503 else service_of("127.0.0.1:1")
    route = RouteEntry("", "/elsewhere" if status == 404 else "/", "app")
    proxy.use(table_of(service, routes=(route,), settings=settings_of(body=5)))
    octets = {
        405: b"TRACE / HTTP/1.1\r\n" + HOST + accept + b"\r\n",
        413: b"POST / HTTP/1.1\r\nContent-Length: 6\r\n" + HOST + accept + b"\r\n",
    }.get(status, get(HOST + accept))
    answer = await ask(proxy.port, octets)
    assert (answer.status, answer.field("content-type")) == (status, kind)
    if kind == "application/json":
        body = json.loads(answer.body)
        assert body["status"] == status
        assert body["reason"]
    else:
        assert answer.body.startswith(b"%d " % status)
        assert answer.body.endswith(b"\n")
    assert (answer.field("retry-after") is not None) == (status == 503)
    assert (answer.field("allow") is not None) == (status == 405)


async def test_head_is_told_without_a_body(proxy: Workers) -> None:
    async with dial(proxy.port) as client:
        proxy.serve(service_of())
        for _ in range(2):
            await client.send(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
            assert (await client.answer("HEAD")).status == 503


async def test_a_connection_survives_answers_of_the_proxy_s_own(proxy: Workers) -> None:
    async with dial(proxy.port) as client:
        proxy.serve(service_of())
        for _ in range(3):
            await client.send(get())
            assert (await client.answer()).status == 503


async def test_nothing_is_read_behind_a_body_that_was_too_large(proxy: Workers) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body=4)
        await client.send(post(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n") + get())
        answer = await client.answer()
        assert (answer.status, answer.field("connection")) == (413, "close")
        assert await client.ends()


async def test_connections_over_the_limit_are_answered_503_and_closed(proxy: Workers) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as first, dial(proxy.port) as second:
        proxy.serve(service_of(replica.address), connections=2)
        for client in (first, second):
            await client.send(get())
            await client.answer()
        async with dial(proxy.port) as third:
            with proxy.stopped():
                await third.send(get())
            answer = await third.answer()
            assert (answer.status, answer.field("connection")) == (503, "close")
            assert await third.ends()
        first.close()
        await wait_until(lambda: proxy.connections() == 1)
        assert (await ask(proxy.port)).status == 200
        assert proxy.scoreboard.worker(0).refused > 0
