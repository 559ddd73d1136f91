"""Every deadline of the data path: what it causes, and that it does not fall before its time."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.proxy.wire import Wire, ask, dial
from tests.proxy.witness import OK, answering, silent, starting, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
SHORT_S = 0.3
PAUSE_S = 0.05  # between the octets of a peer that trickles


@contextmanager
def deaf() -> Iterator[str]:
    """An address where connections are never made: its accept queue is full, so the kernel drops what comes."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    try:
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for filler in fillers:
            filler.close()
        listener.close()


async def test_a_head_that_does_not_come_to_its_end_is_answered_408(proxy: Workers) -> None:
    async with dial(proxy.port) as client:
        proxy.serve(service_of(), head_s=SHORT_S)
        await client.send(b"GET / HTTP/1.1\r\nHost: te")
        assert (await client.answer()).status == 408
        assert await client.ends()


async def test_a_head_that_trickles_in_is_answered_408(proxy: Workers) -> None:
    proxy.serve(service_of(), head_s=SHORT_S)
    async with dial(proxy.port) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: test\r\nX: ")
        trickling = asyncio.create_task(client.drip(b"x" * 100, PAUSE_S))
        assert (await client.answer()).status == 408
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)


async def test_a_connection_without_a_request_is_closed_without_a_word(proxy: Workers) -> None:
    proxy.serve(service_of(), head_s=SHORT_S)
    async with dial(proxy.port) as client:
        assert await client.rest() == b""


async def test_a_connection_between_requests_is_closed_without_a_word(proxy: Workers) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), idle_s=SHORT_S)
        await client.send(GET)
        assert (await client.answer()).body == b"ok"
        assert await client.rest() == b""


async def test_a_second_request_has_the_head_time_again(proxy: Workers) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), head_s=SHORT_S, idle_s=60)
        await client.send(GET)
        await client.answer()
        await client.send(GET[:-2])
        assert (await client.answer()).status == 408


async def test_a_request_body_that_stops_is_answered_408(proxy: Workers) -> None:
    async with witness(silent()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body_idle_s=SHORT_S)
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf")
        assert (await client.answer()).status == 408
        assert await client.ends()
        await wait_until(lambda: replica.ended == [0])


async def test_a_body_that_keeps_moving_may_take_longer_than_the_idle_time(proxy: Workers) -> None:
    async def slowly(wire: Wire, _number: int) -> None:
        request = await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        await wire.drip(request.body, PAUSE_S)

    async with witness(slowly) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body_idle_s=SHORT_S, response_head_s=SHORT_S)
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\n")
        await client.drip(b"12345678", PAUSE_S)
        assert (await client.answer()).body == b"12345678"


async def test_a_replica_that_takes_no_more_of_the_body_causes_504(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.until(b"\r\n\r\n")
        await asyncio.Event().wait()

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body_idle_s=SHORT_S)
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % (1 << 30))
        sending = asyncio.create_task(client.send(bytes(32 << 20)))
        assert (await client.answer()).status == 504
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def test_a_replica_that_does_not_answer_causes_504(proxy: Workers) -> None:
    async with witness(silent()) as replica:
        proxy.serve(service_of(replica.address), response_head_s=SHORT_S)
        assert (await ask(proxy.port)).status == 504
        await wait_until(lambda: replica.ended == [0])
        assert len(replica.connections) == 1  # it may be at work on it: nobody else is asked
        assert proxy.replica().timeouts > 0


async def test_a_replica_whose_head_trickles_in_causes_504(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\nX: ")
        await wire.drip(b"x" * 100, PAUSE_S)

    async with witness(script) as replica:
        proxy.serve(service_of(replica.address), response_head_s=SHORT_S)
        assert (await ask(proxy.port)).status == 504


@pytest.mark.parametrize(
    "begun",
    [b"Content-Length: 10\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
    ids=["with a length", "in chunks"],
)
async def test_an_answer_that_stops_is_cut(proxy: Workers, begun: bytes) -> None:
    async with witness(starting(b"HTTP/1.1 200 OK\r\n" + begun)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body_idle_s=SHORT_S)
        await client.send(GET)
        with pytest.raises((EOFError, ConnectionResetError)):
            await client.answer()
        await wait_until(lambda: replica.ended == [0])


async def test_the_total_time_ends_a_request_without_an_answer_with_504(proxy: Workers) -> None:
    async with witness(silent()) as replica:
        proxy.serve(service_of(replica.address), total_s=SHORT_S)
        assert (await ask(proxy.port)).status == 504


async def test_the_total_time_cuts_an_answer_that_keeps_moving(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        await wire.drip(b"x" * 100, PAUSE_S)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), total_s=SHORT_S)
        await client.send(GET)
        with pytest.raises((EOFError, ConnectionResetError)):
            await client.answer()


async def test_the_total_time_counts_anew_for_each_request(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        while True:
            await wire.request()
            await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            await wire.drip(b"hello", PAUSE_S)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), total_s=0.6)
        for _ in range(4):
            await client.send(GET)
            assert (await client.answer()).body == b"hello"


async def test_a_connection_that_cannot_be_made_causes_504(proxy: Workers) -> None:
    with deaf() as address:
        proxy.serve(service_of(address), connect_s=SHORT_S)
        assert (await ask(proxy.port)).status == 504
        assert proxy.replica().connect_errors > 0


async def test_a_connection_that_cannot_be_made_is_tried_elsewhere(proxy: Workers) -> None:
    async with witness(answering()) as replica:
        with deaf() as address:
            proxy.serve(service_of(address, replica.address, policy="round_robin"), connect_s=SHORT_S)
            assert [(await ask(proxy.port)).status for _ in range(4)] == [200] * 4


async def test_a_lingering_connection_is_closed_in_the_end(proxy: Workers) -> None:
    async with dial(proxy.port) as client:
        proxy.serve(service_of(), linger_s=SHORT_S)
        await client.send(b"nonsense\r\n\r\n")
        assert (await client.answer()).status == 400
        await wait_until(lambda: proxy.connections() == 0)


async def test_an_idle_connection_to_a_replica_is_closed_in_its_time(proxy: Workers) -> None:
    async with witness(answering(OK)) as replica:
        proxy.serve(service_of(replica.address), pool_idle_s=SHORT_S)
        assert (await ask(proxy.port)).body == b"ok"
        await wait_until(lambda: proxy.replica().pooled == 1)
        await wait_until(lambda: replica.ended == [0])
        assert proxy.replica().pooled == 0


async def test_an_idle_connection_is_closed_earlier_where_the_replica_says_that_it_will_close_it(proxy: Workers) -> None:
    async with witness(answering(OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=1, max=100\r\n\r\n"))) as replica:
        proxy.serve(service_of(replica.address))
        assert (await ask(proxy.port)).body == b"ok"
        await wait_until(lambda: replica.ended == [0])  # by itself it would be kept for 55 s


async def test_a_body_that_trickles_in_is_answered_408_although_octets_keep_coming(proxy: Workers) -> None:
    async with witness(silent()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body_grace_s=SHORT_S, body_rate=1000)
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n")
        trickling = asyncio.create_task(client.drip(b"x" * 999, PAUSE_S))
        assert (await client.answer()).status == 408
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)


async def test_a_body_that_keeps_to_the_least_rate_is_carried(proxy: Workers) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body_grace_s=SHORT_S, body_rate=100)
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 300\r\n\r\n")
        for _ in range(30):
            await client.send(b"x" * 10)
            await asyncio.sleep(0.05)
        assert (await client.answer()).status == 200


async def test_a_body_that_waits_for_its_replica_is_not_blamed_on_the_client(proxy: Workers) -> None:
    """The replica reads nothing for a while, with more under way than the kernel holds."""
    go = asyncio.Event()

    async def slow(wire: Wire, _number: int) -> None:
        await wire.head()
        await go.wait()
        await wire.exactly(20_000_000 - len(wire.held))
        await wire.send(OK)

    async with witness(slow) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body_grace_s=SHORT_S, body_rate=1_000_000)
        sending = asyncio.create_task(
            client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 20000000\r\n\r\n" + bytes(20_000_000))
        )
        await asyncio.sleep(3 * SHORT_S)
        go.set()
        await sending
        assert (await client.answer()).status == 200


async def test_a_large_answer_that_is_taken_octet_by_octet_is_cut(proxy: Workers) -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n" + bytes(20_000_000)
    async with witness(answering(body)) as replica, dial(proxy.port, receive_buffer=4096) as client:
        proxy.serve(service_of(replica.address), body_grace_s=SHORT_S, body_rate=1_000_000)
        await client.send(GET)
        await client.head()
        await wait_until(lambda: proxy.in_flight() == 0)
        with pytest.raises((EOFError, ConnectionError)):
            await client.exactly(20_000_000)
