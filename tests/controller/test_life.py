"""The program as users run it: a process of its own, signals, and what is left when it has ended."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.controller.house import WEB, written
from tests.support import connect, free_port, get, wait_until


class Program:
    """`ecluse run FILE` in a process of its own, with what it says on stderr."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, said: Path) -> None:
        self.process = process
        self.port = port
        self._said = said

    def said(self) -> str:
        return self._said.read_text()

    def pids(self, pattern: str) -> list[int]:
        return [int(found) for found in re.findall(pattern, self.said())]

    async def answers(self) -> bool:
        try:
            return (await get(self.port)).status == 200
        except ConnectionError:
            return False

    async def ended(self, deadline_s: float = 15.0) -> int:
        return await asyncio.wait_for(self.process.wait(), deadline_s)


async def started(file: Path, **streams: Any) -> asyncio.subprocess.Process:
    """`ecluse run FILE`."""
    command = (sys.executable, "-m", "sidecar.cli", "run", str(file))
    return await asyncio.create_subprocess_exec(*command, **streams, env={**os.environ, "PYTHONPATH": str(Path.cwd())})


@asynccontextmanager
async def program(tmp_path: Path, services: str = WEB) -> AsyncIterator[Program]:
    port, said = free_port(), tmp_path / "said"
    file = written(tmp_path / "ecluse.yaml", services, f"127.0.0.1:{port}")
    file.write_text(file.read_text().replace("workers: 1", "workers: 2"))
    with said.open("w") as stderr:
        process = await started(file, stderr=stderr)
    made = Program(process, port, said)
    try:
        await wait_until(made.answers, 20)
        yield made
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_sigterm_finishes_requests_and_exits_0(tmp_path: Path) -> None:
    async with program(tmp_path) as it:
        slow = asyncio.create_task(get(it.port, "/slow?ms=800"))
        replica = int((await get(it.port, "/pid")).body)
        async with connect(it.port) as idle:
            await idle.request()
            it.process.terminate()
            assert await idle.at_end()
        assert (await slow).status == 200
        assert await it.ended() == 0
        assert not alive(replica)
        assert "stopped: everything has ended" in it.said()


async def test_a_request_that_does_not_end_is_cut_at_the_deadline(tmp_path: Path) -> None:
    async with program(tmp_path) as it, connect(it.port) as endless:
        await endless.send(b"GET /slow?ms=600000 HTTP/1.1\r\nHost: test\r\n\r\n")
        await wait_until(it.answers)
        it.process.terminate()
        assert await it.ended() == 0  # shutdown_timeout is 3 s


async def test_a_second_interrupt_hurries(tmp_path: Path) -> None:
    async with program(tmp_path) as it, connect(it.port) as endless:
        await endless.send(b"GET /slow?ms=600000 HTTP/1.1\r\nHost: test\r\n\r\n")
        await wait_until(it.answers)
        it.process.send_signal(signal.SIGINT)
        await wait_until(lambda: "stopping:" in it.said())
        it.process.send_signal(signal.SIGINT)
        assert await endless.at_end()
        assert await it.ended() == 0


async def test_sighup_reloads_and_a_bad_file_is_logged(tmp_path: Path) -> None:
    async with program(tmp_path) as it:
        file = tmp_path / "ecluse.yaml"
        good = file.read_text()
        file.write_text(good.replace("min_replicas: 1", "min_replicas: 2"))
        it.process.send_signal(signal.SIGHUP)
        await wait_until(lambda: "web-2 ready:" in it.said(), 20)
        file.write_text("services: 5")
        it.process.send_signal(signal.SIGHUP)
        await wait_until(lambda: "reload_failed: nothing was changed:" in it.said())
        assert await it.answers()


async def test_traffic_goes_on_while_the_controller_is_stopped(tmp_path: Path) -> None:
    async with program(tmp_path) as it:
        it.process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(20):
                assert (await get(it.port)).status == 200
        finally:
            it.process.send_signal(signal.SIGCONT)
        it.process.terminate()
        assert await it.ended() == 0


async def test_a_killed_worker_costs_at_most_its_own_requests(tmp_path: Path) -> None:
    async with program(tmp_path) as it:
        await wait_until(lambda: len(it.pids(r"worker \d \(pid (\d+)\) is up")) == 2)
        first, _ = it.pids(r"worker \d \(pid (\d+)\) is up")
        os.kill(first, signal.SIGKILL)
        for _ in range(20):
            assert (await get(it.port)).status == 200
        await wait_until(lambda: "was killed by SIGKILL; a new one takes its place" in it.said())


async def test_nothing_is_left_when_the_controller_is_killed(tmp_path: Path) -> None:
    async with program(tmp_path) as it:
        replica = int((await get(it.port, "/pid")).body)
        workers = it.pids(r"worker \d \(pid (\d+)\) is up")
        it.process.kill()
        await it.ended()
        await wait_until(lambda: not any(map(alive, [replica, *workers])), 20)


async def test_a_taken_port_is_said_in_words_before_anything_is_started(tmp_path: Path) -> None:
    async with program(tmp_path) as it:
        file = written(tmp_path / "second.yaml", WEB, f"127.0.0.1:{it.port}")
        second = await started(file, stderr=asyncio.subprocess.PIPE)
        _, said = await asyncio.wait_for(second.communicate(), 15)
        assert second.returncode == 1
        assert f"cannot listen on 127.0.0.1:{it.port}: address already in use".encode() in said
        assert b"Traceback" not in said
