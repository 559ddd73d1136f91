"""Replicas that crash, that say they are unwell, that never become ready: clients are not to notice."""

import os
import signal
from pathlib import Path

from tests.support import get, wait_until
from tests.system.apps import TINY, running, written
from tests.system.load import wrk
from tests.system.program import Program, ecluse


def port_of(program: Program, replica: str) -> int:
    """Where a replica listens; 0 while it does not run."""
    found = next(each for each in program.service()["replicas"] if each["id"] == replica)
    return int(found["address"].rpartition(":")[2]) if found["pid"] else 0


async def crash(program: Program, replica: str) -> None:
    """Let it exit without an answer, once it is READY, and wait until that was noticed."""
    crashes = len(program.events("crashed"))
    await wait_until(lambda: program.states()[replica] == "ready", 20)
    pid = next(each["pid"] for each in program.service()["replicas"] if each["id"] == replica)
    assert pid > 0  # 0 would be this whole process group
    os.kill(pid, signal.SIGKILL)
    await wait_until(lambda: len(program.events("crashed")) == crashes + 1)


async def test_crashes_under_load_fail_no_get_and_are_restarted_later_each_time(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, minimum=2)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        async with wrk(program.port, "/slow?ms=20", pause_ms=0) as kept, wrk(program.port, close=True, connections=4) as fresh:
            for _ in range(3):
                await crash(program, "web-2")
            assert [(await kept.end()).lost, (await fresh.end()).lost] == [0, 0]
        assert [each["message"] for each in program.events("crash_loop")] == ["crashes again and again; see its log"]
        assert "web-2 crashed again and again" in program.service()["conditions"]["crash_loop"]
        assert "crash_loop: web-2" in (await program.command("status")).out
        crashed = [each for each in program.events("crashed") if each["replica"] == "web-2"]
        delays = [_then(program, each["at"]) - each["at"] for each in crashed[:2]]
        assert 0.8 < delays[0] < delays[1]  # one second, two, four, ... each up to a fifth shorter


def _then(program: Program, at: float) -> float:
    """When web-2 was READY next."""
    return next(float(each["at"]) for each in program.events("ready") if each["replica"] == "web-2" and each["at"] > at)


async def test_the_replicas_of_a_killed_keeper_come_back(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, minimum=2)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        before = set(program.family())
        os.kill(program.pids("autoscaler.cluster.processes.keeper")[0], signal.SIGKILL)
        await wait_until(lambda: len(program.events("crashed")) == 2)
        await program.up(2)
        assert [(await get(program.port)).status for _ in range(20)] == [200] * 20
        assert len(set(program.pids("tiny.py")) - before) == 2


async def test_a_replica_that_becomes_unready_leaves_the_picks_and_returns(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, minimum=2)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        port = port_of(program, "web-1")
        unwell = (await get(port, "/pid")).body
        await get(port, "/healthz?status=503", body=b"x")
        await wait_until(lambda: program.states()["web-1"] == "ejected")
        await program.up_to_date()
        assert unwell not in {(await get(program.port, "/pid")).body for _ in range(20)}
        await get(port, "/healthz?status=200", body=b"x")
        await program.ready(2)
        await wait_until(lambda: _answers(program.port, unwell))


async def _answers(port: int, pid: bytes) -> bool:
    return (await get(port, "/pid")).body == pid


async def test_a_command_that_never_becomes_ready_is_replaced_and_the_reason_is_said(tmp_path: Path) -> None:
    probes = {"readiness": {"path": "/no-such-path", "start_timeout": "1s"}}
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, probes=probes)})
    async with ecluse(tmp_path, str(file)) as program:
        await wait_until(lambda: len(program.events("gone")) >= 2, 20)
        reasons = {each["message"] for each in program.events("draining")}
        assert reasons == {"was not ready within 1 s: answered 404 instead of 200 to 399"}
        answer = await get(program.port)
        assert (answer.status, int(answer.fields["retry-after"]) > 0) == (503, True)


async def test_a_command_that_cannot_be_started_is_said_and_tried_again(tmp_path: Path) -> None:
    web = {**running(TINY, tmp_path), "command": ["no-such-program"]}
    async with ecluse(tmp_path, str(written(tmp_path / "ecluse.yaml", {"web": web}))) as program:
        await wait_until(lambda: len(program.events("start_failed")) >= 2)
        assert "no-such-program" in program.service()["conditions"]["engine"]
        assert (await get(program.port)).status == 503
