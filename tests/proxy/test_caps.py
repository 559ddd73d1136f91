"""A cap that is learned: a worker in front of a replica that can do so much at once and no more."""

import asyncio

from tests.proxy.wire import Wire, dial
from tests.proxy.witness import OK, Script, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
SERVICE_S = 0.02


def carrying(places: int) -> Script:
    """So many at once; the others wait inside, which nobody outside sees but by its latency."""
    free = asyncio.Semaphore(places)

    async def script(wire: Wire, _number: int) -> None:
        while True:
            await wire.request()
            async with free:
                await asyncio.sleep(SERVICE_S)
            await wire.send(OK)

    return script


async def test_a_learned_cap_keeps_a_replica_from_being_flooded(proxy: Workers) -> None:
    async with witness(carrying(6)) as replica:
        proxy.serve(service_of(replica.address, adaptive=True, queue=1000))
        stop = asyncio.Event()

        async def client() -> None:
            async with dial(proxy.port) as wire:
                while not stop.is_set():
                    await wire.send(GET)
                    assert (await wire.answer()).status == 200

        clients = [asyncio.create_task(client()) for _ in range(60)]
        await wait_until(lambda: proxy.service().cap > 5, 10)
        await asyncio.sleep(8)  # it has long found its place by then
        assert 4 <= proxy.service().cap <= 25
        assert proxy.in_flight() <= proxy.service().cap
        assert proxy.service().waiting > 30
        stop.set()
        await asyncio.gather(*clients)


async def test_a_configured_cap_is_the_most_that_is_learned(proxy: Workers) -> None:
    async with witness(carrying(100)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address, adaptive=True, max_concurrency=3))
        await client.send(GET)
        assert (await client.answer()).status == 200
        await wait_until(lambda: proxy.service().cap == 3)
        proxy.serve(service_of(replica.address))
        await wait_until(lambda: proxy.service().cap == 0)
