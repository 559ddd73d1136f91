"""A worker is killed with SIGKILL under load: its open connections are all that is lost, and its successor is there at once.

A worker that is only stopped (SIGSTOP) loses nothing, also when the replicas that it knew are drained meanwhile.
"""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support import get, wait_until
from tests.system.apps import NODE, running, written
from tests.system.load import wrk
from tests.system.program import Program, ecluse
from tests.system.tools import in_full

DEATHS = in_full(6, 2)


def worker(program: Program, row: int) -> dict[str, Any]:
    found: dict[str, Any] = program.overview()["workers"][row]
    return found


async def kill(program: Program, row: int) -> int:
    """Kill a worker, and wait for its successor. How many connections it had."""
    before = worker(program, row)
    os.kill(before["pid"], signal.SIGKILL)
    died = f"worker {row} (pid {before['pid']}) was killed by SIGKILL; a new one takes its place"
    await wait_until(lambda: any(died in each["message"] for each in program.events("worker_died")))
    await wait_until(lambda: worker(program, row)["acknowledged"] > 0)
    return int(before["reading"]["connections"])


def connections(program: Program) -> int:
    return sum(each["reading"]["connections"] for each in program.overview()["workers"])


async def served(program: Program, row: int) -> None:
    """Until a worker has taken and answered a few more connections."""
    accepted = worker(program, row)["reading"]["accepted"]
    async with wrk(program.port, close=True, connections=2) as load:
        await wait_until(lambda: worker(program, row)["reading"]["accepted"] >= accepted + 10)
        assert (await load.end()).lost == 0


@asynccontextmanager
async def two_workers(tmp_path: Path) -> AsyncIterator[Program]:
    file = written(tmp_path / "ecluse.yaml", {"web": running(NODE, tmp_path, minimum=2)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        yield program
        assert [(await get(program.port)).status for _ in range(20)] == [200] * 20


async def test_only_the_connections_of_the_killed_worker_see_an_error(tmp_path: Path) -> None:
    had = 0
    async with two_workers(tmp_path) as program, wrk(program.port, connections=16) as load:
        for number in range(DEATHS):
            await wait_until(lambda: connections(program) == 16)
            had += await kill(program, number % 2)
        outcome = await load.end()
        assert sum(program.metrics("ecluse_worker_restarts_total").values()) == DEATHS
    assert outcome.socket_errors <= had
    assert outcome.lost == outcome.socket_errors  # no bad answer, none late


async def test_connections_that_wait_to_be_accepted_are_left_to_the_successor(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as program, wrk(program.port, close=True, connections=4) as load:
        for number in range(DEATHS):
            await kill(program, number % 2)
            await served(program, number % 2)
        outcome = await load.end()
    assert outcome.lost <= 4 * DEATHS  # without the successor each of the four would fail again and again


async def test_a_stopped_worker_loses_nothing_although_its_replicas_have_changed_when_it_goes_on(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as program, wrk(program.port, connections=16) as load:
        await wait_until(lambda: connections(program) == 16)
        pid = worker(program, 0)["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            program.client.post("/api/services/web/replicas/web-1/drain", {})
            await wait_until(lambda: program.events("worker_hangs"))
        finally:
            os.kill(pid, signal.SIGCONT)
        await wait_until(lambda: program.states() == {"web-2": "ready", "web-3": "ready"})
        await served(program, 0)
        outcome = await load.end()
    assert outcome.lost == 0
