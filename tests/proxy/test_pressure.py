"""A worker that runs short of connections or of memory: who is turned away then, and that the others are not."""

import asyncio
from contextlib import AsyncExitStack

from balancer.table import RouteEntry, ServiceEntry
from tests.proxy.wire import ask, dial
from tests.proxy.witness import answering, silent, witness
from tests.proxy.workers import Workers, service_of, settings_of, table_of
from tests.support import wait_until

ROUTES = (RouteEntry("", "/", "hung"), RouteEntry("", "/good", "good"))


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


def services(hung: str, good: str) -> tuple[ServiceEntry, ServiceEntry]:
    return service_of(hung, name="hung"), service_of(good, name="good", slot=1)


async def test_a_service_that_hangs_leaves_the_others_their_connections(proxy: Workers) -> None:
    until = asyncio.Event()
    async with witness(silent(until)) as hung, witness(answering()) as good, AsyncExitStack() as stack:
        proxy.use(table_of(*services(hung.address, good.address), routes=ROUTES, settings=settings_of(connections=50)))
        shed = proxy.service(0).shed
        clients = []
        for number in range(45):
            client = await stack.enter_async_context(dial(proxy.port))
            await client.send(get("/"))
            clients.append(client)
            await wait_until(lambda number=number: proxy.in_flight(0) + proxy.service(0).shed - shed == number + 1)
            if proxy.service(0).shed > shed:
                break
            await asyncio.sleep(0.11 if number >= 39 else 0)  # the worker looks ten times a second
        assert proxy.in_flight(0) >= 40
        refused = await clients[-1].answer()
        assert (refused.status, refused.field("connection"), refused.field("retry-after")) == (503, "close", "1")
        assert (await ask(proxy.port, get("/good"))).status == 200
        until.set()
        for client in clients[:-1]:
            assert (await client.answer()).status == 200


async def test_one_service_alone_may_use_all_but_a_fifth(proxy: Workers) -> None:
    async with witness(answering()) as good:
        proxy.use(table_of(service_of(good.address, name="good"), settings=settings_of(connections=30)))
        answers = await asyncio.gather(*[ask(proxy.port, get("/")) for _ in range(20)])
        assert {answer.status for answer in answers} == {200}
