"""Requests that are to meet the same replica again: by a cookie of ours, or by what they say themselves."""

import asyncio
import re

import pytest

from balancer.table import Affinity, By, ReplicaState
from tests.proxy.wire import Message, ask, dial
from tests.proxy.witness import Witness, answering, silent, witness
from tests.proxy.workers import Workers, in_state, service_of
from tests.support import wait_until

KEY = "00112233445566778899aabbccddeeff"
FREE = 100.0  # no bound: the last request may still count when its answer is here
SESSION = Affinity(By.SESSION, "ecluse", KEY, "; Path=/; HttpOnly; SameSite=Lax")


def named(name: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name)


def get(*lines: bytes, target: bytes = b"/") -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: test\r\n%b\r\n" % (target, b"".join(line + b"\r\n" for line in lines))


def token(answer: Message) -> bytes:
    """The cookie that an answer sets, as the client sends it back."""
    found = re.fullmatch(r"(ecluse=[0-9a-f]{32}); Path=/; HttpOnly; SameSite=Lax", answer.field("set-cookie") or "")
    assert found, answer.fields
    return found[1].encode()


class Trio:
    """Three replicas that say their names."""

    def __init__(self, *replicas: Witness) -> None:
        self.addresses = [replica.address for replica in replicas]


@pytest.fixture
async def trio():
    async with witness(answering(named(b"a"))) as a, witness(answering(named(b"b"))) as b, witness(answering(named(b"c"))) as c:
        yield Trio(a, b, c)


async def test_a_session_stays_where_it_began(pair: Workers, trio: Trio) -> None:
    pair.serve(service_of(*trio.addresses, affinity=SESSION))
    for _ in range(4):
        first = await ask(pair.port, get())
        cookie = token(first)
        later = [await ask(pair.port, get(b"Cookie: theme=dark; " + cookie)) for _ in range(8)]  # over both workers
        assert {answer.body for answer in later} == {first.body}
        assert {answer.field("set-cookie") for answer in later} == {None}


async def test_a_session_moves_for_good_when_its_replica_is_no_longer_ready(proxy: Workers, trio: Trio) -> None:
    service = service_of(*trio.addresses, affinity=SESSION)
    proxy.serve(service)
    first = await ask(proxy.port, get())
    number = b"abc".index(first.body)
    proxy.serve(in_state(service, ReplicaState.DRAINING, number))
    moved = await ask(proxy.port, get(b"Cookie: " + token(first)))
    assert moved.body != first.body
    assert {(await ask(proxy.port, get(b"Cookie: " + token(moved)))).body for _ in range(5)} == {moved.body}


async def test_a_session_moves_when_its_replica_dies(proxy: Workers, trio: Trio) -> None:
    async with witness(answering(named(b"d"))) as fourth:
        proxy.serve(service_of(fourth.address, affinity=SESSION))
        cookie = token(await ask(proxy.port, get()))
        proxy.serve(service_of(fourth.address, *trio.addresses, affinity=SESSION))
    moved = await ask(proxy.port, get(b"Cookie: " + cookie))
    assert moved.status == 200
    assert token(moved) != cookie


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param(b"ecluse=" + b"0" * 32, id="made up"),
        pytest.param(b"ecluse=app-0", id="the replica's name"),
        pytest.param(b"ecluse=", id="empty"),
        pytest.param(b"xecluse=1; ecluse2=2", id="of other names"),
        pytest.param(b";;;=;", id="no cookie at all"),
    ],
)
async def test_a_cookie_that_was_not_signed_here_chooses_nothing(proxy: Workers, trio: Trio, cookie: bytes) -> None:
    proxy.serve(service_of(*trio.addresses, affinity=SESSION))
    answers = [await ask(proxy.port, get(b"Cookie: " + cookie)) for _ in range(24)]
    assert {answer.body for answer in answers} == {b"a", b"b", b"c"}
    assert all(token(answer) for answer in answers)


async def test_a_session_whose_replica_is_at_its_cap_is_served_elsewhere_and_comes_back(proxy: Workers, trio: Trio) -> None:
    until = asyncio.Event()
    async with witness(silent(until)) as busy, dial(proxy.port) as client:
        proxy.serve(service_of(busy.address, affinity=SESSION, max_concurrency=1))
        await client.send(get())
        await wait_until(lambda: len(busy.connections) == 1)
        proxy.serve(service_of(busy.address, *trio.addresses, affinity=SESSION, max_concurrency=1))
        until.set()
        cookie = token(await client.answer())
        until.clear()
        await client.send(get(b"Cookie: " + cookie))
        await wait_until(lambda: proxy.in_flight(0) == 1)
        strayed = await ask(proxy.port, get(b"Cookie: " + cookie))
        assert (strayed.status, strayed.field("set-cookie")) == (200, None)
        assert proxy.service().strayed >= 1
        until.set()
        assert (await client.answer()).body == b"ok"


@pytest.mark.parametrize(
    ("affinity", "request_of"),
    [
        pytest.param(Affinity(By.HEADER, "X-User", load=FREE), lambda n: get(b"x-user: %d" % n), id="a header"),
        pytest.param(Affinity(By.COOKIE, "user", load=FREE), lambda n: get(b"Cookie: a=b; user=%d; c=d" % n), id="a cookie"),
        pytest.param(Affinity(By.QUERY, "user", load=FREE), lambda n: get(target=b"/x?a=b&user=%d" % n), id="a query parameter"),
    ],
)
async def test_what_hashes_alike_meets_the_same_replica(pair: Workers, trio: Trio, affinity: Affinity, request_of) -> None:
    pair.serve(service_of(*trio.addresses, affinity=affinity))
    found = {number: {(await ask(pair.port, request_of(number))).body for _ in range(3)} for number in range(24)}
    assert all(len(bodies) == 1 for bodies in found.values())
    assert {next(iter(bodies)) for bodies in found.values()} == {b"a", b"b", b"c"}


async def test_clients_are_told_apart_by_their_address(proxy: Workers, trio: Trio) -> None:
    proxy.serve(service_of(*trio.addresses, affinity=Affinity(By.ADDRESS, load=FREE)), trusted_proxies=("127.0.0.1",))
    found = {}
    for number in range(24):
        line = b"X-Forwarded-For: 203.0.113.9, 198.51.100.%d, 127.0.0.1" % number
        found[number] = {(await ask(proxy.port, get(line))).body for _ in range(3)}
    assert all(len(bodies) == 1 for bodies in found.values())
    assert len({next(iter(bodies)) for bodies in found.values()}) == 3


async def test_a_request_without_what_is_hashed_goes_anywhere(proxy: Workers, trio: Trio) -> None:
    proxy.serve(service_of(*trio.addresses, affinity=Affinity(By.HEADER, "X-User", load=FREE)))
    assert {(await ask(proxy.port, get())).body for _ in range(30)} == {b"a", b"b", b"c"}


async def test_a_replica_that_goes_moves_its_own_keys_only(proxy: Workers, trio: Trio) -> None:
    async def homes() -> dict[int, bytes]:
        return {n: (await ask(proxy.port, get(b"X-User: %d" % n))).body for n in range(40)}

    service = service_of(*trio.addresses, affinity=Affinity(By.HEADER, "X-User", load=FREE))
    proxy.serve(service)
    before = await homes()
    proxy.serve(in_state(service, ReplicaState.DRAINING, 1))
    after = await homes()
    assert {n for n in before if before[n] != after[n]} == {n for n in before if before[n] == b"b"}
    assert b"b" not in after.values()


async def test_a_key_that_is_asked_for_too_much_spreads(proxy: Workers) -> None:
    until = asyncio.Event()
    async with witness(silent(until)) as a, witness(silent(until)) as b, witness(silent(until)) as c:
        proxy.serve(service_of(a.address, b.address, c.address, affinity=Affinity(By.HEADER, "X-User", load=1.25)))
        asked = [asyncio.create_task(ask(proxy.port, get(b"X-User: 1"))) for _ in range(30)]
        await wait_until(lambda: sum(proxy.in_flight(slot) for slot in range(3)) == 30)
        assert max(proxy.in_flight(slot) for slot in range(3)) <= 13  # 1.25 x 30 / 3, rounded up
        until.set()
        assert {(await task).status for task in asked} == {200}
