"""The program is killed or ended, and comes back: it goes on as if it had not been away, and can still say what it did."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support import wait_until
from tests.system.apps import TINY, running, written
from tests.system.load import wrk
from tests.system.program import Program, ecluse, environment

WINDOW_S = 6.0
SEEN_S = 2.0  # after which the mean over stable_window has fallen
SLACK_S = 1.5  # for ticks and for a busy machine
RULES = {
    "min_replicas": 1,
    "max_replicas": 3,
    "metrics": [{"type": "concurrency", "target": 6}],
    "stable_window": "6s",
    "burst": False,  # after one the count would be held for a stable window more
    "behavior": {"scale_down": {"stabilization_window": f"{WINDOW_S}s"}},
}


@asynccontextmanager
async def life(tmp_path: Path, rules: Mapping[str, Any] = RULES) -> AsyncIterator[Program]:
    """One of several on the same state directory."""
    web = running(TINY, tmp_path, autoscale=rules)
    file = written(tmp_path / "ecluse.yaml", {"web": web}, state="state")
    async with ecluse(tmp_path, str(file)) as it:
        yield it


def stage(program: Program, name: str) -> dict[str, Any]:
    """Of the last decision."""
    stages = program.client.get("/api/services/web/explain")["stages"]
    return next(each for each in stages if each["name"] == name)


async def test_a_scale_down_window_that_began_before_a_kill_ends_at_its_time(tmp_path: Path) -> None:
    async with life(tmp_path) as first:
        await first.up()
        async with wrk(first.port, "/slow?ms=50", connections=17, pause_ms=0) as load:
            await first.ready(3)
            await load.end()
        fell_at = time.time()
        await wait_until(lambda: stage(first, "stabilize")["reason"] == "stabilized" and time.time() > fell_at + WINDOW_S / 2)
        first.signal(signal.SIGKILL)
        await first.ended()
    async with life(tmp_path) as second:
        assert second.service()["desired"] == 3
        down = await wait_until(lambda: [each for each in second.events("decision") if each["at"] > fell_at], 20)
        assert fell_at + WINDOW_S - 1.0 < down[0]["at"] < fell_at + WINDOW_S + SEEN_S + SLACK_S, down
        then = await second.command("explain", "web", "--at", str(fell_at))
        assert "desired: 3" in then.out
        since = await second.command("explain", "web", "--since", "5m")
        assert "web goes from 1 to 3 replicas: " in since.out


async def test_what_was_set_by_hand_stands_after_an_end_in_order(tmp_path: Path) -> None:
    async with life(tmp_path) as first:
        await first.up()
        first.scale(2)
        await first.ready(2)
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
    async with life(tmp_path) as second:
        assert second.service()["override"] == 2
        await wait_until(lambda: second.service()["ready"] == 2, 20)
        assert "held at 2 by hand" in (await second.command("events")).out


async def test_a_second_program_on_the_same_directory_says_whose_it_is_and_ends(tmp_path: Path) -> None:
    async with life(tmp_path) as first:
        words = (sys.executable, "-m", "sidecar.cli", "run", str(tmp_path / "ecluse.yaml"))
        second = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE, env=environment(), cwd=tmp_path)
        _, said = await asyncio.wait_for(second.communicate(), 15)
        assert second.returncode == 1
        assert f"in use by another ecluse (pid {first.process.pid})" in said.decode()
        assert "Traceback" not in said.decode()
