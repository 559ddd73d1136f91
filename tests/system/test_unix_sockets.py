"""Replicas on Unix sockets: up and down, crashes, a reload from ports to sockets, the controller's death. No request may notice."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support import wait_until
from tests.system.apps import ON_SOCKETS, TINY, running, written
from tests.system.load import wrk
from tests.system.program import Program, ecluse
from tests.system.tools import in_full

TIMES = in_full(20, 3)
ON_SOCKET = ON_SOCKETS["tiny"]


def replicas(program: Program) -> list[dict[str, Any]]:
    """Those that are not about to go."""
    return [each for each in program.service()["replicas"] if each["state"] != "draining"]


def paths(program: Program) -> set[Path]:
    """Where the replicas listen."""
    return {Path(each["address"].removeprefix("unix:")) for each in replicas(program)}


def lose_socket(program: Program, replica: str) -> Path:
    """Remove the socket of a replica that goes on listening; where it was."""
    address = next(each["address"] for each in replicas(program) if each["id"] == replica)
    path = Path(address.removeprefix("unix:"))
    path.unlink()
    return path


async def nothing_but(program: Program, count: int) -> None:
    """Until so many replicas are there, and the folder holds their sockets and nothing else."""
    await program.ready(count)
    await wait_until(lambda: {path for one in paths(program) for path in one.parent.iterdir()} == paths(program))


@pytest.mark.parametrize("app", [ON_SOCKETS[name] for name in ("uvicorn", "node", "nginx")], ids=lambda app: app.name)
async def test_no_request_fails_while_replicas_on_sockets_come_and_go(tmp_path: Path, app: Any) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(app, tmp_path, maximum=3)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up()
        async with wrk(program.port) as kept, wrk(program.port, close=True, connections=4) as fresh:
            for _ in range(TIMES):
                for count in (3, 1):
                    program.scale(count)
                    await nothing_but(program, count)
            folder = paths(program).pop().parent
            assert [(await kept.end()).lost, (await fresh.end()).lost] == [0, 0]
    assert not folder.exists()


async def test_killed_replicas_and_a_killed_keeper_leave_no_socket_and_fail_no_get(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(ON_SOCKET, tmp_path, minimum=2)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        async with wrk(program.port, "/slow?ms=20", pause_ms=0) as load:
            former = paths(program)
            os.kill(replicas(program)[0]["pid"], signal.SIGKILL)
            await wait_until(lambda: program.events("crashed"))
            await nothing_but(program, 2)
            assert len(former & paths(program)) == 1
            assert (await load.end()).lost == 0
        os.kill(program.pids("autoscaler.cluster.processes.keeper")[0], signal.SIGKILL)
        await wait_until(lambda: len(program.events("crashed")) == 3)
        await nothing_but(program, 2)
        assert not former & paths(program)


async def test_a_reload_takes_replicas_from_ports_to_sockets_and_back(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, minimum=2)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        async with wrk(program.port, "/slow?ms=20", pause_ms=0) as kept, wrk(program.port, close=True, connections=4) as fresh:
            for app, begin in ((ON_SOCKET, "unix:/"), (TINY, "127.0.0.1:")):
                written(file, {"web": running(app, tmp_path, minimum=2)})
                assert (await program.command("reload")).code == 0
                await wait_until(lambda begin=begin: _all_at(program, begin), 20)
            assert [(await kept.end()).lost, (await fresh.end()).lost] == [0, 0]


def _all_at(program: Program, begin: str) -> bool:
    there = program.service()["replicas"]
    return len(there) == 2 and all(each["state"] == "ready" and each["address"].startswith(begin) for each in there)


async def test_a_socket_that_vanishes_is_said_and_its_replica_gets_no_requests(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(ON_SOCKET, tmp_path, minimum=2)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        path = lose_socket(program, "web-1")
        async with wrk(program.port) as load:
            await wait_until(lambda: program.states()["web-1"] == "ejected")
            assert (await load.end()).lost == 0
        assert f"there is no socket {path}" in (await program.command("status")).out


async def test_with_a_killed_controller_goes_the_folder_of_sockets(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(ON_SOCKET, tmp_path, minimum=2)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        folder = paths(program).pop().parent
        program.signal(signal.SIGKILL)
        await program.ended()
        await wait_until(lambda: not program.family(), 8)
        assert not folder.exists()
