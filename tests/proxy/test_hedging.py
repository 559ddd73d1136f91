"""A second attempt beside a slow first one: when there is one, which answer is heard, and what becomes of the other."""

import asyncio

import pytest

from balancer.table import Policy, Retries
from tests.proxy.wire import Message, Wire, ask, dial
from tests.proxy.witness import OK, Script, answering, silent, starting, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
PUT = b"PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"
POST = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"
SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"
HEDGE_S = 0.02


def when(event: asyncio.Event, octets: bytes = OK) -> Script:
    """Answer each request once the event is set."""

    async def script(wire: Wire, _number: int) -> None:
        while True:
            await wire.request()
            await event.wait()
            await wire.send(octets)

    return script


@pytest.mark.parametrize("octets", [GET, PUT], ids=["GET", "PUT with its body"])
async def test_the_replica_that_answers_first_is_heard(proxy: Workers, octets: bytes) -> None:
    seen: list[Message] = []
    before = proxy.service()
    async with witness(silent()) as slow, witness(answering(SECOND, seen=seen)) as quick:
        proxy.serve(service_of(slow.address, quick.address, policy=Policy.ROUND_ROBIN, hedge_s=HEDGE_S))
        answers = [await ask(proxy.port, octets) for _ in range(4)]
        assert [answer.body for answer in answers] == [b"second"] * 4
        assert {request.body for request in seen} == {octets.partition(b"\r\n\r\n")[2]}
        hedges, won = proxy.service().hedges - before.hedges, proxy.service().hedges_won - before.hedges_won
        assert hedges == won == len(slow.connections) > 0
        await wait_until(lambda: len(slow.ended) == len(slow.connections))  # the slower attempt's connection is closed
        await wait_until(lambda: proxy.in_flight(0) == proxy.in_flight(1) == proxy.service().retrying == 0)


async def test_a_first_replica_that_answers_after_all_is_heard(proxy: Workers) -> None:
    go = asyncio.Event()
    won = proxy.service().hedges_won
    async with witness(when(go)) as first, witness(silent()) as other, dial(proxy.port) as client:
        proxy.serve(service_of(first.address, other.address, policy=Policy.ROUND_ROBIN, hedge_s=HEDGE_S))
        await client.send(GET)
        await wait_until(lambda: len(first.connections) == len(other.connections) == 1)
        go.set()
        assert (await client.answer()).body == b"ok"
        await wait_until(lambda: len(other.ended) == 1)
        assert proxy.service().hedges_won == won


async def test_a_quick_answer_is_not_hedged(proxy: Workers) -> None:
    before = proxy.service().hedges
    async with witness(answering()) as one, witness(answering()) as two:
        proxy.serve(service_of(one.address, two.address, hedge_s=5.0))
        assert [(await ask(proxy.port, GET)).status for _ in range(20)] == [200] * 20
    assert proxy.service().hedges == before


async def test_a_post_is_never_sent_to_two(proxy: Workers) -> None:
    before = proxy.service().hedges
    go = asyncio.Event()
    async with witness(when(go)) as one, witness(when(go)) as two, dial(proxy.port) as client:
        proxy.serve(service_of(one.address, two.address, hedge_s=HEDGE_S, retries=Retries(try_timeout_s=0.0)))
        await client.send(POST)
        async with dial(proxy.port) as other:  # whose hedge shows that the time for one has passed
            await other.send(GET)
            await wait_until(lambda: proxy.service().hedges == before + 1)
        go.set()
        assert (await client.answer()).status == 200
        assert sum(request.count(b"POST") for request in (one.got, two.got)) == 1


async def test_when_the_first_attempt_fails_the_hedge_is_what_is_left(proxy: Workers) -> None:
    go = asyncio.Event()
    lose = asyncio.Event()

    async def losing(wire: Wire, _number: int) -> None:
        await wire.request()
        await lose.wait()
        wire.reset()

    async with witness(losing) as first, witness(when(go, SECOND)) as second, dial(proxy.port) as client:
        proxy.serve(service_of(first.address, second.address, policy=Policy.ROUND_ROBIN, hedge_s=HEDGE_S))
        await client.send(GET)
        await wait_until(lambda: len(first.connections) == len(second.connections) == 1)
        lose.set()
        await wait_until(lambda: proxy.in_flight(0) == 0)
        go.set()
        assert (await client.answer()).body == b"second"


async def test_a_hedge_that_fails_leaves_the_first_attempt_alone(proxy: Workers) -> None:
    go = asyncio.Event()

    async def refusing(wire: Wire, _number: int) -> None:
        await wire.request()
        wire.reset()

    async with witness(when(go)) as first, witness(refusing) as second, dial(proxy.port) as client:
        proxy.serve(service_of(first.address, second.address, policy=Policy.ROUND_ROBIN, hedge_s=HEDGE_S))
        await client.send(GET)
        await wait_until(lambda: len(second.ended) == 1)
        go.set()
        assert (await client.answer()).body == b"ok"
        await wait_until(lambda: proxy.service().retrying == 0)


async def test_a_winner_whose_answer_is_none_is_a_502(proxy: Workers) -> None:
    async with witness(silent()) as slow, witness(starting(b"NONSENSE\r\n\r\n")) as broken, dial(proxy.port) as client:
        proxy.serve(service_of(slow.address, broken.address, policy=Policy.ROUND_ROBIN, hedge_s=HEDGE_S))
        await client.send(GET)
        assert (await client.answer()).status == 502


async def test_a_client_that_leaves_takes_both_attempts_with_it(proxy: Workers) -> None:
    async with witness(silent()) as one, witness(silent()) as two:
        proxy.serve(service_of(one.address, two.address, hedge_s=HEDGE_S))
        async with dial(proxy.port) as client:
            await client.send(GET)
            await wait_until(lambda: len(one.connections) == len(two.connections) == 1)
            client.reset()
        await wait_until(lambda: len(one.ended) == len(two.ended) == 1)
        await wait_until(lambda: proxy.in_flight(0) == proxy.in_flight(1) == proxy.service().retrying == 0)
