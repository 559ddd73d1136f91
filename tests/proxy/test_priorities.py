"""Whose turn it is where there is a line, who is turned away where it is full, and how a wait without hope is cut short."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from balancer.table import Policy, Priority, RouteEntry
from tests.proxy.wire import Message, Wire, ask, dial
from tests.proxy.witness import OK, Script, silent, witness
from tests.proxy.workers import Workers, service_of, settings_of, table_of
from tests.support import wait_until

ROUTES = tuple(RouteEntry("", f"/{priority.value}", "app", priority) for priority in Priority)


def get(target: str) -> bytes:
    return f"GET /{target} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


def table(address: str, queue: int, queue_timeout_s: float = 10.0):
    return table_of(service_of(address, max_concurrency=1, queue=queue, queue_timeout_s=queue_timeout_s), routes=ROUTES)


async def line_up(proxy: Workers, stack: AsyncExitStack, *targets: str) -> list[asyncio.Task[Message]]:
    """One request after the other, each in flight or in line before the next."""
    before = proxy.in_flight() + proxy.service().waiting
    tasks = []
    for number, target in enumerate(targets, 1):
        client = await stack.enter_async_context(dial(proxy.port))
        await client.send(get(target))
        tasks.append(asyncio.create_task(client.answer()))
        await wait_until(partial(lambda count: proxy.in_flight() + proxy.service().waiting == count, before + number))
    return tasks


async def test_higher_priorities_go_first_and_equals_as_they_came(proxy: Workers) -> None:
    until, seen = asyncio.Event(), []
    async with witness(silent(until, seen)) as replica, AsyncExitStack() as stack:
        proxy.use(table(replica.address, 100))
        order = ["normal/0", "low/1", "normal/2", "high/3", "low/4", "high/5"]
        tasks = await line_up(proxy, stack, *order)
        until.set()
        assert {(await task).status for task in tasks} == {200}
        came = [request.target.removeprefix("/") for request in seen]
        assert came == ["normal/0", "high/3", "high/5", "normal/2", "low/1", "low/4"]


async def test_where_the_line_is_full_a_higher_priority_takes_the_newest_lower_ones_place(proxy: Workers) -> None:
    until = asyncio.Event()
    async with witness(silent(until)) as replica, AsyncExitStack() as stack:
        proxy.use(table(replica.address, 4))
        tasks = await line_up(proxy, stack, "normal/0", "low/1", "low/2", "normal/3", "normal/4")
        assert (await ask(proxy.port, get("low/5"))).status == 503
        first = asyncio.create_task(ask(proxy.port, get("high/6")))
        assert (await tasks[2]).status == 503  # low/2
        second = asyncio.create_task(ask(proxy.port, get("normal/7")))
        assert (await tasks[1]).status == 503  # low/1
        assert (await ask(proxy.port, get("normal/8"))).status == 503  # nobody is below it
        until.set()
        others = [await task for task in (tasks[0], tasks[3], tasks[4], first, second)]
        assert [answer.status for answer in others] == [200] * 5


async def test_low_priorities_fill_half_of_the_line_at_most(proxy: Workers) -> None:
    until = asyncio.Event()
    async with witness(silent(until)) as replica, AsyncExitStack() as stack:
        proxy.use(table(replica.address, 4))
        tasks = await line_up(proxy, stack, "normal/0", "low/1", "low/2")
        assert (await ask(proxy.port, get("low/3"))).status == 503
        tasks += await line_up(proxy, stack, "normal/4", "normal/5")
        until.set()
        assert {(await task).status for task in tasks} == {200}


async def test_priorities_hold_over_all_workers(pair: Workers) -> None:
    until, seen = asyncio.Event(), []
    async with witness(silent(until, seen)) as replica, AsyncExitStack() as stack:
        pair.use(table(replica.address, 100))
        tasks = await line_up(pair, stack, "normal/0", *[f"{'high' if n % 3 == 0 else 'low'}/{n}" for n in range(1, 16)])
        until.set()
        assert {(await task).status for task in tasks} == {200}
        came = [request.target.split("/")[1] for request in seen]
        assert came == ["normal"] + ["high"] * 5 + ["low"] * 10


def pausing(pause_s: float) -> Script:
    async def script(wire: Wire, _number: int) -> None:
        while True:
            await wire.request()
            await asyncio.sleep(pause_s)
            await wire.send(OK)

    return script


async def test_a_wait_without_hope_is_cut_short_and_told_how_long_it_would_be(proxy: Workers) -> None:
    """The replica answers 50 a second, so of 400 in line most would wait for longer than a second."""
    async with witness(pausing(0.02)) as replica:
        service = service_of(replica.address, max_concurrency=1, queue=1000, queue_timeout_s=1.0, policy=Policy.P2C)
        proxy.use(table_of(service, settings=settings_of()))
        loop = asyncio.get_running_loop()
        took: list[tuple[int, float, int]] = []
        stop = loop.time() + 4.0

        async def client() -> None:
            while loop.time() < stop:
                began = loop.time()
                answer = await ask(proxy.port, get("x"))
                took.append((answer.status, loop.time() - began, int(answer.field("retry-after") or 0)))
                if answer.status == 503:
                    await asyncio.sleep(0.2)

        await asyncio.gather(*[client() for _ in range(150)])
        at_once = [hint for status, waited_s, hint in took if status == 503 and waited_s < 0.5]
        assert len(at_once) > 100
        assert set(at_once) <= {1, 2, 3, 4}
        assert [status for status, _, _ in took].count(200) > 100
