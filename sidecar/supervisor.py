"""Keeps one worker process in each slot: starts them, tells them the routing table, replaces those that die, ends them.

Invariants: a worker is never waited for without a deadline. One that does not acknowledge within ACK_S (it is stopped, or its event
loop hangs) is left out of such waiting until it has caught up. Until then it may still send requests to a replica that is being
drained, and after the replica has stopped it finds the connection refused and takes another one; what it has in flight goes on
being counted on the scoreboard, so that a drain waits for it up to its own deadline.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autoscaler.tasks import Tasks
from balancer.delta import Chronicle
from balancer.meters import SharedMeters
from balancer.scoreboard import Scoreboard
from balancer.table import RoutingTable
from sidecar.listeners import Listeners
from sidecar.views import WorkerView
from sidecar.worker_process import WorkerProcess, how_it_ended, launch, worker_command

ACK_S = 3.0  # starting the interpreter included: a new worker has acknowledged nothing yet
QUICK_S = 1.0  # a worker that dies younger than this is not started again at once for ever
QUICK_DEATHS = 3
DELAY_S = 0.1  # after so many quick deaths; doubles up to DELAY_MAX_S
DELAY_MAX_S = 10.0
KILL_S = 1.0  # a worker that should have ended gets so long beyond its deadline

Hear = Callable[[dict[str, Any]], None]
Tell = Callable[[str, str], None]


@dataclass(slots=True)
class _Slot:
    row: int
    wake: int  # eventfd on which its siblings wake it
    worker: WorkerProcess | None = None
    build: str = ""
    acknowledged: int = 0
    restarts: int = 0
    quick_deaths: int = 0
    lagging: bool = False

    @property
    def delay_s(self) -> float:
        """Before the next start."""
        beyond = self.quick_deaths - QUICK_DEATHS
        return min(DELAY_S * 2.0**beyond, DELAY_MAX_S) if beyond >= 0 else 0.0


class Supervisor:
    """`hear(message)`: what a worker says and is not for the supervisor. `tell(kind, message)`: what happens to workers."""

    def __init__(self, scoreboard: Scoreboard, meters: SharedMeters, hear: Hear, tell: Tell, command: Sequence[str] = ()) -> None:
        flags = os.EFD_NONBLOCK | os.EFD_CLOEXEC
        self._scoreboard = scoreboard
        self._meters = meters
        self._listeners = Listeners({}, {})
        self._hear = hear
        self._tell = tell
        self._command = command or worker_command()
        self._slots = [_Slot(row, os.eventfd(0, flags)) for row in range(scoreboard.workers)]
        self._tasks = Tasks()
        self._chronicle = Chronicle()
        self._stopping = asyncio.Event()
        self._pulse = asyncio.Event()

    def open(self, listeners: Listeners) -> None:
        """Start all workers, to accept on these sockets."""
        self._listeners = listeners
        for slot in self._slots:
            self._tasks.spawn(self._keep(slot), f"the keeping of worker {slot.row}")

    def send_table(self, table: RoutingTable) -> None:
        """Give all workers this table, and those that are started from now on."""
        self._chronicle.enter(table)
        for slot in self._slots:
            if slot.worker:
                slot.worker.send("table", table=self._chronicle.since(slot.acknowledged))

    def listen(self, listeners: Listeners) -> None:
        """Accept on these sockets from now on."""
        self._listeners = listeners
        for slot in self._slots:
            self._lend_listeners(slot)

    def reopen_logs(self) -> None:
        """Write on in a new file where the access log was moved away."""
        for slot in self._slots:
            if slot.worker:
                slot.worker.send("reopen")

    async def acknowledged(self, generation: int) -> None:
        """Wait until every worker uses this generation or a later one, for at most ACK_S."""
        try:
            async with asyncio.timeout(ACK_S):
                while self._behind(generation):
                    await self._pulse.wait()
        except TimeoutError:
            for slot in self._behind(generation):
                slot.lagging = True
                self._tell("worker_hangs", f"worker {slot.row} has not acknowledged generation {generation} within {ACK_S:g} s")

    def has_table(self, generation: int = 1) -> bool:
        """Whether every worker has acknowledged that routing table or a later one."""
        return all(slot.acknowledged >= generation for slot in self._slots)

    def build(self) -> str:
        """Of the workers' hot path: "compiled" or "interpreted", "" before the first one is up."""
        return next((slot.build for slot in self._slots if slot.build), "")

    def views(self) -> tuple[WorkerView, ...]:
        """How each slot stands."""
        return tuple(
            WorkerView(
                row=slot.row,
                pid=slot.worker.pid if slot.worker else 0,
                restarts=slot.restarts,
                acknowledged=slot.acknowledged,
                reading=self._scoreboard.worker(slot.row),
            )
            for slot in self._slots
        )

    async def stop(self, deadline_s: float) -> None:
        """Let all workers finish what is in flight, cut what is left after the deadline. Returns when none is left."""
        self._stopping.set()
        for slot in self._slots:
            if slot.worker:
                slot.worker.send("drain", deadline_s=deadline_s)
        if not await self._tasks.ended(deadline_s + KILL_S):
            left = sum(slot.worker is not None for slot in self._slots)
            self._tell("worker_killed", f"{left} workers had not ended {KILL_S:g} s after their deadline")
            self.hurry()
            await self._tasks.ended(KILL_S)
        await self._tasks.close()
        for slot in self._slots:
            os.close(slot.wake)

    def hurry(self) -> None:
        """End all workers at once, whatever is in flight."""
        for slot in self._slots:
            if slot.worker:
                slot.worker.kill()

    async def _keep(self, slot: _Slot) -> None:
        """A worker in the slot, and then the next one."""
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                worker = await launch(slot.row, lambda message: self._heard(slot, message), self._command)
            except OSError as error:
                self._tell("worker_failed", f"worker {slot.row} cannot be started: {error}")
            else:
                self._introduce(slot, worker)
                self._ended(slot, worker.pid, await worker.ended())
            slot.quick_deaths = slot.quick_deaths + 1 if time.monotonic() - began_s < QUICK_S else 0
            await self._pause(slot.delay_s)

    def _introduce(self, slot: _Slot, worker: WorkerProcess) -> None:
        """Everything a worker needs; the table comes before the listeners, or the first requests would find no route."""
        slot.worker = worker
        wakes = [sibling.wake for sibling in self._slots]
        worker.send("setup", [self._scoreboard.fd, self._meters.fd, *wakes], row=slot.row, workers=len(self._slots))
        worker.send("table", table=self._chronicle.since(0))
        if self._stopping.is_set():
            worker.send("drain", deadline_s=0.0)
        else:
            self._lend_listeners(slot)

    def _lend_listeners(self, slot: _Slot) -> None:
        if slot.worker:
            slot.worker.send("listeners", self._listeners.of(slot.row), addresses=list(self._listeners.addresses))

    def _ended(self, slot: _Slot, pid: int, status: int) -> None:
        slot.worker, slot.acknowledged, slot.lagging = None, 0, False
        self._scoreboard.retire(slot.row)
        self._meters.retire(slot.row)
        self._notify()
        if not self._stopping.is_set():
            slot.restarts += 1
            self._tell("worker_died", f"worker {slot.row} (pid {pid}) {how_it_ended(status)}; a new one takes its place")

    async def _pause(self, delay_s: float) -> None:
        if delay_s and not self._stopping.is_set():
            try:
                await asyncio.wait_for(self._stopping.wait(), delay_s)
            except TimeoutError:
                return

    def _heard(self, slot: _Slot, message: dict[str, Any]) -> None:
        kind = message.get("kind")
        if kind == "ready" and slot.worker:
            slot.build = str(message["build"])
            self._tell("worker_ready", f"worker {slot.row} (pid {slot.worker.pid}) is up, {slot.build}")
        elif kind == "ack":
            slot.acknowledged = int(message["generation"])
            slot.lagging = slot.lagging and slot.acknowledged < self._chronicle.table.generation
            self._notify()
        else:
            self._hear(message)

    def _behind(self, generation: int) -> list[_Slot]:
        return [slot for slot in self._slots if slot.worker and not slot.lagging and slot.acknowledged < generation]

    def _notify(self) -> None:
        pulse, self._pulse = self._pulse, asyncio.Event()
        pulse.set()
