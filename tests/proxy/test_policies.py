"""Which replica gets how many requests, counted at the replicas."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest

from balancer.table import Policy, RouteEntry
from tests.proxy.wire import Message, Wire, ask, dial
from tests.proxy.witness import Script, witness
from tests.proxy.workers import Workers, service_of, table_of
from tests.support import wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def named(name: str, gate: asyncio.Event | None = None) -> Script:
    """Answer with the name, once the gate is open."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name.encode())

    async def script(wire: Wire, _number: int) -> None:
        while True:
            await wire.request()
            if gate is not None:
                await gate.wait()
            await wire.send(answer)

    return script


@asynccontextmanager
async def replicas(*names: str, **gates: asyncio.Event) -> AsyncIterator[list[str]]:
    """Replicas by name; a name in `gates` answers only once its gate is open."""
    async with AsyncExitStack() as stack:
        yield [(await stack.enter_async_context(witness(named(name, gates.get(name))))).address for name in names]


async def tally(proxy: Workers, count: int) -> Counter[str]:
    """How many of so many requests, one after the other, each replica answered."""
    seen: Counter[str] = Counter()
    async with dial(proxy.port) as client:
        for _ in range(count):
            await client.send(GET)
            seen[(await client.answer()).body.decode()] += 1
    return seen


async def test_round_robin_gives_each_its_turn(proxy: Workers) -> None:
    async with replicas("a", "b", "c") as addresses:
        proxy.serve(service_of(*addresses, policy=Policy.ROUND_ROBIN))
        assert await tally(proxy, 30) == {"a": 10, "b": 10, "c": 10}


async def test_round_robin_honours_weights_exactly_and_spreads_them(proxy: Workers) -> None:
    async with replicas("a", "b", "c") as addresses:
        proxy.serve(service_of(*addresses, policy=Policy.ROUND_ROBIN, weights=(5, 2, 1)))
        assert await tally(proxy, 8) == {"a": 5, "b": 2, "c": 1}
        assert (await tally(proxy, 4))["a"] < 4  # not all of the heaviest one's turns in a row


@pytest.mark.parametrize("policy", [Policy.RANDOM, Policy.P2C, Policy.LEAST_REQUEST])
async def test_idle_replicas_of_one_weight_share_alike(proxy: Workers, policy: Policy) -> None:
    async with replicas("a", "b", "c") as addresses:
        proxy.serve(service_of(*addresses, policy=policy))
        seen = await tally(proxy, 300)
    assert set(seen) == {"a", "b", "c"}
    assert min(seen.values()) > 50  # binomial(300, 1/3): 50 is more than six deviations below the mean


@pytest.mark.parametrize("policy", [Policy.RANDOM, Policy.P2C])
async def test_weights_draw_in_proportion(proxy: Workers, policy: Policy) -> None:
    async with replicas("a", "b") as addresses:
        proxy.serve(service_of(*addresses, policy=policy, weights=(4, 1)))
        seen = await tally(proxy, 200)
    assert seen["a"] > 2 * seen["b"] > 0 if policy is Policy.RANDOM else seen["a"] > 2 * seen["b"]


@pytest.mark.parametrize("policy", [Policy.P2C, Policy.LEAST_REQUEST])
async def test_a_busy_replica_is_avoided(proxy: Workers, policy: Policy) -> None:
    gate = asyncio.Event()
    async with replicas("slow", "fast", slow=gate) as addresses:
        proxy.serve(service_of(*addresses, policy=policy))
        async with AsyncExitStack() as stack:
            busy: list[Wire] = []
            answered = proxy.replica(1).requests
            while not proxy.in_flight(0):  # until one hangs there
                busy.append(await stack.enter_async_context(dial(proxy.port)))
                await busy[-1].send(GET)
                await wait_until(lambda: proxy.in_flight(0) + proxy.replica(1).requests == answered + len(busy))
            assert await tally(proxy, 20) == {"fast": 20}
            gate.set()
            for client in busy:
                await client.answer()


async def test_least_request_weighs_load_by_weight(proxy: Workers) -> None:
    gate = asyncio.Event()
    async with replicas("a", "b", a=gate, b=gate) as addresses, AsyncExitStack() as stack:
        proxy.serve(service_of(*addresses, policy=Policy.LEAST_REQUEST, weights=(3, 1)))
        clients = [await stack.enter_async_context(dial(proxy.port)) for _ in range(8)]
        for number, client in enumerate(clients, 1):
            await client.send(GET)
            await wait_until(partial(lambda count: proxy.in_flight(0) + proxy.in_flight(1) == count, number))
        assert (proxy.in_flight(0), proxy.in_flight(1)) == (6, 2)
        gate.set()
        for client in clients:
            await client.answer()


async def test_load_is_counted_over_all_workers(pair: Workers) -> None:
    gate = asyncio.Event()
    async with replicas("a", "b", a=gate, b=gate) as addresses, AsyncExitStack() as stack:
        pair.serve(service_of(*addresses, policy=Policy.LEAST_REQUEST))
        clients = [await stack.enter_async_context(dial(pair.port)) for _ in range(20)]
        for number, client in enumerate(clients, 1):
            await client.send(GET)
            await wait_until(partial(lambda count: pair.in_flight(0) + pair.in_flight(1) == count, number))
        assert (pair.in_flight(0), pair.in_flight(1)) == (10, 10)
        assert all(pair.scoreboard.worker(row).connections > 0 for row in range(2))  # both took part
        gate.set()
        for client in clients:
            await client.answer()


async def test_services_are_told_apart_by_host_and_path(proxy: Workers) -> None:
    names = ("shop", "api", "wild", "rest")
    async with replicas(*names) as addresses:
        services = [service_of(addresses[slot], name=name, slot=slot) for slot, name in enumerate(names)]
        routes = (
            RouteEntry("shop.example", "/", "shop"),
            RouteEntry("shop.example", "/api", "api"),
            RouteEntry("*.example", "/", "wild"),
            RouteEntry("", "/rest", "rest"),
        )
        proxy.use(table_of(*services, routes=routes))
        expected = {
            ("shop.example", "/"): "shop",
            ("SHOP.Example:8080", "/apix"): "shop",
            ("shop.example", "/api"): "api",
            ("shop.example", "/api/v1?x"): "api",
            ("shop.example", "/api?x"): "api",
            ("other.example", "/api"): "wild",
            ("a.b.example", "/"): "wild",
            ("else.where", "/rest/x"): "rest",
            ("else.where", "/"): "404",
            ("example", "/"): "404",
        }
        got = {}
        for host, path in expected:
            answer: Message = await ask(proxy.port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            got[host, path] = answer.body.decode() if answer.status == 200 else str(answer.status)
        assert got == expected
        assert proxy.scoreboard.worker(0).no_route > 0
