"""Replicas that answer what no replica may: the client gets 502 or a cut, and nothing of it is ever taken for another answer."""

import asyncio

import pytest

from tests.proxy.wire import Message, Wire, ask, dial
from tests.proxy.witness import OK, answering, starting, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
LINE = b"HTTP/1.1 200 OK\r\n"

NO_ANSWER = [
    ("no HTTP at all", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ("a status line without a status", b"HTTP/1.1 OK\r\n\r\n"),
    ("a status of two digits", b"HTTP/1.1 20 OK\r\n\r\n"),
    ("a status of four digits", b"HTTP/1.1 2000 OK\r\n\r\n"),
    ("a status below 100", b"HTTP/1.1 099 Low\r\n\r\n"),
    ("a status above 599", b"HTTP/1.1 600 High\r\n\r\n"),
    ("a status with a sign", b"HTTP/1.1 +20 OK\r\n\r\n"),
    ("HTTP/2", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a version in lower case", b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("NUL in the reason", b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n"),
    ("NUL in a field", LINE + b"X: a\0b\r\nContent-Length: 0\r\n\r\n"),
    ("CR in a field", LINE + b"X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n"),
    ("LF in a field", LINE + b"X: a\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n"),
    ("a line that is no field", LINE + b"what is this\r\nContent-Length: 0\r\n\r\n"),
    ("a folded line", LINE + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    ("both lengths", LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("two lengths", LINE + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    ("a list of lengths", LINE + b"Content-Length: 5, 5\r\n\r\nhello"),
    ("a negative length", LINE + b"Content-Length: -5\r\n\r\nhello"),
    ("a length that is no number", LINE + b"Content-Length: five\r\n\r\nhello"),
    ("a coding that nobody knows", LINE + b"Transfer-Encoding: gzip\r\n\r\nhello"),
    ("chunked and another coding", LINE + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("a switch that nobody asked for", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ("a huge head", LINE + b"X: " + b"x" * 70_000 + b"\r\n\r\n"),
    ("a head without end", LINE + b"X: " + b"x" * 200_000),
    ("seventeen interim answers", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 17 + OK),
]


@pytest.mark.parametrize("octets", [pytest.param(octets, id=claim) for claim, octets in NO_ANSWER])
async def test_causes_502(proxy: Workers, octets: bytes) -> None:
    async with witness(starting(octets + b"poison")) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        answer = await client.answer()
        assert answer.status == 502
        assert answer.field("set-cookie") is None
        await wait_until(lambda: replica.ended == [0])  # its connection is not used again
        assert proxy.replica().pooled == 0
        await client.send(GET)  # and the client's can be
        assert (await client.answer()).status == 502


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", id="of lines ended by LF"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="broken off in its head"),
    ],
)
@pytest.mark.parametrize("leave", [Wire.close, Wire.reset], ids=["then closed", "then reset"])
async def test_an_answer(proxy: Workers, begun: bytes, leave: object) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        with proxy.stopped():  # both are there when the worker looks
            await wire.send(begun)
            assert callable(leave)
            leave(wire)

    async with witness(script) as replica:
        proxy.serve(service_of(replica.address))
        assert (await ask(proxy.port)).status == 502
        assert len(replica.connections) == 1


CUT = [
    ("a chunk size that is no number", b"zz\r\nhello\r\n0\r\n\r\n"),
    ("a chunk size with a sign", b"+5\r\nhello\r\n0\r\n\r\n"),
    ("a chunk longer than it says", b"4\r\nhello\r\n0\r\n\r\n"),
    ("a chunk line ended by LF", b"5\nhello\r\n0\r\n\r\n"),
    ("a huge chunk size", b"fffffffffffffffff\r\nhello"),
    ("endless extensions", b"5;" + b"x" * 5000 + b"\r\nhello\r\n0\r\n\r\n"),
    ("endless trailers", b"0\r\n" + b"X: x\r\n" * 3000 + b"\r\n"),
    ("a trailer that is no field", b"0\r\nwhat is this\r\n\r\n"),
    ("NUL in a trailer", b"0\r\nX: \0\r\n\r\n"),
]


@pytest.mark.parametrize("together", [True, False], ids=["with the head", "after the head"])
@pytest.mark.parametrize("body", [pytest.param(body, id=claim) for claim, body in CUT])
async def test_a_bad_body_is_cut(proxy: Workers, body: bytes, together: bool) -> None:
    head = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
    go_on = asyncio.Event()

    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(head + body if together else head)
        await go_on.wait()
        if not together:
            await wire.send(body)
        await wire.rest()

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        go_on.set()
        try:
            answer = await client.answer()
        except (EOFError, ConnectionResetError):
            answer = None
        assert answer is None or answer.status == 502
        await wait_until(lambda: replica.ended == [0])
        assert proxy.in_flight() == 0


async def test_octets_after_an_answer_are_not_the_next_answer(proxy: Workers) -> None:
    poisoned = OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    async with witness(answering(poisoned)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for _ in range(5):
            await client.send(GET)
            assert (await client.answer()).body == b"ok"
        assert len(replica.connections) == 5


async def test_octets_that_come_a_moment_after_an_answer_are_not_the_next_answer(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(OK)
        await wire.rest()

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        await client.answer()
        await replica.connections[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        await wait_until(lambda: replica.ended == [0])  # dropped at once
        assert proxy.replica().pooled == 0
        await client.send(GET)
        assert (await client.answer()).body == b"ok"


@pytest.mark.parametrize("first", ["the octets", "the request"])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_octets_on_an_idle_connection_are_not_the_answer_to_a_request_that_was_not_sent_yet(
    proxy: Workers, first: str, method: bytes
) -> None:
    """Both wait for the worker when it wakes: the order in which it looks at them must not matter."""
    seen: list[Message] = []

    async def script(wire: Wire, _number: int) -> None:
        while True:
            seen.append(await wire.request())
            await wire.send(OK)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        await client.answer()
        poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
        with proxy.stopped():
            for what in ("the request", "the octets") if first == "the request" else ("the octets", "the request"):
                if what == "the request":
                    await client.send(GET.replace(b"GET", method))
                else:
                    await replica.connections[0].send(poison)
        assert (await client.answer()).body == b"ok"
        assert len(replica.connections) == 2


async def test_a_replica_that_answers_before_it_has_read_the_request_is_believed_once(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.send(OK)
        await wire.rest()

    async with witness(script) as replica:
        proxy.serve(service_of(replica.address))
        assert (await ask(proxy.port)).body == b"ok"
