"""Answers to clients that read slowly: held up at the replica, delivered whole whatever happens meanwhile, in bounded memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.proxy.wire import Wire, dial, steady
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, service_of, workers
from tests.support import wait_until

MIB = 1024 * 1024
# More than the narrow sockets below take, and less than half of what a peer may send at first (64 KiB): the kernel hands out a larger
# write in two pieces, and between them the proxy would stop to read, as it should, and the replica could not have given it all away.
BODY = bytes(24_000)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


@pytest.fixture
def narrow() -> Iterator[Workers]:
    """A worker whose sockets to clients hold a few KiB, so that the end of a small answer stays in the worker."""
    with workers(send_buffer=4096) as proxy:
        yield proxy
        assert "Traceback" not in proxy.complaints()


@asynccontextmanager
async def answered_but_not_read(
    proxy: Workers, request: bytes = GET, half_close: bool = False, **timeouts: float
) -> AsyncIterator[Wire]:
    """A client whose answer the replica has given away whole, and which has read nothing of it."""
    async with witness(answering(ANSWER)) as replica, dial(proxy.port, receive_buffer=4096) as client:
        proxy.serve(service_of(replica.address), **timeouts)
        await client.send(request)
        if half_close:
            client.finish()
        await wait_until(lambda: proxy.replica().status[1] == 1)
        yield client


async def test_the_idle_timeout_does_not_cut_an_answer_that_is_still_being_taken(narrow: Workers) -> None:
    async with answered_but_not_read(narrow, idle_s=0.3, head_s=0.3) as client:
        async with dial(narrow.port) as other:
            assert await other.ends()  # so the time has passed
        assert (await client.answer()).body == BODY
        await client.send(GET)
        assert (await client.answer()).body == BODY


async def test_a_drain_does_not_cut_an_answer_that_is_still_being_taken(narrow: Workers) -> None:
    async with answered_but_not_read(narrow) as client:
        narrow.drain(10.0)
        await steady(narrow.connections)
        assert (await client.answer()).body == BODY
        await wait_until(lambda: narrow.processes[0].poll() == 0)


async def test_half_a_request_and_half_close_do_not_cut_the_answer_before(narrow: Workers) -> None:
    async with answered_but_not_read(narrow, GET + b"GET /half HTTP/1.1\r\n", half_close=True) as client:
        assert (await client.answer()).body == BODY
        assert await client.ends()


async def test_connection_close_does_not_cut_an_answer_that_is_still_being_taken(narrow: Workers) -> None:
    async with answered_but_not_read(narrow, LAST, linger_s=0.2) as client:
        await steady(narrow.connections)
        assert (await client.answer()).body == BODY
        assert await client.ends()


async def test_a_half_close_does_not_cut_the_last_answer_while_it_is_being_taken(narrow: Workers) -> None:
    async with answered_but_not_read(narrow, LAST) as client:
        client.finish()
        await steady(narrow.connections)
        assert (await client.answer()).body == BODY
        assert await client.ends()


async def test_a_client_that_takes_nothing_is_given_up_after_the_body_idle_time(narrow: Workers) -> None:
    async with answered_but_not_read(narrow, body_idle_s=0.3, idle_s=0.3):
        await wait_until(lambda: narrow.connections() == 0)


async def test_a_client_that_takes_nothing_buys_no_time_with_more_octets(narrow: Workers) -> None:
    async with answered_but_not_read(narrow, LAST, body_idle_s=0.3, idle_s=0.3, linger_s=0.3) as client:
        await client.send(b"more")
        await wait_until(lambda: narrow.connections() == 0)


async def test_a_client_that_does_not_read_holds_the_replica_up_in_bounded_memory(proxy: Workers) -> None:
    given = 0

    async def endless(wire: Wire, _number: int) -> None:
        nonlocal given
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await wire.send(bytes(65536))
            given += 65536

    async with witness(endless) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        before = proxy.forget_peak()
        await client.send(GET)
        held_up_at = await steady(lambda: given)
        assert 0 < held_up_at < 32 * MIB  # four kernel buffers
        assert proxy.resident() - before < 2 * MIB
        taking = asyncio.create_task(client.exactly(held_up_at))  # and it goes on when the client does
        await wait_until(lambda: given > held_up_at)
        await taking
