"""Requests sent before the answers to those before them: answered all, in order, and in bounded memory."""

import asyncio

import pytest

from tests.proxy.wire import Message, Wire, dial, steady
from tests.proxy.witness import OK, answering, witness
from tests.proxy.workers import Workers, service_of

MIB = 1024 * 1024


async def echo_target(wire: Wire, _number: int) -> None:
    """Answer each request with its target and body."""
    while True:
        request = await wire.request()
        body = request.target.encode() + b" " + request.body
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def get(number: int) -> bytes:
    return b"GET /%d HTTP/1.1\r\nHost: test\r\n\r\n" % number


def post(number: int) -> bytes:
    return b"POST /%d HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\n%04d" % (number, number)


def post_chunked(number: int) -> bytes:
    return b"POST /%d HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n%04d\r\n0\r\n\r\n" % (number, number)


@pytest.mark.parametrize(
    "request_of",
    [get, post, post_chunked],
    ids=["requests without a body are answered in order", "with a length too", "with chunks too"],
)
async def test_pipelined(proxy: Workers, request_of: object) -> None:
    async with witness(echo_target) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        assert callable(request_of)
        await client.send(b"".join(request_of(number) for number in range(20)))
        bodies = [(await client.answer()).body for _ in range(20)]
    expected = b"" if request_of is get else b"%04d"
    assert bodies == [b"/%d " % number + (expected % number if expected else b"") for number in range(20)]


async def test_a_thousand_pipelined_requests_are_answered_in_order(proxy: Workers) -> None:
    async with witness(echo_target) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        sending = asyncio.create_task(client.send(b"".join(get(number) for number in range(1000))))
        targets = [(await client.answer()).body for _ in range(1000)]
        await sending
    assert targets == [b"/%d " % number for number in range(1000)]


async def test_pipelined_requests_that_come_octet_by_octet_are_told_apart(proxy: Workers) -> None:
    async with witness(echo_target) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.drip(get(1) + post(2) + post_chunked(3))
        assert [(await client.answer()).body for _ in range(3)] == [b"/1 ", b"/2 0002", b"/3 0003"]


@pytest.mark.parametrize("whole", [True, False], ids=["that come at once", "that come octet by octet"])
async def test_an_empty_line_before_a_request_is_passed_over(proxy: Workers, whole: bool) -> None:
    async with witness(echo_target) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        octets = b"\r\n" + get(1) + b"\r\n" + get(2)
        await (client.send(octets) if whole else client.drip(octets))
        assert [(await client.answer()).body for _ in range(2)] == [b"/1 ", b"/2 "]


LOOKALIKE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


@pytest.mark.parametrize(
    ("method", "first"),
    [
        pytest.param("GET", b"Content-Length: %d\r\n\r\n%b" % (len(LOOKALIKE), LOOKALIKE), id="a body with a length"),
        pytest.param(
            "GET", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(LOOKALIKE), LOOKALIKE), id="a chunk"
        ),
        pytest.param("HEAD", b"Content-Length: 9\r\n\r\n" + LOOKALIKE, id="what follows the answer to HEAD"),
        pytest.param("GET", b"Content-Length: 5\r\n\r\nx\r\n\r\n", id="an empty line in a body"),
    ],
)
async def test_is_not_taken_for_the_answer_to_the_next_request(proxy: Workers, method: str, first: bytes) -> None:
    async with witness(answering(b"HTTP/1.1 200 OK\r\n" + first, OK)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(f"{method} / HTTP/1.1\r\nHost: test\r\n\r\n".encode() + get(2))
        await client.answer(method)
        second = await client.answer()
        assert (second.status, second.body) == (200, b"ok")


async def test_nothing_after_connection_close_is_answered(proxy: Workers) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(b"GET /last HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n" + get(2))
        assert (await client.answer()).field("connection") == "close"
        assert await client.ends()
        assert [request.target for request in seen] == ["/last"]


async def test_what_follows_a_bad_request_is_not_read_as_a_request(proxy: Workers) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(get(1) + b"GET /2 HTTP/1.1\r\nHost : test\r\n\r\n" + get(3))
        assert [(await client.answer()).status, (await client.answer()).status] == [200, 400]
        assert await client.ends()
        assert [request.target for request in seen] == ["/1"]


async def test_a_client_that_pipelines_without_reading_is_held_up(proxy: Workers) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + bytes(60000)
    seen: list[Message] = []
    async with witness(answering(answer, seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        before = proxy.forget_peak()
        requests = b"".join(get(0) for _ in range(2000))
        await client.send(requests)
        count = await steady(lambda: len(seen))
        assert proxy.resident() - before < 8 * MIB
        assert 0 < count < 400  # what fits in the kernel's buffers, and one read
        for _ in range(2000):
            assert len((await client.answer()).body) == 60000


@pytest.mark.parametrize("half_close", [False, True], ids=["open", "half closed"])
async def test_many_requests_that_the_proxy_answers_itself_are_all_answered(proxy: Workers, half_close: bool) -> None:
    """They are begun a few at a time, so that the others on the worker get their turn."""
    refused = b"OPTIONS * HTTP/1.1\r\nHost: test\r\nMax-Forwards: 0\r\n\r\n"
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        sending = asyncio.create_task(client.send(refused * 3000 + b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"))
        if half_close:
            await sending
            client.finish()
        assert [(await client.answer()).status for _ in range(3000)] == [200] * 3000
        assert (await client.answer()).body == b"ok"
        await sending
