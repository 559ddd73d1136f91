"""Requests that are held while no replica is READY: for how long, how many, and who is told."""

import time
from contextlib import AsyncExitStack

from balancer.table import ReplicaState
from tests.proxy.wire import ask, dial
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, in_state, service_of
from tests.support import wait_until, wait_until_blocking

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


async def test_held_requests_are_answered_once_a_table_has_a_ready_replica(proxy: Workers) -> None:
    proxy.messages.clear()
    async with witness(answering()) as replica, AsyncExitStack() as stack:
        ready = service_of(replica.address, hold=True, hold_timeout_s=10.0)
        proxy.serve(in_state(ready, ReplicaState.STARTING))
        clients = [await stack.enter_async_context(dial(proxy.port)) for _ in range(5)]
        for client in clients:
            await client.send(GET)
        await wait_until(lambda: proxy.service().waiting == 5)
        assert proxy.heard("wake")[0]["service"] == "app"
        proxy.serve(ready)
        assert [(await client.answer()).status for client in clients] == [200] * 5


async def test_wake_is_reported_at_a_bounded_rate(proxy: Workers) -> None:
    proxy.serve(service_of(name="sleepy", hold=True, hold_timeout_s=0.2, max_held=1))
    proxy.messages.clear()
    began_s = time.monotonic()
    async with AsyncExitStack() as stack:
        for _ in range(200):
            client = await stack.enter_async_context(dial(proxy.port))
            await client.send(GET)
        await wait_until(lambda: proxy.connections() == 200)
        assert 1 <= len(proxy.heard("wake")) <= 2 + (time.monotonic() - began_s) / 0.1


async def test_more_than_max_held_are_answered_503_at_once(proxy: Workers) -> None:
    async with dial(proxy.port) as first, dial(proxy.port) as second:
        proxy.serve(service_of(hold=True, hold_timeout_s=0.5, max_held=2))
        await first.send(GET)
        await second.send(GET)
        await wait_until(lambda: proxy.service().waiting == 2)
        assert (await ask(proxy.port)).status == 503
        assert proxy.service().waiting == 2
        assert [(await client.answer()).status for client in (first, second)] == [503, 503]  # after the hold timeout


async def test_held_requests_of_a_service_that_is_removed_are_still_answered(proxy: Workers) -> None:
    async with dial(proxy.port) as client, witness(answering()) as other:
        proxy.serve(service_of(hold=True, hold_timeout_s=0.5))
        await client.send(GET)
        await wait_until(lambda: proxy.service().waiting == 1)
        proxy.serve(service_of(other.address, name="other", slot=1))
        assert (await client.answer()).status in {200, 404, 503}
        wait_until_blocking(lambda: proxy.service().waiting == 0)
