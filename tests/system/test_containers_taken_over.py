"""Écluse ends, in order or not, and is started again: its containers go on and are taken over at once, as they are."""

import signal
from pathlib import Path

import pytest

from tests.engines.daemon import Daemon
from tests.engines.swarm import Swarm
from tests.support import get
from tests.system.containers import IMAGE, SWARM, in_front_of, lives, on_docker, on_swarm
from tests.system.program import Program

REPLICAS = 3


async def end(program: Program, number: signal.Signals) -> None:
    program.signal(number)
    assert await program.ended() == (0 if number is signal.SIGTERM else -number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
async def test_containers_are_taken_over_without_a_restart_and_their_count_stays(
    tmp_path: Path, engine: Daemon, number: signal.Signals
) -> None:
    async with in_front_of(tmp_path, IMAGE, on_docker(engine)) as program:
        await program.up()
        program.scale(REPLICAS)
        await program.ready(REPLICAS)
        before = lives(engine)
        await end(program, number)
    async with in_front_of(tmp_path, IMAGE, on_docker(engine)) as program:
        await program.up(REPLICAS)
        assert (await get(program.port)).status == 200
        assert program.service()["desired"] == REPLICAS
        assert program.events("draining") == []
        assert lives(engine) == before
    assert lives(engine) == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
async def test_tasks_are_taken_over_as_they_are(tmp_path: Path, swarm3: Swarm, number: signal.Signals) -> None:
    swarm3.create("web", REPLICAS)
    before = {task["ID"] for task in swarm3.settled("web", REPLICAS)}
    for _ in range(2):
        async with in_front_of(tmp_path, SWARM, on_swarm(swarm3.managers)) as program:
            await program.up(REPLICAS)
            assert (await get(program.port)).status == 200
            await end(program, number)
    assert {task["ID"] for task in swarm3.running("web")} == before
