"""How often a request is tried, for how long each time, and how many tries after the first there are at once."""

import asyncio

import pytest

from balancer.table import Policy, Retries
from tests.proxy.wire import Message, Wire, ask, dial
from tests.proxy.witness import OK, Script, answering, silent, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"


async def resetting(wire: Wire, _number: int) -> None:
    await wire.request()
    wire.reset()


def counted(script: Script, seen: list[int], number: int) -> Script:
    async def counting(wire: Wire, connection: int) -> None:
        seen.append(number)
        await script(wire, connection)

    return counting


@pytest.mark.parametrize("attempts", [1, 2, 4])
async def test_so_many_attempts_are_made_each_at_another_replica(proxy: Workers, attempts: int) -> None:
    seen: list[int] = []
    one, two, three, four, five = (witness(counted(resetting, seen, number)) for number in range(5))
    async with one as a, two as b, three as c, four as d, five as e:
        addresses = [each.address for each in (a, b, c, d, e)]
        proxy.serve(service_of(*addresses, retries=Retries(attempts=attempts)))
        assert (await ask(proxy.port, GET)).status == 502
        assert len(seen) == len(set(seen)) == attempts


async def test_beyond_the_budget_a_request_is_not_tried_again(proxy: Workers) -> None:
    denied = proxy.service().retries_denied
    async with witness(resetting) as bad, witness(answering()) as good:
        for least, statuses in ((0, {200, 502}), (1, {200})):
            proxy.serve(
                service_of(bad.address, good.address, policy=Policy.ROUND_ROBIN, retries=Retries(budget=0.0, least=least))
            )
            assert {(await ask(proxy.port, GET)).status for _ in range(2)} == statuses
    assert proxy.service().retries_denied == denied + 1
    await wait_until(lambda: proxy.service().retrying == 0)


async def test_the_budget_grows_with_what_is_in_flight(proxy: Workers) -> None:
    go = asyncio.Event()

    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await go.wait()
        await wire.send(OK)

    async with witness(script) as good, witness(resetting) as bad:
        proxy.serve(service_of(good.address))
        steady = [asyncio.create_task(ask(proxy.port, GET)) for _ in range(8)]
        await wait_until(lambda: proxy.in_flight(0) == 8)
        retries = Retries(budget=0.5, least=0)
        proxy.serve(service_of(good.address, bad.address, policy=Policy.ROUND_ROBIN, retries=retries))
        more = [asyncio.create_task(ask(proxy.port, GET)) for _ in range(6)]
        await wait_until(lambda: proxy.in_flight(0) == 14)
        go.set()
        assert {(await task).status for task in steady + more} == {200}


async def test_a_try_that_takes_too_long_goes_to_another_replica(proxy: Workers) -> None:
    seen: list[Message] = []
    before = proxy.replica(0).timeouts
    async with witness(silent()) as slow, witness(answering(seen=seen)) as quick:
        retries = Retries(try_timeout_s=0.1)
        proxy.serve(service_of(slow.address, quick.address, policy=Policy.ROUND_ROBIN, retries=retries))
        assert [(await ask(proxy.port, GET)).status for _ in range(2)] == [200, 200]
        assert proxy.replica(0).timeouts - before == len(slow.connections) == 1


async def test_a_post_that_takes_too_long_is_not_sent_twice(proxy: Workers) -> None:
    async with witness(silent()) as one, witness(silent()) as two:
        proxy.serve(service_of(one.address, two.address, retries=Retries(try_timeout_s=0.1)))
        assert (await ask(proxy.port, POST)).status == 504
        assert len(one.connections) + len(two.connections) == 1


async def test_the_deadline_of_the_whole_request_ends_the_tries(proxy: Workers) -> None:
    """Deadlines are looked at every tenth of a second, so there may be one try more or less."""
    one, two, three, four, five = (witness(silent()) for _ in range(5))
    async with one as a, two as b, three as c, four as d, five as e:
        replicas = (a, b, c, d, e)
        retries = Retries(attempts=5, try_timeout_s=0.4)
        proxy.serve(service_of(*[each.address for each in replicas], retries=retries, total_s=1.0))
        assert (await ask(proxy.port, GET)).status == 504
        assert 2 <= sum(len(each.connections) for each in replicas) <= 3


@pytest.mark.parametrize(
    ("answer", "reported"),
    [
        pytest.param(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", True, id="503 is a failure"),
        pytest.param(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", False, id="500 is the application's own affair"),
        pytest.param(OK, False, id="200 is none"),
    ],
)
async def test_failures_in_a_row_are_reported(proxy: Workers, answer: bytes, reported: bool) -> None:
    told = len(proxy.heard("failing"))
    async with witness(answering(answer)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address, failures=3))
        for _ in range(6):
            await client.send(GET)
            await client.answer()
        fresh = proxy.heard("failing")[told:]
        assert bool(fresh) == reported
        assert all((each["service"], each["replica"]) == ("app", "app-0") and each["failures"] >= 3 for each in fresh)


async def test_a_good_answer_between_them_begins_the_row_anew(proxy: Workers) -> None:
    told = len(proxy.heard("failing"))
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    async with witness(answering(busy, busy, OK, busy, busy, OK)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address, failures=3))
        for _ in range(6):
            await client.send(GET)
            await client.answer()
    assert proxy.heard("failing")[told:] == []
