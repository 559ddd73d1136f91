"""When a request is sent again, when it must not be, and where it goes then (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1)."""

import asyncio
from functools import partial

import pytest

from tests.proxy.wire import Message, Wire, ask, dial
from tests.proxy.witness import OK, Script, answering, witness
from tests.proxy.workers import Workers, service_of
from tests.support import free_port, wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"


def closing_at_the_second(seen: list[Message], part: bytes = b"", reset: bool = False) -> Script:
    """The first connection carries one request; the second on it gets this part of an answer and the end. Others answer all."""

    async def script(wire: Wire, number: int) -> None:
        while True:
            seen.append(await wire.request())
            if number == 0 and len(seen) == 2:
                await wire.send(part)
                (wire.reset if reset else wire.close)()
                return
            await wire.send(OK)

    return script


def of(method: str, body: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return b"%b /%b HTTP/1.1\r\nHost: test\r\n%b\r\n%b" % (method.encode(), method.lower().encode(), length, body)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(
    ("octets", "again"),
    [
        pytest.param(of("GET"), True, id="GET is sent again"),
        pytest.param(of("HEAD"), True, id="HEAD is sent again"),
        pytest.param(of("PUT", b"all of it"), True, id="PUT is sent again, with its body"),
        pytest.param(of("DELETE"), True, id="DELETE is sent again"),
        pytest.param(of("POST", b"once"), False, id="POST is not sent twice"),
        pytest.param(of("PATCH", b"once"), False, id="PATCH is not sent twice"),
        pytest.param(of("PUT", bytes(200_000)), False, id="a PUT too large to be held is not sent twice"),
    ],
)
async def test_on_a_reused_connection_that_ends_as_it_is_used(proxy: Workers, octets: bytes, again: bool, reset: bool) -> None:
    seen: list[Message] = []
    async with witness(closing_at_the_second(seen, reset=reset)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        await client.answer()
        await client.send(octets)
        answer = await client.answer("HEAD" if octets.startswith(b"HEAD") else "GET")
        assert answer.status == (200 if again else 502)
        assert len(seen) == (3 if again else 2)
        assert len(replica.connections) == (2 if again else 1)
        assert seen[-1].body == octets.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("part", [b"H", b"HTTP/1.1 200 OK\r\nContent-Le"], ids=["one octet", "half a head"])
async def test_get_is_not_sent_again_once_an_octet_of_an_answer_has_come(proxy: Workers, part: bytes) -> None:
    seen: list[Message] = []
    async with witness(closing_at_the_second(seen, part)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET + GET)
        assert [(await client.answer()).status for _ in range(2)] == [200, 502]
        assert len(seen) == 2


async def test_get_is_not_sent_again_once_an_interim_answer_has_come(proxy: Workers) -> None:
    seen: list[Message] = []
    part = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    async with witness(closing_at_the_second(seen, part)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET + GET)
        assert [(await client.answer()).status for _ in range(2)] == [200, 502]
        assert len(seen) == 2


@pytest.mark.parametrize("octets", [GET, POST], ids=["GET", "POST"])
async def test_a_connection_known_to_be_closed_is_not_used(proxy: Workers, octets: bytes) -> None:
    seen: list[Message] = []

    async def once(wire: Wire, _number: int) -> None:
        seen.append(await wire.request())
        await wire.send(OK)

    async with witness(once) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for number in range(1, 4):
            await client.send(octets)
            assert (await client.answer()).status == 200
            await wait_until(partial(lambda count: len(replica.ended) == count, number))
        assert len(seen) == 3


async def test_post_is_not_sent_on_a_connection_that_closed_while_the_worker_was_busy(proxy: Workers) -> None:
    seen: list[Message] = []

    async def once(wire: Wire, number: int) -> None:
        seen.append(await wire.request())
        await wire.send(OK)
        if number == 0:
            await wire.rest()

    async with witness(once) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        await client.answer()
        with proxy.stopped():
            await client.send(POST)  # seen first by the worker
            replica.connections[0].close()
        assert (await client.answer()).status == 200
        assert [request.first.split()[0] for request in seen] == ["GET", "POST"]


@pytest.mark.parametrize("octets", [GET, POST], ids=["GET", "POST"])
async def test_a_refused_connection_sends_the_request_to_another_replica(proxy: Workers, octets: bytes) -> None:
    async with witness(answering()) as replica:
        proxy.serve(service_of(f"127.0.0.1:{free_port()}", replica.address, policy="round_robin"))
        assert [(await ask(proxy.port, octets)).status for _ in range(6)] == [200] * 6
        assert proxy.replica(0).connect_errors > 0
        assert {"service": "app", "replica": "app-0"}.items() <= proxy.heard("refused")[-1].items()


async def test_a_body_under_way_goes_whole_to_the_other_replica(proxy: Workers) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica:
        proxy.serve(service_of(f"127.0.0.1:{free_port()}", replica.address, policy="round_robin"))
        for _ in range(2):
            async with dial(proxy.port) as client:
                await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 300000\r\n\r\n" + bytes(1000))
                await client.send(bytes(299_000))
                assert (await client.answer()).status == 200
        assert [len(request.body) for request in seen] == [300_000] * 2


async def test_an_upload_that_breaks_off_goes_whole_to_the_other_replica(proxy: Workers) -> None:
    """The worker finds out as it sends the second part: that one and what follows must reach the other replica too."""
    begun, leave, seen = asyncio.Event(), asyncio.Event(), list[Message]()

    async def script(wire: Wire, _number: int) -> None:
        if not begun.is_set():
            await wire.until(b"one ")
            begun.set()
            await leave.wait()
            wire.reset()
        else:
            await answering(seen=seen)(wire, 0)

    async with witness(script) as first, witness(script) as second, dial(proxy.port) as client:
        proxy.serve(service_of(first.address, second.address))
        await client.send(b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 13\r\n\r\none ")
        await begun.wait()
        with proxy.stopped():
            await client.send(b"two ")
            leave.set()
            await wait_until(lambda: first.ended or second.ended)
        await wait_until(lambda: len(first.connections) == len(second.connections) == 1)
        await client.send(b"three")
        assert (await client.answer()).status == 200
    assert [request.body for request in seen] == [b"one two three"]


async def test_with_all_replicas_down_the_answer_is_502(proxy: Workers) -> None:
    proxy.serve(service_of(*[f"127.0.0.1:{free_port()}" for _ in range(2)]))
    assert (await ask(proxy.port)).status == 502
    assert (await ask(proxy.port)).status == 502  # although both are known to refuse


async def test_with_no_ready_replica_the_answer_is_503_with_retry_after(proxy: Workers) -> None:
    proxy.serve(service_of())
    answer = await ask(proxy.port)
    assert answer.status == 503
    assert int(answer.field("retry-after") or 0) > 0


async def test_a_replica_that_refused_gets_requests_again_when_it_is_back(proxy: Workers) -> None:
    port = free_port()
    proxy.serve(service_of(f"127.0.0.1:{port}"))
    assert (await ask(proxy.port)).status == 502
    async with witness(answering(), port=port):
        assert (await ask(proxy.port)).status == 200


async def test_get_goes_to_another_replica_when_a_fresh_connection_ends_without_an_answer(proxy: Workers) -> None:
    """And the replica is doubted: what carries a published port accepts connections also while nobody listens behind it."""

    async def hang_up(wire: Wire, _number: int) -> None:
        await wire.request()

    async with witness(hang_up) as bad, witness(answering()) as good:
        proxy.serve(service_of(bad.address, good.address, policy="round_robin"))
        assert [(await ask(proxy.port)).status for _ in range(4)] == [200] * 4
        assert len(bad.connections) > 0
        assert {"service": "app", "replica": "app-0"}.items() <= proxy.heard("refused")[-1].items()


async def test_a_request_is_tried_three_times_at_most(proxy: Workers) -> None:
    async def hang_up(wire: Wire, _number: int) -> None:
        await wire.request()

    async with witness(hang_up) as one, witness(hang_up) as two, witness(hang_up) as three, witness(hang_up) as four:
        replicas = (one, two, three, four)
        proxy.serve(service_of(*[replica.address for replica in replicas]))
        assert (await ask(proxy.port)).status == 502
        assert sum(len(replica.connections) for replica in replicas) == 3


async def test_the_replica_s_connection_count_and_the_retries_are_told(proxy: Workers) -> None:
    before = proxy.service().retries
    seen: list[Message] = []
    async with witness(closing_at_the_second(seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET + GET)
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
        assert proxy.service().retries == before + 1
