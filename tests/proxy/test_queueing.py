"""Caps, lines and holding: how many requests a replica gets at once, and what becomes of those beyond."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from balancer.table import Policy, ReplicaState
from tests.proxy.wire import Message, Wire, ask, dial
from tests.proxy.witness import OK, Script, answering, silent, witness
from tests.proxy.workers import Workers, in_state, service_of, table_of
from tests.support import wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


class Gauge:
    """How many requests a replica had at once, at most."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.total = 0

    def script(self, pause_s: float) -> Script:
        async def script(wire: Wire, _number: int) -> None:
            while True:
                await wire.request()
                self.now += 1
                self.total += 1
                self.most = max(self.most, self.now)
                await asyncio.sleep(pause_s)
                self.now -= 1  # before the answer: the next one may come as soon as it is out
                await wire.send(OK)

        return script


async def until_taken(proxy: Workers, count: int) -> None:
    """Wait until so many requests are in flight or in line."""
    await wait_until(lambda: proxy.in_flight() + proxy.service().waiting == count)


async def load(proxy: Workers, clients: int, requests: int) -> list[int]:
    """So many clients at once, each with so many requests: all their statuses."""
    statuses: list[int] = []

    async def client() -> None:
        async with dial(proxy.port) as wire:
            for _ in range(requests):
                await wire.send(GET)
                statuses.append((await wire.answer()).status)

    await asyncio.gather(*[client() for _ in range(clients)])
    return statuses


@pytest.mark.parametrize("cap", [1, 3])
@pytest.mark.parametrize("policy", list(Policy))
async def test_no_replica_gets_more_than_max_concurrency_from_one_worker(proxy: Workers, policy: Policy, cap: int) -> None:
    one, two = Gauge(), Gauge()
    async with witness(one.script(0.001)) as first, witness(two.script(0.001)) as second:
        proxy.serve(service_of(first.address, second.address, policy=policy, max_concurrency=cap))
        assert await load(proxy, 20, 10) == [200] * 200
    assert max(one.most, two.most) <= cap
    assert one.total + two.total == 200
    assert min(one.total, two.total) > 0


@pytest.mark.parametrize("cap", [1, 2, 5])
async def test_no_replica_gets_more_than_max_concurrency_from_two_workers_together(pair: Workers, cap: int) -> None:
    gauge = Gauge()
    async with witness(gauge.script(0.001)) as replica:
        pair.serve(service_of(replica.address, max_concurrency=cap))
        assert await load(pair, 30, 10) == [200] * 300
    assert gauge.most <= cap
    assert all(pair.scoreboard.worker(row).accepted > 0 for row in range(2))


async def test_with_a_cap_of_one_and_two_workers_nobody_starves(pair: Workers) -> None:
    """50 clients for a replica that takes one request at a time: each gets its answer about as late as the others."""
    gauge = Gauge()
    async with witness(gauge.script(0.001)) as replica, AsyncExitStack() as stack:
        pair.serve(service_of(replica.address, max_concurrency=1, queue_timeout_s=10.0))
        clients = [await stack.enter_async_context(dial(pair.port)) for _ in range(50)]
        rounds: list[int] = []

        async def run(client: Wire) -> None:
            for number in range(6):
                await client.send(GET)
                assert (await client.answer()).status == 200
                rounds.append(number)

        await asyncio.gather(*[run(client) for client in clients])
    assert gauge.most == 1
    middle = rounds[: len(rounds) // 2]  # halfway, nobody is far ahead of anybody
    assert max(middle) <= 4
    assert all(middle.count(number) > 0 for number in range(2))


async def test_waiting_requests_are_served_in_order_of_arrival(proxy: Workers) -> None:
    seen: list[Message] = []
    go_on = asyncio.Event()

    async with witness(silent(go_on, seen)) as replica, AsyncExitStack() as stack:
        proxy.serve(service_of(replica.address, max_concurrency=1))
        clients = [await stack.enter_async_context(dial(proxy.port)) for _ in range(10)]
        for number, client in enumerate(clients):
            await client.send(b"GET /%d HTTP/1.1\r\nHost: test\r\n\r\n" % number)
            await until_taken(proxy, number + 1)
        go_on.set()
        for client in clients:
            assert (await client.answer()).status == 200
    assert [request.target for request in seen] == [f"/{number}" for number in range(10)]


async def test_requests_of_two_workers_are_served_in_order_of_arrival(pair: Workers) -> None:
    seen: list[Message] = []
    go_on = asyncio.Event()

    async with witness(silent(go_on, seen)) as replica, AsyncExitStack() as stack:
        pair.serve(service_of(replica.address, max_concurrency=1))
        clients = [await stack.enter_async_context(dial(pair.port)) for _ in range(12)]
        for number, client in enumerate(clients):
            await client.send(b"GET /%d HTTP/1.1\r\nHost: test\r\n\r\n" % number)
            await until_taken(pair, number + 1)
        go_on.set()
        for client in clients:
            assert (await client.answer()).status == 200
    order = [int(request.target[1:]) for request in seen]
    assert sorted(order) == list(range(12))
    assert max(abs(place - number) for place, number in enumerate(order)) <= 2  # a sibling has to be woken first


async def test_a_full_queue_is_answered_503_with_retry_after_at_once(proxy: Workers) -> None:
    go_on = asyncio.Event()
    before = proxy.service().shed
    async with witness(silent(go_on)) as replica, AsyncExitStack() as stack:
        proxy.serve(service_of(replica.address, max_concurrency=1, queue=2))
        clients = [await stack.enter_async_context(dial(proxy.port)) for _ in range(3)]
        for client in clients:
            await client.send(GET)
        await wait_until(lambda: proxy.service().waiting == 2)
        answer = await ask(proxy.port)
        assert answer.status == 503
        assert int(answer.field("retry-after") or 0) > 0
        assert proxy.service().shed == before + 1
        go_on.set()
        assert [(await client.answer()).status for client in clients] == [200] * 3


async def test_without_a_queue_what_is_over_the_cap_is_answered_503(proxy: Workers) -> None:
    go_on = asyncio.Event()
    async with witness(silent(go_on)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address, max_concurrency=1, queue=0))
        await client.send(GET)
        await wait_until(lambda: proxy.in_flight() == 1)
        assert (await ask(proxy.port)).status == 503
        go_on.set()
        assert (await client.answer()).status == 200


async def test_the_queue_is_one_for_both_workers(pair: Workers) -> None:
    go_on = asyncio.Event()
    async with witness(silent(go_on)) as replica, AsyncExitStack() as stack:
        pair.serve(service_of(replica.address, max_concurrency=1, queue=4))
        clients = [await stack.enter_async_context(dial(pair.port)) for _ in range(12)]
        for number, client in enumerate(clients, 1):
            await client.send(GET)
            await until_taken(pair, min(number, 5))
        refused = [asyncio.create_task(client.answer()) for client in clients[5:]]
        assert [(await task).status for task in refused] == [503] * 7
        go_on.set()
        assert [(await client.answer()).status for client in clients[:5]] == [200] * 5


async def test_a_request_that_waits_too_long_is_answered_503(proxy: Workers) -> None:
    before = proxy.service().wait_timeouts
    async with witness(silent()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address, max_concurrency=1, queue_timeout_s=0.3))
        await client.send(GET)
        await wait_until(lambda: proxy.in_flight() == 1)
        answer = await ask(proxy.port)
        assert (answer.status, answer.field("retry-after") is not None) == (503, True)
        assert proxy.service().wait_timeouts == before + 1


@pytest.mark.parametrize("body", [b"", b"x" * 1000], ids=["without a body", "with one"])
async def test_a_client_that_leaves_the_line_is_not_served_any_more(proxy: Workers, body: bytes) -> None:
    seen: list[Message] = []
    go_on = asyncio.Event()

    async with witness(silent(go_on, seen)) as replica, dial(proxy.port) as first, dial(proxy.port) as second:
        proxy.serve(service_of(replica.address, max_concurrency=1))
        await first.send(GET)
        await wait_until(lambda: proxy.in_flight() == 1)
        second.send_what_fits(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await wait_until(lambda: proxy.service().waiting == 1)
        second.reset()
        await wait_until(lambda: proxy.service().waiting == 0)
        go_on.set()
        assert (await first.answer()).status == 200
        assert (await ask(proxy.port)).status == 200
    assert [request.first.split()[0] for request in seen] == ["GET", "GET"]


async def test_a_request_with_a_body_waits_and_is_then_sent_whole(proxy: Workers) -> None:
    seen: list[Message] = []
    go_on = asyncio.Event()

    async with witness(silent(go_on, seen)) as replica, dial(proxy.port) as first, dial(proxy.port) as second:
        proxy.serve(service_of(replica.address, max_concurrency=1))
        await first.send(GET)
        await wait_until(lambda: proxy.in_flight() == 1)
        body = bytes(range(256)) * 4000
        sending = asyncio.create_task(
            second.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        )
        await wait_until(lambda: proxy.service().waiting == 1)
        go_on.set()
        assert [(await first.answer()).status, (await second.answer()).status] == [200, 200]
        await sending
        assert seen[1].body == body


async def test_a_raised_cap_serves_those_who_wait(proxy: Workers) -> None:
    go_on = asyncio.Event()
    async with witness(silent(go_on)) as replica, AsyncExitStack() as stack:
        service = service_of(replica.address, max_concurrency=1)
        proxy.serve(service)
        clients = [await stack.enter_async_context(dial(proxy.port)) for _ in range(4)]
        for client in clients:
            await client.send(GET)
        await wait_until(lambda: proxy.service().waiting == 3)
        proxy.serve(replace(service, max_concurrency=3))
        await wait_until(lambda: proxy.in_flight() == 3)
        proxy.serve(replace(service, max_concurrency=0))
        await wait_until(lambda: proxy.in_flight() == 4)
        go_on.set()
        assert [(await client.answer()).status for client in clients] == [200] * 4


async def test_a_new_replica_serves_those_who_wait_for_another(proxy: Workers) -> None:
    async with witness(silent()) as busy, witness(answering()) as fresh, dial(proxy.port) as first, dial(proxy.port) as second:
        proxy.serve(service_of(busy.address, max_concurrency=1))
        await first.send(GET)
        await wait_until(lambda: proxy.in_flight() == 1)
        await second.send(GET)
        await wait_until(lambda: proxy.service().waiting == 1)
        proxy.serve(service_of(busy.address, fresh.address, max_concurrency=1))
        assert (await second.answer()).status == 200


async def test_a_cap_is_kept_when_refused_connections_send_requests_elsewhere(proxy: Workers) -> None:
    gauge = Gauge()
    async with witness(gauge.script(0.001)) as replica:
        proxy.serve(service_of("127.0.0.1:1", replica.address, max_concurrency=2))
        assert set(await load(proxy, 20, 5)) == {200}
    assert gauge.most <= 2


async def test_who_closes_its_side_in_line_gives_up_its_place_and_is_told_so(proxy: Workers) -> None:
    """A client that has left looks just the same, and must not take a place from one that has not."""
    release = asyncio.Event()
    async with witness(silent(release)) as replica, dial(proxy.port) as first, dial(proxy.port) as leaving:
        proxy.serve(service_of(replica.address, max_concurrency=1))
        await first.send(GET)
        await until_taken(proxy, 1)
        await leaving.send(GET)
        await until_taken(proxy, 2)
        leaving.finish()
        assert (await leaving.answer()).status == 503
        assert await leaving.ends()
        assert proxy.service().waiting == 0
        release.set()


async def test_who_has_tried_every_replica_that_is_left_does_not_hold_up_the_line(proxy: Workers) -> None:
    """The first in line has tried one replica and waits for the other one, which then leaves."""
    release = asyncio.Event()

    async def fails_once(wire: Wire, number: int) -> None:
        await wire.request()
        if number:
            await wire.send(OK)

    async with witness(fails_once) as first, witness(silent(release)) as second:
        service = service_of(first.address, second.address, max_concurrency=1)
        async with dial(proxy.port) as holding, dial(proxy.port) as stuck, dial(proxy.port) as behind:
            proxy.use(table_of(in_state(service, ReplicaState.DRAINING, 0)))
            await holding.send(GET)
            await wait_until(lambda: proxy.in_flight(1) == 1)
            proxy.use(table_of(service))
            await stuck.send(GET)
            await until_taken(proxy, 1)
            await wait_until(lambda: first.ended == [0])
            await behind.send(GET)
            proxy.use(table_of(in_state(service, ReplicaState.DRAINING, 1)))
            assert (await stuck.answer()).status == 502
            assert (await behind.answer()).status == 200
            release.set()
            assert (await holding.answer()).status == 200
