"""Upgraded connections: a tunnel both ways, to the last octet, each direction closed on its own. Real WebSockets: test_clients.py."""

import asyncio

import pytest

from tests.proxy.wire import Wire, dial, steady
from tests.proxy.witness import Script, answering, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until

MIB = 1024 * 1024
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: chat/1\r\nX-Key: k\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat/1\r\nX-Accept: k\r\n\r\n"


def switching(and_then: Script, along: bytes = b"") -> Script:
    async def script(wire: Wire, number: int) -> None:
        request = await wire.head()
        assert (request.field("connection"), request.field("upgrade"), request.field("x-key")) == ("upgrade", "chat/1", "k")
        await wire.send(SWITCHED + along)
        await and_then(wire, number)

    return script


async def echo(wire: Wire, _number: int) -> None:
    """Send back what comes, and at its end what came in all."""
    total = len(wire.held)
    if wire.held:
        await wire.send(wire.held)
    while data := await wire.more():
        total += len(data)
        wire.held = b""
        wire.got.clear()
        await wire.send(data)
    await wire.send(b"total %d" % total)


async def test_an_upgrade_is_passed_on_and_its_answer_too(proxy: Workers) -> None:
    upgrades = proxy.service().upgrades
    async with witness(switching(echo)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(UPGRADE)
        head = await client.head()
        assert (head.status, head.field("connection"), head.field("upgrade"), head.field("x-accept")) == (
            101, "upgrade", "chat/1", "k",
        )  # fmt: skip
        for word in (b"one", b"two"):
            await client.send(word)
            assert await client.exactly(3) == word
        assert proxy.in_flight() == 1  # a tunnel is a request in flight
    await wait_until(lambda: proxy.in_flight() == 0)
    await wait_until(lambda: replica.ended == [0])
    assert proxy.service().upgrades == upgrades + 1


async def test_octets_sent_together_with_the_101_and_before_it_arrive(proxy: Workers) -> None:
    async with witness(switching(echo, along=b"early bird")) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(UPGRADE + b"even earlier")
        await client.head()
        assert await client.exactly(22) == b"early birdeven earlier"


async def test_the_client_s_half_close_leaves_the_other_direction_open(proxy: Workers) -> None:
    async with witness(switching(echo)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(UPGRADE)
        await client.head()
        await client.send(b"x" * 1000)
        client.finish()
        assert await client.rest() == b"x" * 1000 + b"total 1000"


async def test_the_replica_s_half_close_leaves_the_other_direction_open(proxy: Workers) -> None:
    async def goodbye(wire: Wire, _number: int) -> None:
        await wire.send(b"bye")
        wire.finish()
        assert await wire.rest() == b"and this?"

    async with witness(switching(goodbye)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(UPGRADE)
        await client.head()
        assert await client.rest() == b"bye"
        await client.send(b"and this?")
        client.finish()
        await wait_until(lambda: replica.ended == [0])


async def test_much_data_both_ways_at_once_arrives_whole_in_bounded_memory(proxy: Workers) -> None:
    size = 32 * MIB
    async with witness(switching(echo)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(UPGRADE)
        await client.head()
        before = proxy.forget_peak()

        async def give() -> None:
            for _ in range(size // MIB):
                await client.send(bytes(MIB), deadline_s=30)
            client.finish()

        giving = asyncio.create_task(give())
        taken = len(client.held)
        while data := await client.more():
            taken += len(data)
            client.held = data[-20:]
            client.got.clear()
        await giving
        assert client.held.endswith(b"total %d" % size)
        assert taken == size + len(b"total %d" % size)
        assert proxy.resident() - before < 2 * MIB


@pytest.mark.parametrize("side", ["client", "replica"])
async def test_a_tunnel_whose_reader_stands_still_holds_the_writer_up(proxy: Workers, side: str) -> None:
    stand_still = asyncio.Event()
    sent = 0

    def pour(wire: Wire) -> int:
        nonlocal sent
        while taken := wire.send_what_fits(bytes(65536)):
            sent += taken
        return sent

    async def script(wire: Wire, _number: int) -> None:
        await stand_still.wait()

    async with witness(switching(script)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(UPGRADE)
        await client.head()
        before = proxy.forget_peak()
        assert 0 < await steady(lambda: pour(client if side == "replica" else replica.connections[0])) < 32 * MIB
        assert proxy.resident() - before < 2 * MIB


@pytest.mark.parametrize("gone", ["client", "replica"])
async def test_a_reset_ends_both_sides(proxy: Workers, gone: str) -> None:
    async def wait(wire: Wire, _number: int) -> None:
        await wire.more()

    async with witness(switching(wait)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(UPGRADE)
        await client.head()
        if gone == "client":
            client.reset()
            await wait_until(lambda: replica.ended == [0])
        else:
            replica.connections[0].reset()
            assert await client.ends()
        await wait_until(lambda: proxy.in_flight() == 0)


async def test_a_silent_tunnel_is_ended_after_its_idle_time(proxy: Workers) -> None:
    async with witness(switching(echo)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), tunnel_idle_s=0.3)
        await client.send(UPGRADE)
        await client.head()
        assert await client.ends()
        await wait_until(lambda: replica.ended == [0])


async def test_a_replica_may_decline_to_upgrade(proxy: Workers) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(UPGRADE + UPGRADE)
        assert [(await client.answer()).body for _ in range(2)] == [b"ok", b"ok"]


@pytest.mark.parametrize(
    "request_octets",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", id="nobody asked for it"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: chat/1\r\n\r\n", id="Connection did not name it"),
        pytest.param(b"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: chat/1\r\n\r\n", id="the client speaks HTTP/1.0"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", id="it was h2c"),
    ],
)
async def test_a_switch_is_refused_where(proxy: Workers, request_octets: bytes) -> None:
    async with witness(answering(SWITCHED + b"secret")) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(request_octets)
        answer = await client.answer()
        assert answer.status == 502
        assert b"secret" not in client.got
