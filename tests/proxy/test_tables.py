"""Routing tables swapped under load, replicas that drain or go, what becomes of their connections, and settings that change."""

import asyncio
from dataclasses import replace

import pytest

from balancer.table import ReplicaState, RoutingTable
from tests.proxy.test_policies import replicas, tally
from tests.proxy.wire import ask, dial
from tests.proxy.witness import answering, silent, witness
from tests.proxy.workers import Workers, in_state, service_of, settings_of, table_of
from tests.support import wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.mark.parametrize("state", [state for state in ReplicaState if state is not ReplicaState.READY])
async def test_only_ready_replicas_are_picked(proxy: Workers, state: ReplicaState) -> None:
    async with replicas("a", "b") as addresses:
        proxy.serve(in_state(service_of(*addresses), state))
        assert await tally(proxy, 20) == {"b": 20}


@pytest.mark.parametrize("how", ["draining", "gone from the table"])
async def test_a_replica_that_leaves_finishes_what_it_has(proxy: Workers, how: str) -> None:
    go_on = asyncio.Event()
    async with witness(silent(go_on)) as leaving, witness(answering()) as staying, dial(proxy.port) as client:
        both = service_of(leaving.address, staying.address)
        proxy.serve(in_state(both, ReplicaState.EJECTED, 1))
        await client.send(GET)
        await wait_until(lambda: proxy.in_flight(0) == 1)
        without = replace(both, replicas=both.replicas[1:])
        proxy.serve(in_state(both, ReplicaState.DRAINING, 0) if how == "draining" else without)
        assert (await ask(proxy.port)).status == 200
        assert proxy.in_flight(0) == 1
        go_on.set()
        assert (await client.answer()).body == b"ok"
        await wait_until(lambda: leaving.ended == [0])  # its connection is not kept for reuse
        assert proxy.in_flight(0) == 0


async def test_a_draining_replica_s_idle_connections_are_closed(proxy: Workers) -> None:
    async with witness(answering()) as replica:
        service = service_of(replica.address)
        proxy.serve(service)
        await ask(proxy.port)
        await wait_until(lambda: proxy.replica().pooled == 1)  # a moment after the answer
        proxy.serve(in_state(service, ReplicaState.DRAINING))
        await wait_until(lambda: replica.ended == [0])
        assert proxy.replica().pooled == 0


async def test_an_ejected_replica_that_returns_is_used_again(proxy: Workers) -> None:
    async with witness(answering()) as replica:
        service = service_of(replica.address)
        for state, status in ((ReplicaState.READY, 200), (ReplicaState.EJECTED, 503), (ReplicaState.READY, 200)):
            proxy.serve(in_state(service, state))
            assert (await ask(proxy.port)).status == status


async def test_swapping_tables_under_load_loses_nothing(pair: Workers) -> None:
    statuses: list[int] = []
    done = asyncio.Event()

    async def client(port: int, keep: bool) -> None:
        while not done.is_set():
            async with dial(port) as wire:
                for _ in range(20 if keep else 1):
                    await wire.send(GET)
                    statuses.append((await wire.answer()).status)

    async with replicas("a", "b", "c") as addresses:
        service = service_of(*addresses)
        pair.serve(service)
        clients = [asyncio.create_task(client(pair.port, keep)) for keep in (True, True, True, False, False)]
        for number in range(60):
            pair.send(table_of(in_state(service, ReplicaState.DRAINING, number % 3)))
            await wait_until(lambda: pair.acknowledged(0) and pair.acknowledged(1))
        done.set()
        await asyncio.gather(*clients)
    assert len(statuses) > 100
    assert set(statuses) == {200}


async def test_a_client_s_connection_outlives_the_tables(proxy: Workers) -> None:
    async with replicas("a") as first, replicas("b") as second, dial(proxy.port) as client:
        for addresses, name in ((first, b"a"), (second, b"b"), (first, b"a")):
            proxy.serve(service_of(*addresses))
            await client.send(GET)
            assert (await client.answer()).body == name


async def test_new_limits_hold_for_the_next_request_of_an_old_connection(proxy: Workers) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        assert (await client.answer()).status == 200
        proxy.serve(service_of(replica.address), request_line=10)
        await client.send(GET)
        assert (await client.answer()).status == 414


BAD = {
    "a trusted proxy that is none": table_of(service_of("127.0.0.1:80"), settings=settings_of(trusted_proxies=("nonsense",))),
    "a replica's address that is none": table_of(service_of("no address at all")),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_a_table_that_cannot_be_used_is_reported_and_the_old_one_kept(proxy: Workers, bad: RoutingTable) -> None:
    async with witness(answering()) as replica:
        good = table_of(service_of(replica.address))
        proxy.use(good)
        proxy.messages.clear()
        proxy.send(bad)
        await wait_until(lambda: proxy.heard("error") != [])
        assert proxy.heard("error")[0]["what"]
        assert proxy.heard("ack") == []
        assert (await ask(proxy.port)).status == 200
        proxy.use(good)


async def test_not_more_idle_connections_are_kept_than_the_pool_may_hold(proxy: Workers) -> None:
    go_on = asyncio.Event()
    async with witness(silent(go_on)) as replica:
        proxy.serve(service_of(replica.address), pool_per_replica=2)
        asking = [asyncio.create_task(ask(proxy.port)) for _ in range(6)]
        await wait_until(lambda: proxy.in_flight() == 6)
        go_on.set()
        assert [(await task).status for task in asking] == [200] * 6
        assert proxy.replica().pooled == 2
        await wait_until(lambda: len(replica.ended) == 4)


async def test_connections_to_replicas_are_reused_by_different_clients(proxy: Workers) -> None:
    before = proxy.replica().connects
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address))
        for _ in range(5):
            assert (await ask(proxy.port)).status == 200
        assert len(replica.connections) == 1
        assert proxy.replica().connects == before + 1


async def test_a_replica_that_says_close_is_not_reused(proxy: Workers) -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    async with witness(answering(closing)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for _ in range(2):
            await client.send(GET)
            assert (await client.answer()).field("connection") is None  # the client's own connection stays
        assert len(replica.connections) == 2
