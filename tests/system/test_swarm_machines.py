"""Machines of a Swarm are lost and drained under load: the service stays, and with it the requests."""

import asyncio
import time
from pathlib import Path

from tests.engines.swarm import Node, Swarm, swarm
from tests.support import wait_until
from tests.system.containers import CHANGE_S, SWARM, Seen, in_front_of, on_swarm, picks, under_load
from tests.system.figures import note
from tests.system.program import Program

REPLICAS = 6
CONNECTIONS = 24


def on(program: Program, node: Node) -> set[str]:
    """The replicas there that may be picked."""
    found = program.service()["replicas"]
    return {each["id"] for each in found if each["state"] == "ready" and each["address"].startswith(f"{node.address}:")}


def ready(program: Program) -> set[str]:
    return {name for name, state in program.states().items() if state == "ready"}


async def pick_rate(program: Program, ids: set[str]) -> float:
    """How often these replicas are picked in a second, over their first few hundred picks."""
    before, began_s = picks(program, ids), time.monotonic()
    await wait_until(lambda: picks(program, ids) >= before + 300, CHANGE_S)
    return (picks(program, ids) - before) / (time.monotonic() - began_s)


async def picked_until_ejected(program: Program, ids: set[str]) -> int:
    """How often they have been picked when none of them is READY any more."""
    most = picks(program, ids)
    while ready(program) & ids:
        most = max(most, picks(program, ids))
        await asyncio.sleep(0.02)
    return most


async def is_only_elsewhere(program: Program, node: Node) -> None:
    await wait_until(lambda: not on(program, node) and list(program.states().values()) == ["ready"] * REPLICAS, CHANGE_S)


async def test_a_machine_that_is_lost_takes_no_requests_with_it_but_those_in_flight_there(
    tmp_path: Path, own_swarm: Swarm
) -> None:
    own_swarm.create("web", REPLICAS)
    worker = own_swarm.nodes[2]
    seen = Seen()
    async with in_front_of(
        tmp_path, SWARM, on_swarm(own_swarm.managers), min_replicas=REPLICAS, max_replicas=REPLICAS
    ) as program:
        await program.up(REPLICAS)
        async with under_load(program, seen, connections=CONNECTIONS):
            victims = on(program, worker)
            rate = await pick_rate(program, victims)
            before, began_s = picks(program, victims), time.monotonic()
            following = asyncio.create_task(picked_until_ejected(program, victims))
            await asyncio.to_thread(worker.power_off)
            picked = await following - before
            await is_only_elsewhere(program, worker)
            back_s = time.monotonic() - began_s
        assert [each["message"] for each in program.events("machine_down")] == [
            f"machine {worker.name} does not answer the managers"
        ]
    note(
        f"swarm machine lost: its {len(victims)} replicas picked {picked} more times, at {rate:.0f} per second before; "
        f"back elsewhere after {back_s:.0f} s; {seen.words}"
    )
    assert len(victims) == 2
    assert picked <= rate
    assert seen.lost <= CONNECTIONS


async def test_a_machine_that_is_drained_is_left_without_a_failed_request(tmp_path: Path, swarm3: Swarm) -> None:
    swarm3.create("web", REPLICAS)
    worker = swarm3.nodes[1]
    seen = Seen()
    async with in_front_of(tmp_path, SWARM, on_swarm(swarm3.managers), min_replicas=REPLICAS, max_replicas=REPLICAS) as program:
        await program.up(REPLICAS)
        async with under_load(program, seen, connections=CONNECTIONS):
            swarm3.docker("node", "update", "--availability=drain", worker.name)
            await is_only_elsewhere(program, worker)
    note(f"swarm machine drained: {seen.words}")
    assert seen.lost == 0, seen.outcomes


async def test_when_the_manager_that_is_asked_is_lost_the_next_one_is_asked(tmp_path: Path, application: bytes) -> None:
    seen = Seen()
    with swarm(application, managers=3) as three:
        three.create("web", 2)
        async with in_front_of(tmp_path, SWARM, on_swarm(three.managers)) as program:
            await program.up(2)
            program.scale(3)
            await program.ready(3)
            async with under_load(program, seen, connections=CONNECTIONS):
                before, began_s = ready(program), time.monotonic()
                await asyncio.to_thread(three.managers[0].power_off)
                await wait_until(lambda: program.events("manager_changed"), CHANGE_S)
                program.scale(5)
                await wait_until(lambda: len(ready(program) - before) == 2, CHANGE_S)
                scaled_s = time.monotonic() - began_s
    note(f"swarm manager lost: scaled again after {scaled_s:.0f} s; {seen.words}")
    assert seen.lost <= CONNECTIONS, seen.outcomes
