"""Somebody removes, kills or pauses a container under load: the others carry the load, and the count is what it was soon after."""

from pathlib import Path

import pytest

from tests.engines.daemon import Daemon
from tests.support import wait_until
from tests.system.containers import CHANGE_S, IMAGE, Seen, in_front_of, lives, on_docker, under_load
from tests.system.figures import note
from tests.system.program import Program

REPLICAS = 3
CONNECTIONS = 8


async def has_recovered(program: Program, engine: Daemon) -> None:
    await program.ready(REPLICAS, deadline_s=CHANGE_S)
    assert len(lives(engine)) == REPLICAS


@pytest.mark.parametrize("harm", [("rm", "--force"), ("kill",), ("stop",)], ids=lambda words: words[0])
async def test_a_container_that_others_end_is_replaced_or_started_again(
    tmp_path: Path, engine: Daemon, harm: tuple[str, ...]
) -> None:
    seen = Seen()
    async with in_front_of(tmp_path, IMAGE, on_docker(engine), min_replicas=REPLICAS) as program:
        await program.up(REPLICAS)
        async with under_load(program, seen, connections=CONNECTIONS):
            victim = next(iter(program.states()))
            engine.docker(*harm, victim)
            await wait_until(lambda: program.states().get(victim) != "ready", CHANGE_S)
            await program.ready(REPLICAS, deadline_s=CHANGE_S)
        running = [since for since in lives(engine).values() if since]
        assert len(running) == REPLICAS
    note(f"docker {harm[0]} by hand: {seen.words}")
    assert seen.lost <= CONNECTIONS, seen.outcomes


async def test_a_paused_container_is_ejected_and_comes_back(tmp_path: Path, engine: Daemon) -> None:
    seen = Seen()
    async with in_front_of(tmp_path, IMAGE, on_docker(engine), min_replicas=REPLICAS, max_replicas=REPLICAS) as program:
        await program.up(REPLICAS)
        before = lives(engine)
        async with under_load(program, seen, connections=CONNECTIONS):
            victim = next(iter(program.states()))
            engine.docker("pause", victim)
            await wait_until(lambda: program.states()[victim] == "ejected", CHANGE_S)
            reasons = [each["message"] for each in program.events("ejected")]
            engine.docker("unpause", victim)
            await program.ready(REPLICAS, deadline_s=CHANGE_S)
        assert lives(engine) == before
    note(f"docker pause by hand: ejected as {reasons[0]!r}; {seen.words}")
    assert seen.lost <= CONNECTIONS, seen.outcomes
