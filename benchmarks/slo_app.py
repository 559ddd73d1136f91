"""`python -m benchmarks.slo_app KIND PORT [START]`: an application for benchmarks, alike in everything but what a request costs.

cpu     burns BURN_S of processor time, in the one thread there is
wait    waits WAIT_S (a third more or less), any number at a time
limit   the same for HOLD_S, LIMIT at a time; the others queue

It listens after START seconds, 0 unless given.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random

BURN_S = 0.010
WAIT_S = 0.100
HOLD_S = 0.050
LIMIT = 4
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"

Work = Callable[[], Awaitable[None]]


async def burn() -> None:
    end_s = time.process_time() + BURN_S
    while time.process_time() < end_s:
        pass


async def wait(random: Random, mean_s: float) -> None:
    await asyncio.sleep(mean_s * random.uniform(2 / 3, 4 / 3))


async def limited(places: asyncio.Semaphore, random: Random) -> None:
    async with places:
        await wait(random, HOLD_S)


def work_of(kind: str) -> Work:
    """What a request costs. Raises KeyError for another kind."""
    random = Random()
    works: dict[str, Work] = {
        "cpu": burn,
        "wait": partial(wait, random, WAIT_S),
        "limit": partial(limited, asyncio.Semaphore(LIMIT), random),
    }
    return works[kind]


async def serve(work: Work, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Requests without bodies, one after the other, until the client has enough. GET /healthz costs nothing."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"GET /healthz "):
                await work()
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(kind: str, port: str, start_s: str = "0") -> None:
    await asyncio.sleep(float(start_s))
    server = await asyncio.start_server(partial(serve, work_of(kind)), "127.0.0.1", int(port), backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
