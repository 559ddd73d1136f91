"""Rate limits, limits of bodies and of connections: who is turned away, in which words, and that it holds over all workers."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from balancer.table import Per, RateLimit, RouteEntry
from tests.proxy.wire import Message, ask, dial
from tests.proxy.witness import Witness, answering, witness
from tests.proxy.workers import Workers, service_of, settings_of, table_of
from tests.support import wait_until

SLOW = 0.01  # requests per second: no second token within a test


def get(*lines: bytes, target: bytes = b"/") -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: test\r\n%b\r\n" % (target, b"".join(line + b"\r\n" for line in lines))


def limited(replica: Witness, *rates: RateLimit, routes: tuple[RouteEntry, ...] = (), **settings):
    return table_of(service_of(replica.address, rates=rates), routes=routes, settings=settings_of(**settings))


async def statuses(proxy: Workers, *requests: bytes) -> list[int]:
    return [(await ask(proxy.port, request)).status for request in requests]


async def test_beyond_the_burst_a_request_is_answered_429_and_told_when_to_come_again(proxy: Workers) -> None:
    before = proxy.service().rate_limited
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica:
        proxy.use(limited(replica, RateLimit(Per.ALL, SLOW, 3)))
        answers = [await ask(proxy.port, get()) for _ in range(5)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
        assert 95 <= int(answers[-1].field("retry-after") or 0) <= 100
        assert len(seen) == 3
        assert proxy.service().rate_limited == before + 2


async def test_the_connection_of_who_is_limited_goes_on(proxy: Workers) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.use(limited(replica, RateLimit(Per.HEADER, SLOW, 1, "X-Key")))
        for key, status in ((b"a", 200), (b"a", 429), (b"b", 200)):
            await client.send(get(b"X-Key: " + key))
            assert (await client.answer()).status == status


async def test_tokens_come_back_at_the_rate(proxy: Workers) -> None:
    async with witness(answering()) as replica:
        proxy.use(limited(replica, RateLimit(Per.ALL, 20.0, 1)))
        began = time.monotonic()
        passed = 0
        while passed < 5:
            passed += (await ask(proxy.port, get())).status == 200
        assert time.monotonic() - began >= 4 / 20 - 0.001


async def test_each_value_of_a_header_has_a_bucket_and_who_has_none_is_not_limited(proxy: Workers) -> None:
    async with witness(answering()) as replica:
        proxy.use(limited(replica, RateLimit(Per.HEADER, SLOW, 1, "X-Key")))
        keyed = [get(b"x-key: %d" % number) for number in range(20)]
        assert await statuses(proxy, *keyed) == [200] * 20
        assert await statuses(proxy, *keyed) == [429] * 20
        assert await statuses(proxy, get(), get(), get()) == [200] * 3


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        pytest.param(b"198.51.100.1", b"198.51.100.1", True, id="the same address"),
        pytest.param(b"198.51.100.2", b"198.51.100.3", False, id="two addresses"),
        pytest.param(b"2001:db8:1:2::1", b"2001:db8:1:2:ffff::9", True, id="two of one IPv6 subscriber"),
        pytest.param(b"2001:db8:1:3::1", b"2001:db8:1:4::1", False, id="two IPv6 subscribers"),
        pytest.param(
            b"198.51.100.4", b"203.0.113.1, 198.51.100.4", True, id="what the client said of itself before counts nothing"
        ),
    ],
)
async def test_clients_behind_a_trusted_proxy_are_told_apart(proxy: Workers, first: bytes, second: bytes, together: bool) -> None:
    async with witness(answering()) as replica:
        proxy.use(limited(replica, RateLimit(Per.ADDRESS, SLOW, 1), trusted_proxies=("127.0.0.0/8",)))
        found = await statuses(proxy, get(b"X-Forwarded-For: " + first), get(b"X-Forwarded-For: " + second))
        assert found == [200, 429 if together else 200]


async def test_who_is_not_trusted_cannot_be_somebody_else(proxy: Workers) -> None:
    async with witness(answering()) as replica:
        proxy.use(limited(replica, RateLimit(Per.ADDRESS, SLOW, 1)))
        assert await statuses(proxy, *[get(b"X-Forwarded-For: 198.51.100.%d" % n) for n in range(3)]) == [200, 429, 429]


async def test_a_route_has_limits_of_its_own(proxy: Workers) -> None:
    async with witness(answering()) as replica:
        login = RouteEntry("", "/login", "app", rates=(RateLimit(Per.ALL, SLOW, 1),))
        proxy.use(limited(replica, routes=(RouteEntry("", "/", "app"), login)))
        assert await statuses(proxy, get(), get(), get(target=b"/login"), get(target=b"/login/x"), get()) == [
            200,
            200,
            200,
            429,
            200,
        ]


async def test_a_limit_holds_over_all_workers(pair: Workers) -> None:
    """The bound: one more for each worker beyond the second, that is, none here."""
    async with witness(answering()) as replica:
        pair.use(limited(replica, RateLimit(Per.ALL, SLOW, 20)))
        answers = await asyncio.gather(*[ask(pair.port, get()) for _ in range(120)])
        assert [answer.status for answer in answers].count(200) == 20
        assert min(pair.scoreboard.worker(row).accepted for row in range(2)) > 0


async def test_what_was_taken_stays_taken_when_a_worker_dies(pair: Workers) -> None:
    async with witness(answering()) as replica:
        pair.use(limited(replica, RateLimit(Per.ALL, SLOW, 4)))
        assert await statuses(pair, *[get()] * 4) == [200] * 4
        pair.processes[0].kill()
        pair.succeed(0)
        assert await statuses(pair, *[get()] * 8) == [429] * 8


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_route_may_take_larger_or_smaller_bodies(proxy: Workers, framing: str) -> None:
    def post(target: bytes, size: int) -> bytes:
        head = b"POST %b HTTP/1.1\r\nHost: test\r\n" % target
        if framing == "length":
            return head + b"Content-Length: %d\r\n\r\n" % size + bytes(size)
        return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, bytes(size))

    async with witness(answering()) as replica:
        small = RouteEntry("", "/small", "app", body=100)
        proxy.use(limited(replica, routes=(RouteEntry("", "/", "app"), small), body=1000))
        requests = [post(b"/small", 100), post(b"/small", 101), post(b"/", 1000), post(b"/", 1001)]
        assert await statuses(proxy, *requests) == [200, 413, 200, 413]


async def test_a_client_has_so_many_connections_over_all_workers(pair: Workers) -> None:
    async with witness(answering()) as replica, AsyncExitStack() as stack:
        pair.use(limited(replica, connections_per_client=6))
        clients = [await stack.enter_async_context(dial(pair.port)) for _ in range(6)]
        for client in clients:
            await client.send(get())
            assert (await client.answer()).status == 200
        late = await stack.enter_async_context(dial(pair.port))
        refused = await late.answer()
        assert (refused.status, refused.field("connection")) == (429, "close")
        clients[0].close()
        await wait_until(lambda: pair.connections() == 5)
        assert (await ask(pair.port, get())).status == 200


async def test_a_trusted_proxy_stands_for_many_clients(proxy: Workers) -> None:
    async with witness(answering()) as replica, AsyncExitStack() as stack:
        proxy.use(limited(replica, connections_per_client=1, trusted_proxies=("127.0.0.1",)))
        for _ in range(3):
            client = await stack.enter_async_context(dial(proxy.port))
            await client.send(get())
            assert (await client.answer()).status == 200


async def test_the_connections_of_a_worker_that_died_do_not_count(pair: Workers) -> None:
    async with witness(answering()) as replica:
        pair.use(limited(replica, connections_per_client=2))
        async with AsyncExitStack() as stack:
            for _ in range(2):
                client = await stack.enter_async_context(dial(pair.port))
                await client.send(get())
                await client.answer()
            for row in range(2):
                pair.processes[row].kill()
                pair.succeed(row)
        assert await statuses(pair, get(), get(), get()) == [200] * 3
