"""Many clients and replicas that do anything at any moment: nobody ever gets an answer that is not theirs, and nothing is left over.

What they do is in `storm.py`. Replicas break off, reset, answer early, twice or with nonsense, and one of them has a Unix socket with room
for one new connection; clients pipeline in odd pieces, read slowly and leave; tables change meanwhile. What must hold: each whole request
that a replica sees is one that was sent, octet for octet; each whole answer that a client sees is its own; what is POSTed reaches a replica
once at most; and in the end there is nothing in flight, waiting or pooled, no descriptor and no fault.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from balancer.table import ReplicaState, RoutingTable, ServiceEntry
from tests.proxy.storm import Plans, Restless, moody
from tests.proxy.witness import Witness, witness
from tests.proxy.workers import Workers, in_state, service_of, settings_of, table_of
from tests.support import wait_until

CLIENTS = 16
# Longer and other storms, by hand: STORM_SEEDS=40 STORM_FIRST_SEED=100 STORM_VISITS=40.
VISITS = int(os.environ.get("STORM_VISITS", "20"))
SEEDS = int(os.environ.get("STORM_SEEDS", "3"))
FIRST_SEED = int(os.environ.get("STORM_FIRST_SEED", "0"))
SETTINGS = settings_of(response_head_s=0.5, body_idle_s=0.5, linger_s=0.1)


def sockets(workers: Workers) -> list[int]:
    """How many sockets each worker has open."""
    folders = [Path(f"/proc/{process.pid}/fd") for process in workers.processes]
    return [sum("socket:" in str(entry.readlink()) for entry in folder.iterdir()) for folder in folders]


@asynccontextmanager
async def replicas(plans: Plans, seed: int, folder: Path) -> AsyncIterator[list[Witness]]:
    """Two with TCP ports and one with a Unix socket that has room for one new connection."""
    async with AsyncExitStack() as stack:
        moods = [moody(plans, random.Random(seed * 100 + number)) for number in range(3)]
        made = [await stack.enter_async_context(witness(mood)) for mood in moods[:2]]
        made.append(await stack.enter_async_context(witness(moods[2], path=folder / "s")))
        made[2].listener.listen(0)
        yield made


def another_table(service: ServiceEntry, chance: random.Random) -> RoutingTable:
    """A replica is taken away or all are there, and the cap is another one."""
    cap = chance.choice([0, 1, 4])
    changed = replace(service, max_concurrency=cap, queue=50, queue_timeout_s=0.5)
    if chance.random() < 0.7:
        changed = in_state(changed, ReplicaState.DRAINING, chance.randrange(3))
    return table_of(changed, settings=SETTINGS)


async def until_over(pair: Workers, service: ServiceEntry, chance: random.Random, clients: list[asyncio.Task[None]]) -> None:
    """Change the table again and again."""
    whole = asyncio.gather(*clients)
    while not whole.done():
        pair.send(another_table(service, chance))
        await asyncio.wait([whole], timeout=0.1)
        pair.heard("ack")  # read, so that nothing piles up
    await whole


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
async def test_everybody_gets_their_own_answer_or_none(pair: Workers, seed: int, tmp_path: Path) -> None:
    plans, chance = Plans(), random.Random(seed)
    pair.use(RoutingTable())  # they have everything now that they need to begin with
    before = sockets(pair)
    async with replicas(plans, seed, tmp_path) as made:
        service = service_of(*[replica.address for replica in made])
        pair.use(table_of(service, settings=SETTINGS))
        guests = [Restless(number, plans, random.Random(seed * 1000 + number)) for number in range(CLIENTS)]

        async def visits(guest: Restless) -> None:
            for _ in range(VISITS):
                await guest.visit(pair.port)

        await until_over(pair, service, chance, [asyncio.create_task(visits(guest)) for guest in guests])
        pair.use(RoutingTable())
        await wait_until(lambda: sockets(pair) == before)
    assert plans.statuses[200] > CLIENTS * VISITS / 2
    assert max(plans.arrived.values()) <= 3
    assert max(count for first, count in plans.arrived.items() if first.startswith("POST")) == 1
