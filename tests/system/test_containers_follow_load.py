"""The count follows the load, up and down again and again, on each engine: a Docker image, a Compose service, a Swarm service.

With CI=true until at least twenty replicas were drained and removed on each; otherwise until four were.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engines.compose import Project
from tests.engines.daemon import Daemon
from tests.engines.swarm import Swarm
from tests.system.containers import (
    CHANGE_S,
    COMPOSE,
    IMAGE,
    MAXIMUM,
    SWARM,
    TARGET,
    Seen,
    in_front_of,
    on_docker,
    on_swarm,
    removed,
    turns,
    under_load,
)
from tests.system.figures import note
from tests.system.program import Program
from tests.system.tools import in_full

REMOVALS = in_full(20, 4)
HEAVY = MAXIMUM * TARGET + 4


async def surges(program: Program, seen: Seen) -> None:
    """Many connections until the service is as large as it may be, then few until it is as small."""
    async with under_load(program, seen, "/?ms=100", connections=2):
        while removed(program) < REMOVALS:
            async with under_load(program, seen, "/?ms=100", connections=HEAVY):
                await program.ready(MAXIMUM, deadline_s=CHANGE_S)
            await program.ready(1, deadline_s=CHANGE_S)


async def follow(folder: Path, source: Mapping[str, Any], top: Mapping[str, Any]) -> None:
    seen = Seen()
    async with in_front_of(folder, source, top) as program:
        await program.up()
        await surges(program, seen)
        ups, downs = turns(program)
        note(f"{folder.name}: {removed(program)} replicas removed in {downs} steps down, {ups} steps up; {seen.words}")
        assert program.events("drain_timeout") == []
    assert seen.lost == 0, seen.outcomes
    assert seen.requests > 20 * REMOVALS


@pytest.mark.timeout(in_full(400, 120))
async def test_replicas_follow_the_load_on_every_engine(tmp_path: Path, engine: Daemon, compose: Project, swarm3: Swarm) -> None:
    """All three at once, each with its own program: it takes a third of the time, and they disturb each other as in life."""
    swarm3.create("web", 1)
    assert compose.engine is engine
    folders = [tmp_path / name for name in ("docker image", "compose service", "swarm service")]
    for folder in folders:
        folder.mkdir()
    async with asyncio.TaskGroup() as stories:
        stories.create_task(follow(folders[0], IMAGE, on_docker(engine, owner="one")))
        stories.create_task(follow(folders[1], COMPOSE, on_docker(engine, owner="other")))
        stories.create_task(follow(folders[2], SWARM, on_swarm(swarm3.managers)))
