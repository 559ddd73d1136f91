"""The keeper: nothing outlives the controller, and the controller outlives its keeper."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autoscaler.cluster.engine import EngineError, Instance, InstanceSpec, InstanceStatus
from autoscaler.cluster.processes import keeper_link
from autoscaler.cluster.processes.engine import Processes
from autoscaler.cluster.processes.family import processes
from autoscaler.cluster.processes.keeper_link import KeeperLink
from autoscaler.cluster.processes.spawn import Program
from autoscaler.cluster.restarts import RestartPolicy
from balancer.channel import Channel
from tests.cluster.conftest import alive, descendants, keeper_of, name_of
from tests.support import wait_until, wait_until_blocking

ROOT = Path(__file__).resolve().parents[2]
SLEEP = InstanceSpec("shop", ("sleep", "1000"))


class Hearer:
    """Remembers which runs ended."""

    def __init__(self) -> None:
        self.exited: list[int] = []

    def run_exited(self, run: int, status: int | None, lost: int) -> None:
        self.exited.append(run)

    def run_printed(self, run: int, lines: list[str], lost: int) -> None:
        pass


@pytest.fixture
def hearer() -> Hearer:
    return Hearer()


@pytest.fixture
async def link(hearer: Hearer) -> AsyncIterator[KeeperLink]:
    """A link to a keeper of its own."""
    one = KeeperLink(hearer)
    yield one
    await one.close()


@contextmanager
def controller(temporary: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], set[int]]]:
    """A controller in its own process, and all pids that it and its instances are. temporary: its TMPDIR."""
    command = [sys.executable, "-m", "tests.cluster.controller"]
    environment = {**os.environ, **({"TMPDIR": str(temporary)} if temporary else {})}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        try:
            told = {int(word) for word in process.stdout.readline().split()}
            assert len(told) == 7
            yield process, told | descendants()
        finally:
            process.kill()


class TestControllerGone:
    def test_after_sigkill_of_the_controller_nothing_is_left(self) -> None:
        with controller() as (process, pids):
            process.kill()
            process.wait()
            wait_until_blocking(lambda: not [pid for pid in pids if alive(pid)], deadline_s=20)

    def test_the_folder_of_sockets_goes_too(self, tmp_path: Path) -> None:
        with controller(tmp_path) as (process, _):
            assert [path.is_socket() for path in tmp_path.rglob("*.sock")] == [True]
            process.kill()
            wait_until_blocking(lambda: not [*tmp_path.iterdir()], deadline_s=20)

    def test_what_a_controller_asked_for_before_it_was_killed_is_not_begun_afterwards(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            channel = Channel(ours)
            for run in range(1, 6):
                channel.send("spawn", run=run, command=["sleep", "1000"], environment=dict(os.environ), directory=".", scratch="")
            channel.close()
            command = [sys.executable, "-m", "autoscaler.cluster.processes.keeper", str(theirs.fileno())]
            with subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()]) as keeper:
                assert keeper.wait(8) == 0  # before it would give up; `nothing_left` sees to the rest

    def test_a_stopped_controller_changes_nothing(self) -> None:
        with controller() as (process, pids):
            process.send_signal(signal.SIGSTOP)
            with pytest.raises(AssertionError, match="still not so"):
                wait_until_blocking(lambda: not pids <= descendants(), deadline_s=0.5)
            process.send_signal(signal.SIGCONT)

    def test_the_terminals_signals_reach_neither_keeper_nor_instances(self) -> None:
        with controller() as (process, pids):
            sessions = {pid: processes()[pid].session for pid in pids - {process.pid}}
            assert os.getsid(process.pid) not in sessions.values()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    async def test_the_keeper_ignores(self, engine: Processes, number: signal.Signals) -> None:
        instance = await engine.start(SLEEP)
        os.kill(keeper_of(instance), number)
        again = await engine.start(SLEEP)
        assert keeper_of(again) == keeper_of(instance)


class TestKeeperGone:
    async def test_instances_are_started_again_below_a_new_keeper(self, engine: Processes) -> None:
        before = [await engine.start(SLEEP) for _ in range(3)]
        os.kill(keeper_of(before[0]), signal.SIGKILL)
        await wait_until(lambda: _all_new(engine, before))
        after = await engine.list("shop")
        assert [one.id for one in after] == ["shop-1", "shop-2", "shop-3"]
        assert {one.detail for one in after} == {"runs again; before, it was killed, because its keeper died"}
        assert not any(one.crash_looping for one in after)
        assert not [one.pid for one in before if alive(one.pid)]

    async def test_the_kernel_ends_the_instances_even_if_the_controller_stands_still(self, engine: Processes) -> None:
        before = [await engine.start(SLEEP) for _ in range(3)]
        os.kill(keeper_of(before[0]), signal.SIGKILL)
        wait_until_blocking(lambda: not any(alive(one.pid) for one in before))  # without the event loop

    async def test_what_instances_had_started_is_gone_too(self, engine: Processes) -> None:
        script = "setsid sleep 1000 & sleep 1000 & wait"
        instance = await engine.start(InstanceSpec("shop", ("sh", "-c", script)))
        await wait_until(lambda: [name_of(pid) for pid in descendants()].count("sleep") == 2)
        before = descendants()
        os.kill(keeper_of(instance), signal.SIGKILL)
        await wait_until(lambda: _all_new(engine, [instance]))
        assert not [pid for pid in before if alive(pid)]

    async def test_an_instance_that_was_stopping_is_gone(self, engine: Processes) -> None:
        instance = await engine.start(
            InstanceSpec("shop", ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done"))
        )
        await wait_until(lambda: engine.outputs.tail("shop", 1))
        stopping = asyncio.create_task(engine.stop(instance.id, 60.0))
        await wait_until(lambda: "shop" in engine.changes[1:])  # type: ignore[attr-defined] - set by the fixture
        os.kill(keeper_of(instance), signal.SIGKILL)
        await stopping
        assert await engine.list("shop") == []

    async def test_an_instance_stopped_while_a_new_keeper_is_awaited_does_not_come_back(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        swept, sweep = asyncio.Event(), KeeperLink._sweep

        async def slow_sweep(link: KeeperLink, keeper: subprocess.Popen[bytes]) -> None:
            await swept.wait()
            await sweep(link, keeper)

        monkeypatch.setattr(KeeperLink, "_sweep", slow_sweep)
        engine = Processes(random.Random(7), restarts=RestartPolicy(first_s=0.3))
        try:
            other = await engine.start(InstanceSpec("other", ("sleep", "1000")))
            await engine.start(
                InstanceSpec("shop", ("sh", "-c", "test -e seen && exec sleep 1000; touch seen; exit 1"), directory=str(tmp_path))
            )
            await wait_until(lambda: _first(engine, lambda one: one.status is InstanceStatus.BACKOFF))
            os.kill(keeper_of(other), signal.SIGKILL)
            await wait_until(lambda: _first(engine, lambda one: one.restarts == 1))
            stopping = asyncio.create_task(engine.stop("shop-1", 1.0))
            await wait_until(lambda: _first(engine, lambda one: one.status is InstanceStatus.STOPPING))
            swept.set()
            await stopping
            assert await engine.list("shop") == []
        finally:
            swept.set()
            await engine.close()

    async def test_a_keeper_that_hangs_makes_a_start_fail_and_ends_what_it_started_late(
        self, link: KeeperLink, hearer: Hearer
    ) -> None:
        program = Program(["sleep", "1000"], dict(os.environ))
        first = await link.spawn(1, program)
        os.kill(link.pid, signal.SIGSTOP)
        with pytest.raises(EngineError, match=r"did not start it within 0\.2 s"):
            await link.spawn(2, program, deadline_s=0.2)
        os.kill(link.pid, signal.SIGCONT)
        await wait_until(lambda: hearer.exited == [2])
        assert descendants() == {link.pid, first}

    async def test_a_keeper_that_hangs_is_killed_at_close_with_all_that_it_keeps(
        self, link: KeeperLink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeper_link, "CLOSE_DEADLINE_S", 0.1)
        await link.spawn(1, Program(["sh", "-c", "setsid sleep 1000 & sleep 1000"], dict(os.environ)))
        os.kill(link.pid, signal.SIGSTOP)
        await link.close()
        assert descendants() == set()


FLOOD = """
import sys, time
for _ in range(60_000):
    print("x" * 50)
open(sys.argv[1], "w").close()
time.sleep(1000)
"""


class TestOutputIsAlwaysRead:
    async def test_while_the_controller_stands_still_nobody_blocks_and_the_loss_is_told(
        self, engine: Processes, tmp_path: Path
    ) -> None:
        done = tmp_path / "done"
        await engine.start(InstanceSpec("shop", (sys.executable, "-c", FLOOD, str(done))))
        wait_until_blocking(done.exists)  # without the event loop: as if the controller were stopped
        await wait_until(lambda: any("lines lost here" in line for line in engine.outputs.tail("shop", 1000)))


async def _all_new(engine: Processes, before: list[Instance]) -> bool:
    now = await engine.list("shop")
    pids = {one.pid for one in before}
    return all(one.status is InstanceStatus.RUNNING and one.pid not in pids | {0} for one in now)


async def _first(engine: Processes, claim: Callable[[Instance], bool]) -> bool:
    return claim((await engine.list("shop"))[0])
