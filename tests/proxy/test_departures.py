"""One side leaves, or says all it has to say, before the other one is done."""

import asyncio
from contextlib import suppress

import pytest

from tests.proxy.wire import Wire, dial, steady
from tests.proxy.witness import OK, Script, answering, silent, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until

MIB = 1024 * 1024
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
TOO_MUCH = b"HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno"


def early(answer: bytes, read_on: bool) -> Script:
    """Answer once the head is there, then read the body to its end or close at once, with what came unread."""

    async def script(wire: Wire, _number: int) -> None:
        await wire.until(b"\r\n\r\n")
        await wire.send(answer)
        if read_on:
            while await wire.more():
                wire.held = b""

    return script


def upload(size: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % size


@pytest.mark.parametrize("read_on", [True, False], ids=["that reads on", "that closes at once"])
async def test_a_replica_may_answer_in_the_middle_of_an_upload(proxy: Workers, read_on: bool) -> None:
    async with witness(early(TOO_MUCH, read_on)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(upload(64 * MIB))
        sending = asyncio.create_task(client.send(bytes(512 * 1024)))
        answer = await client.answer()
        await sending
        assert (answer.status, answer.body, answer.field("connection")) == (413, b"no", "close")
        assert await client.ends()


async def test_an_early_answer_that_the_replica_itself_destroys_leaves_nobody_hanging(proxy: Workers) -> None:
    """What the replica had not sent when it closed with the upload unread, its kernel drops: the client gets a part, and the end."""
    answer = b"HTTP/1.1 413 Too Much\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000)
    async with witness(early(answer, read_on=False)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(upload(64 * MIB))
        with suppress(ConnectionError):
            await client.send(bytes(512 * 1024))
        with suppress(ConnectionError):
            assert (await client.rest()).startswith(b"HTTP/1.1 413 Too Much\r\n")
        await wait_until(lambda: proxy.in_flight() == 0)


@pytest.mark.parametrize("side", ["client", "replica"])
async def test_a_reset_is_noticed_behind_much_that_was_not_read_yet(proxy: Workers, side: str) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.until(b"\r\n\r\n")
        if side == "client":
            await asyncio.Event().wait()
        with proxy.stopped():
            wire.send_what_fits(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(300_000))
            wire.reset()

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(upload(64 * MIB))
        if side == "client":
            await wait_until(lambda: proxy.in_flight() == 1)
            with proxy.stopped():
                client.send_what_fits(bytes(300_000))
                client.reset()
        else:
            with suppress(ConnectionResetError):
                assert not (await client.rest()).endswith(b"0\r\n\r\n")
        await wait_until(lambda: proxy.in_flight() == 0)


async def test_a_client_that_first_sends_all_and_then_reads_still_sees_the_early_answer(proxy: Workers) -> None:
    async with witness(early(TOO_MUCH, read_on=True)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(upload(8 * MIB) + bytes(8 * MIB))
        assert (await client.answer()).status == 413
        assert await client.rest() == b""  # closed, not reset


async def test_the_proxy_s_own_early_answer_survives_the_rest_of_the_upload(proxy: Workers) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body=1000)
        await client.send(upload(8 * MIB) + bytes(8 * MIB))
        assert (await client.answer()).status == 413
        assert await client.rest() == b""
        assert replica.connections == []


async def test_a_client_that_half_closes_after_a_whole_request_gets_its_answer(proxy: Workers) -> None:
    go_on = asyncio.Event()
    async with witness(silent(go_on)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET + GET)
        client.finish()
        await wait_until(lambda: proxy.in_flight() == 1)
        go_on.set()
        assert [(await client.answer()).body for _ in range(2)] == [b"ok", b"ok"]
        assert await client.ends()


async def test_a_client_that_half_closes_in_the_middle_of_a_request_gets_none(proxy: Workers) -> None:
    async with witness(silent()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(upload(100) + b"half")
        await wait_until(lambda: proxy.in_flight() == 1)
        client.finish()
        assert await client.ends()
        await wait_until(lambda: replica.ended == [0])  # the replica can tell too: its connection ended
        assert proxy.in_flight() == 0


async def test_a_client_that_is_reset_while_it_waits_frees_the_replica(proxy: Workers) -> None:
    async with witness(silent()) as replica:
        proxy.serve(service_of(replica.address))
        async with dial(proxy.port) as client:
            await client.send(GET)
            await wait_until(lambda: proxy.in_flight() == 1)
            client.reset()
            await wait_until(lambda: proxy.in_flight() == 0)
        assert proxy.service().aborted > 0


@pytest.mark.parametrize("leave", [Wire.close, Wire.reset], ids=["that closes", "that is reset"])
async def test_a_client_in_the_middle_of_its_answer(proxy: Workers, leave: object) -> None:
    async def endless(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await wire.send(b"3e8\r\n" + bytes(1000) + b"\r\n")

    async with witness(endless) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        await client.until(b"\r\n\r\n")
        assert callable(leave)
        leave(client)
        await wait_until(lambda: replica.ended == [0])
        await wait_until(lambda: proxy.in_flight() == 0)


async def test_a_client_that_leaves_during_its_upload_frees_the_replica(proxy: Workers) -> None:
    async with witness(silent()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(upload(MIB) + bytes(1000))
        await wait_until(lambda: len(replica.got) > 1000)
        client.reset()
        await wait_until(lambda: replica.ended == [0])
        await wait_until(lambda: proxy.in_flight() == 0)


BROKEN_OFF = [
    pytest.param(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", b"Content-Length: 10\r\n\r\nhello", id="with a length"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", id="in chunks"),
    pytest.param(b"GET / HTTP/1.0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", id="in chunks for a 1.0 client"),
]


@pytest.mark.parametrize(("asked", "answered"), BROKEN_OFF)
@pytest.mark.parametrize("leave", [Wire.close, Wire.reset], ids=["closed", "reset"])
async def test_a_client_can_tell_that_an_answer_broke_off(proxy: Workers, asked: bytes, answered: bytes, leave: object) -> None:
    go_on = asyncio.Event()

    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\n" + answered)
        await go_on.wait()
        assert callable(leave)
        leave(wire)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(asked)
        await client.until(b"hello")
        go_on.set()
        with pytest.raises((EOFError, ConnectionResetError)):
            await (client.until(b"0\r\n\r\n") if b"1.1" in asked else until_reset(client))
        await wait_until(lambda: proxy.in_flight() == 0)
        assert proxy.replica().broken > 0


async def until_reset(client: Wire) -> None:
    """A 1.0 client takes a plain close for the end of a whole answer, so only a reset will do."""
    await client.rest()


async def test_what_came_before_an_answer_broke_off_is_not_lost(proxy: Workers) -> None:
    body = bytes(range(256)) * 2000

    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)

    async with witness(script) as replica, dial(proxy.port, receive_buffer=4096) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        await client.until(b"\r\n\r\n")
        await steady(proxy.in_flight)
        assert await client.exactly(len(body)) == body
        assert await client.ends()


async def test_an_ok_after_all_this_still_works(proxy: Workers) -> None:
    async with witness(answering(OK)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        assert (await client.answer()).body == b"ok"
