"""Header fields on their way through: what is removed, what is added, whose word is believed (RFC 9110 section 7.6, RFC 7239)."""

import pytest

from tests.proxy.wire import Message, ask, dial
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, service_of, workers


def request(*lines: str, first: str = "GET /p?q HTTP/1.1", host: str = "shop.example:8080") -> bytes:
    return "\r\n".join((first, f"Host: {host}", *lines, "", "")).encode("latin-1")


async def forwarded(proxy: Workers, octets: bytes, **settings: object) -> Message:
    """The request as the replica sees it."""
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica:
        proxy.serve(service_of(replica.address), **settings)
        assert (await ask(proxy.port, octets)).status == 200
    return seen[0]


HOP_BY_HOP = [
    ("Connection", "keep-alive"),
    ("Keep-Alive", "timeout=5"),
    ("Proxy-Connection", "keep-alive"),
    ("TE", "gzip"),
    ("Upgrade", "chat/1"),
    ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
]


@pytest.mark.parametrize(("name", "value"), HOP_BY_HOP, ids=[f"{name} does not reach the replica" for name, _ in HOP_BY_HOP])
async def test_hop_by_hop(proxy: Workers, name: str, value: str) -> None:
    assert (await forwarded(proxy, request(f"{name}: {value}"))).field(name) is None


async def test_fields_named_by_connection_do_not_reach_the_replica(proxy: Workers) -> None:
    seen = await forwarded(
        proxy, request("X-One: 1", "Connection: x-one, X-TWO", "x-Two: 2", "Connection: x-three", "X-Three: 3")
    )
    assert [seen.field(name) for name in ("x-one", "x-two", "x-three", "connection")] == [None] * 4


@pytest.mark.parametrize("name", ["Host", "Authorization", "Cookie", "X-Forwarded-For", "Content-Length"])
async def test_connection_cannot_take_away(proxy: Workers, name: str) -> None:
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address))
        assert (await ask(proxy.port, request(f"Connection: {name}", "Cookie: a=1"))).status == 400
        assert replica.connections == []


async def test_fields_named_by_an_answer_s_connection_do_not_reach_the_client(proxy: Workers) -> None:
    octets = (
        b"HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\n"
        b"X-Kept: 2\r\nContent-Length: 0\r\n\r\n"
    )
    async with witness(answering(octets)) as replica:
        proxy.serve(service_of(replica.address))
        answer = await ask(proxy.port)
    names = ("connection", "x-secret", "keep-alive", "proxy-connection", "x-kept")
    assert [answer.field(name) for name in names] == [None, None, None, None, "2"]


async def test_the_other_fields_keep_their_order_spelling_and_repetition(proxy: Workers) -> None:
    fields = "aCCept: */*\r\nX-Empty:\r\nX-Tab:\tz \r\nCookie: a=1\r\nX-Latin: \xe9\r\nCookie: b=2\r\n"
    seen = await forwarded(proxy, request(*fields.removesuffix("\r\n").split("\r\n")))
    assert fields.encode("latin-1") in seen.raw


async def test_te_trailers_is_said_anew(proxy: Workers) -> None:
    seen = await forwarded(proxy, request("TE: gzip, trailers", "Connection: te"))
    assert (seen.field("te"), seen.field("connection")) == ("trailers", "TE")


@pytest.mark.parametrize(
    ("first", "version"), [("GET / HTTP/1.1", "1.1"), ("GET / HTTP/1.0", "1.0")], ids=["of HTTP/1.1", "of HTTP/1.0"]
)
async def test_via_is_added_to_a_request(proxy: Workers, first: str, version: str) -> None:
    assert (await forwarded(proxy, request("Via: 1.1 far", first=first))).field("via") == f"1.1 far, {version} ecluse"


@pytest.mark.parametrize(("line", "version"), [("HTTP/1.1", "1.1"), ("HTTP/1.0", "1.0")], ids=["of HTTP/1.1", "of HTTP/1.0"])
async def test_via_is_added_to_an_answer(proxy: Workers, line: str, version: str) -> None:
    octets = f"{line} 200 OK\r\nVia: 1.1 far\r\nContent-Length: 0\r\n\r\n".encode()
    async with witness(answering(octets)) as replica:
        proxy.serve(service_of(replica.address))
        assert (await ask(proxy.port)).field("via") == f"1.1 far, {version} ecluse"


CLAIMS = (
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: public.example",
    "Forwarded: for=203.0.113.9;proto=https",
)


def told(seen: Message) -> list[str | None]:
    return [seen.field(name) for name in ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded")]


@pytest.mark.parametrize("trusted", [(), ("192.0.2.0/24",), ("::1",)], ids=["no proxy", "another network", "another address"])
async def test_a_client_s_claims_are_replaced_where_what_is_trusted_is(proxy: Workers, trusted: tuple[str, ...]) -> None:
    seen = await forwarded(proxy, request(*CLAIMS), trusted_proxies=trusted)
    assert told(seen) == ["127.0.0.1", "http", "shop.example:8080", 'for=127.0.0.1;host="shop.example:8080";proto=http']


@pytest.mark.parametrize("trusted", [("127.0.0.1",), ("127.0.0.0/8",)], ids=["an address", "a network"])
async def test_a_trusted_proxy_s_claims_are_kept_and_added_to(proxy: Workers, trusted: tuple[str, ...]) -> None:
    seen = await forwarded(proxy, request(*CLAIMS), trusted_proxies=trusted)
    assert told(seen) == [
        "203.0.113.9, 127.0.0.1",
        "https",
        "public.example",
        'for=203.0.113.9;proto=https, for=127.0.0.1;host="shop.example:8080";proto=http',
    ]


async def test_a_client_s_ipv6_address_is_told_as_rfc_7239_wants_it() -> None:
    with workers(address="::1") as proxy:
        seen: list[Message] = []
        async with witness(answering(seen=seen)) as replica, dial(proxy.port, "::1") as client:
            proxy.serve(service_of(replica.address))
            await client.send(request())
            await client.answer()
    assert told(seen[0])[0] == "::1"
    assert 'for="[::1]"' in (seen[0].field("forwarded") or "")


@pytest.mark.parametrize(
    ("first", "target", "host"),
    [
        ("GET http://other.example/a?b HTTP/1.1", "/a?b", "other.example"),
        ("GET http://other.example:81 HTTP/1.1", "/", "other.example:81"),
        ("GET HTTP://Other.Example?b HTTP/1.1", "/?b", "Other.Example"),
        ("OPTIONS http://other.example HTTP/1.1", "*", "other.example"),
        ("OPTIONS * HTTP/1.1", "*", "shop.example:8080"),
    ],
    ids=["with a path", "without one", "with a query alone", "of OPTIONS without a path", "asterisk"],
)
async def test_an_absolute_target_names_the_host(proxy: Workers, first: str, target: str, host: str) -> None:
    seen = await forwarded(proxy, request(first=first))
    assert (seen.target, seen.field("host"), seen.field("x-forwarded-host")) == (target, host, host)


async def test_max_forwards_of_options_is_counted_down(proxy: Workers) -> None:
    assert (await forwarded(proxy, request("Max-Forwards: 5", first="OPTIONS / HTTP/1.1"))).field("max-forwards") == "4"


async def test_options_with_max_forwards_0_ends_here(proxy: Workers) -> None:
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address))
        assert (await ask(proxy.port, request("Max-Forwards: 0", first="OPTIONS / HTTP/1.1"))).status == 200
        assert replica.connections == []


async def test_a_repeated_header_block_is_not_mixed_up_with_the_first_lines_around_it(proxy: Workers) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for first in ("GET /1 HTTP/1.1", "DELETE /2 HTTP/1.1", "GET http://x.example/3 HTTP/1.1", "GET /4 HTTP/1.1"):
            await client.send(request(first=first))
            await client.answer()
    assert [(message.first, message.field("host")) for message in seen] == [
        ("GET /1 HTTP/1.1", "shop.example:8080"),
        ("DELETE /2 HTTP/1.1", "shop.example:8080"),
        ("GET /3 HTTP/1.1", "x.example"),
        ("GET /4 HTTP/1.1", "shop.example:8080"),
    ]
