"""Large bodies, which the kernel moves from connection to connection: whole, in order, and no octet of anything else."""

import asyncio
import fcntl
import random
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from balancer.hotpath.body import LARGE
from balancer.hotpath.stream import RECEIVE
from tests.proxy.wire import Wire, dial, steady
from tests.proxy.witness import OK, answering, starting, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until

SIZE = 12 * LARGE + 77
BODY = random.Random(1).randbytes(SIZE)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + BODY
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % SIZE + BODY
HALF = len(ANSWER) // 2


async def test_a_large_answer_and_the_next_one_on_the_same_connections(proxy: Workers) -> None:
    async with witness(answering(ANSWER, OK, ANSWER)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for body in (BODY, b"ok", BODY):
            await client.send(GET)
            assert (await client.answer()).body == body
    assert len(replica.connections) == 1


async def test_a_large_request_and_another_one_right_behind_it(proxy: Workers) -> None:
    seen: list[bytes] = []

    async def script(wire: Wire, _number: int) -> None:
        while True:
            request = await wire.request()
            seen.append(request.body)
            await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%d" % (len(str(len(request.body))), len(request.body)))

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        sending = asyncio.create_task(client.send(POST + GET + POST))
        assert [(await client.answer()).body for _ in range(3)] == [b"%d" % SIZE, b"0", b"%d" % SIZE]
        await sending
    assert seen == [BODY, b"", BODY]


async def test_both_ways_at_once(proxy: Workers) -> None:
    async def echo(wire: Wire, _number: int) -> None:
        head = await wire.until(b"\r\n\r\n")
        assert head.startswith(b"POST")
        await wire.send(ANSWER[: -len(BODY)])
        left = SIZE
        while left:
            octets = await some(wire)
            left -= len(octets)
            await wire.send(octets)

    async with witness(echo) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        sending = asyncio.create_task(client.send(POST))
        assert (await client.answer()).body == BODY
        await sending


@pytest.mark.parametrize("abruptly", [False, True], ids=["by closing", "by a reset"])
async def test_a_client_that_vanishes_in_the_middle_leaves_nothing_behind(proxy: Workers, abruptly: bool) -> None:
    async with witness(answering(ANSWER)) as replica:
        proxy.serve(service_of(replica.address))
        before = None
        for _ in range(5):
            async with dial(proxy.port, receive_buffer=4096) as client:
                await client.send(GET)
                await client.more()
                if abruptly:
                    client.reset()
            await wait_until(lambda: proxy.in_flight() == 0 and proxy.connections() == 0)
            before = before or descriptors(proxy)
        assert descriptors(proxy) <= before
        async with dial(proxy.port) as client:
            await client.send(GET)
            assert (await client.answer()).body == BODY


async def test_an_answer_that_breaks_off_is_no_whole_one(proxy: Workers) -> None:
    async def half(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(ANSWER[:HALF])

    async with witness(half) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        before = proxy.replica().broken
        await client.send(GET)
        got = await client.rest()
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == BODY[: len(body)]
    assert len(body) < SIZE
    assert proxy.replica().broken == before + 1


async def test_what_comes_after_the_announced_length_goes_nowhere(proxy: Workers) -> None:
    async with witness(answering(ANSWER + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", OK)) as replica:
        proxy.serve(service_of(replica.address))
        async with dial(proxy.port) as client:
            await client.send(GET)
            assert (await client.answer()).body == BODY
            await wait_until(lambda: len(replica.ended) == 1)
            await client.send(GET)
            assert (await client.answer()).body == b"ok"
    assert len(replica.connections) == 2


@pytest.mark.parametrize("size", [SIZE, RECEIVE], ids=["after a spliced body", "after as much as is read at once"])
async def test_what_comes_after_an_answer_is_not_the_answer_to_who_waits_for_the_connection(proxy: Workers, size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    body = BODY[: size - len(head % size)]
    async with witness(starting(head % len(body) + body + head % 6 + b"forged")) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET * 3)
        for _ in range(3):
            assert (await client.answer()).body == body


async def test_an_early_answer_ends_an_upload(proxy: Workers) -> None:
    async def refuse(wire: Wire, _number: int) -> None:
        await wire.until(b"\r\n\r\n")
        await wire.exactly(3 * LARGE)
        await wire.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        await wire.rest()

    async with witness(refuse) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        sending = asyncio.create_task(client.send(POST * 4))
        assert (await client.answer()).status == 413
        with suppress(ConnectionError):
            await sending


async def test_an_answer_while_the_end_of_an_upload_is_on_its_way_leaves_no_half_request_behind(
    proxy: Workers, tmp_path: Path
) -> None:
    """The replica answers before it reads, as many do to refuse. Where the rest of the upload is by then depends on its size."""

    async def answers_first(wire: Wire, _number: int) -> None:
        while True:
            head = await wire.head()
            await steady(lambda: unread(wire), for_s=0.03)
            await wire.send(OK)
            await wire.body(head)

    async with witness(answers_first, path=tmp_path / "s") as replica:
        proxy.serve(service_of(replica.address))
        for size in range(2 * LARGE, 4 * LARGE, LARGE // 8):
            async with dial(proxy.port) as client, dial(proxy.port) as other:
                sending = asyncio.create_task(
                    client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
                )
                assert (await client.answer()).status == 200
                await other.send(GET)
                assert (await other.answer()).status == 200, size
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)


def unread(wire: Wire) -> int:
    """How many octets have arrived that nobody has read."""
    return int.from_bytes(fcntl.ioctl(wire.sock, termios.FIONREAD, bytes(4)), sys.byteorder)


async def test_a_client_that_takes_no_more_is_given_up_after_the_body_idle_time(proxy: Workers) -> None:
    async with (
        witness(answering(ANSWER.replace(b"%d" % SIZE, b"%d" % (8 * SIZE)) + 7 * BODY)) as replica,
        dial(proxy.port, receive_buffer=4096) as client,
    ):
        proxy.serve(service_of(replica.address), body_idle_s=0.3)
        await client.send(GET)
        await wait_until(lambda: proxy.connections() == 0)
    assert proxy.in_flight() == 0


async def test_a_replica_that_takes_no_more_is_a_timeout(proxy: Workers) -> None:
    async with witness(silent_at_the_head) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body_idle_s=0.3)
        request = POST.replace(b"%d" % SIZE, b"%d" % (8 * SIZE)) + 7 * BODY  # more than all sockets on the way hold
        sending = asyncio.create_task(client.send(request))
        assert (await client.answer()).status == 504
        sending.cancel()


async def test_a_unix_socket_is_spliced_too(proxy: Workers, tmp_path: Path) -> None:
    async with witness(answering(ANSWER), path=tmp_path / "app.sock") as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for request in (GET, POST, GET):
            sending = asyncio.create_task(client.send(request))
            assert (await client.answer()).body == BODY
            await sending


async def some(wire: Wire) -> bytes:
    octets = wire.held or await wire.more()
    wire.held = b""
    return octets


async def silent_at_the_head(wire: Wire, _number: int) -> None:
    await wire.until(b"\r\n\r\n")
    await asyncio.Event().wait()


def descriptors(proxy: Workers) -> int:
    return len(list(Path(f"/proc/{proxy.processes[0].pid}/fd").iterdir()))
