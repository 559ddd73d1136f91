"""The supervisor with real worker processes, a real application behind them and real signals."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from balancer.meters import SharedMeters
from balancer.scoreboard import Scoreboard
from balancer.table import ReplicaEntry, ReplicaState, RouteEntry, RoutingTable, ServiceEntry
from sidecar import supervisor as supervising
from sidecar.listeners import Listeners, open_listeners
from sidecar.supervisor import Supervisor
from sidecar.worker_process import how_it_ended
from tests.support import connect, free_port, get, tiny_app, wait_until


class Crew:
    """Two workers and everything they need; `told` and `heard` collect what comes of them."""

    def __init__(self, workers: int = 2, command: tuple[str, ...] = ()) -> None:
        self.told: list[tuple[str, str]] = []
        self.heard: list[dict[str, Any]] = []
        self.stopped = False
        self.scoreboard = Scoreboard.create(workers, services=4, replicas=16)
        self.meters = SharedMeters.create(workers)
        self.listeners: Listeners = open_listeners(["127.0.0.1:0"], workers)
        self.supervisor = Supervisor(
            self.scoreboard, self.meters, self.heard.append, lambda *told: self.told.append(told), command
        )

    @property
    def port(self) -> int:
        return int(self.listeners.addresses[0].rsplit(":")[-1])

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]

    def pids(self) -> list[int]:
        return [view.pid for view in self.supervisor.views()]

    async def up(self, table: RoutingTable) -> None:
        self.supervisor.send_table(table)
        self.supervisor.open(self.listeners)
        await wait_until(self.supervisor.has_table)

    async def stop(self, deadline_s: float) -> None:
        if not self.stopped:
            self.stopped = True
            await self.supervisor.stop(deadline_s)

    async def close(self) -> None:
        await self.stop(0.0)
        self.listeners.close()
        self.scoreboard.close()
        self.meters.close()


@asynccontextmanager
async def crew(workers: int = 2, command: tuple[str, ...] = ()) -> AsyncIterator[Crew]:
    made = Crew(workers, command)
    try:
        yield made
    finally:
        await made.close()


def table(generation: int, app: int, state: ReplicaState = ReplicaState.READY) -> RoutingTable:
    replica = ReplicaEntry("web-1", 0, f"127.0.0.1:{app}", state)
    return RoutingTable(generation, (RouteEntry("", "/", "web"),), (ServiceEntry("web", 0, replicas=(replica,)),))


async def test_workers_answer_with_the_table_they_were_given(tiny: int) -> None:
    async with crew() as it:
        await it.up(table(1, tiny))
        assert (await get(it.port)).body == b"hello"
        assert it.supervisor.build() in {"compiled", "interpreted"}
        assert [view.acknowledged for view in it.supervisor.views()] == [1, 1]


async def test_a_new_table_is_acknowledged_by_all(tiny: int) -> None:
    async with crew() as it:
        await it.up(table(1, tiny))
        it.supervisor.send_table(table(2, tiny, ReplicaState.DRAINING))
        await it.supervisor.acknowledged(2)
        assert [view.acknowledged for view in it.supervisor.views()] == [2, 2]
        assert (await get(it.port)).status == 503


async def test_a_killed_worker_is_replaced_and_the_port_stays_open(tiny: int) -> None:
    async with crew(workers=1) as it:
        await it.up(table(1, tiny))
        (before,) = it.pids()
        os.kill(before, signal.SIGKILL)
        # The connection waits in the listener's queue, which nobody accepts from until the successor is there.
        assert (await get(it.port)).status == 200
        (after,) = it.pids()
        assert after not in {0, before}
        assert f"worker 0 (pid {before}) was killed by SIGKILL; a new one takes its place" in dict(it.told)["worker_died"]
        assert it.supervisor.views()[0].restarts == 1


async def test_a_dead_workers_gauges_are_not_load(tiny: int) -> None:
    async with crew(workers=1) as it:
        await it.up(table(1, tiny))
        async with connect(it.port) as client:
            await client.send(b"GET /slow?ms=5000 HTTP/1.1\r\nHost: test\r\n\r\n")
            await wait_until(lambda: it.scoreboard.in_flight(0) == 1)
            os.kill(it.pids()[0], signal.SIGKILL)
            await wait_until(lambda: it.supervisor.views()[0].restarts == 1)
            assert it.scoreboard.in_flight(0) == 0


async def test_a_stopped_worker_is_waited_for_once_and_then_left_out(tiny: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "ACK_S", 0.3)
    async with crew() as it:
        await it.up(table(1, tiny))
        hung = it.pids()[0]
        os.kill(hung, signal.SIGSTOP)
        try:
            it.supervisor.send_table(table(2, tiny))
            await it.supervisor.acknowledged(2)
            assert it.kinds().count("worker_hangs") == 1
            it.supervisor.send_table(table(3, tiny))
            await it.supervisor.acknowledged(3)
            assert it.kinds().count("worker_hangs") == 1
            assert [view.acknowledged for view in it.supervisor.views()] == [1, 3]
        finally:
            os.kill(hung, signal.SIGCONT)
        await wait_until(lambda: it.supervisor.views()[0].acknowledged == 3)
        it.supervisor.send_table(table(4, tiny))
        await it.supervisor.acknowledged(4)
        assert [view.acknowledged for view in it.supervisor.views()] == [4, 4]


async def test_a_stopped_worker_does_not_keep_the_program_from_ending(tiny: int) -> None:
    async with crew() as it:
        await it.up(table(1, tiny))
        os.kill(it.pids()[0], signal.SIGSTOP)
        await it.stop(0.1)
        assert it.kinds()[-1] == "worker_killed"
        assert it.pids() == [0, 0]


async def test_stopping_lets_requests_in_flight_finish(tiny: int) -> None:
    async with crew() as it:
        await it.up(table(1, tiny))
        slow = asyncio.create_task(get(it.port, "/slow?ms=400"))
        await wait_until(lambda: it.scoreboard.in_flight(0) == 1)
        await it.stop(10.0)
        assert (await slow).status == 200
        assert "worker_killed" not in it.kinds()


async def test_other_listeners_are_taken_over_and_the_old_port_closes(tiny: int) -> None:
    async with crew() as it:
        await it.up(table(1, tiny))
        former, old_port = it.listeners, it.port
        it.listeners = open_listeners([f"127.0.0.1:{free_port()}"], 2, former)
        it.supervisor.listen(it.listeners)
        it.supervisor.send_table(table(2, tiny))
        await it.supervisor.acknowledged(2)
        former.close(but=it.listeners)
        assert (await get(it.port)).status == 200
        with pytest.raises(ConnectionError):
            await get(old_port)


async def test_what_workers_report_is_heard() -> None:
    async with crew() as it:
        await it.up(table(1, free_port()))
        assert (await get(it.port)).status == 502
        await wait_until(lambda: {"kind": "refused", "service": "web", "replica": "web-1"} in it.heard)


async def test_a_worker_that_dies_at_once_is_started_with_growing_delays(tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text("raise SystemExit(3)")
    async with crew(workers=1, command=(sys.executable, str(script))) as it:
        it.supervisor.open(it.listeners)
        await wait_until(lambda: it.kinds().count("worker_died") == 5)
        assert "exited with status 3" in it.told[0][1]
        (slot,) = it.supervisor._slots
        assert slot.delay_s >= 0.4


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(0, "exited with status 0", id="a good end"),
        pytest.param(-9, "was killed by SIGKILL", id="a signal with a name"),
        pytest.param(-64, "was killed by SIGRTMAX", id="a real-time signal"),
        pytest.param(-200, "was killed by signal 200", id="a signal without a name"),
    ],
)
def test_an_end_is_said_in_words(status: int, words: str) -> None:
    assert how_it_ended(status) == words


async def test_a_worker_reads_its_table_while_the_app_restarts() -> None:
    """The same replica at another address: what a crashed and restarted replica looks like."""
    with tiny_app() as (first, _), tiny_app() as (second, _):
        async with crew() as it:
            await it.up(table(1, first))
            before = (await get(it.port, "/pid")).body
            it.supervisor.send_table(table(2, second))
            await it.supervisor.acknowledged(2)
            assert (await get(it.port, "/pid")).body != before
