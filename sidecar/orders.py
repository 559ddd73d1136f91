"""What an autoscaler that runs apart tells this proxy, and what it is told in return: routing tables one way, readings the other.

Invariants: of two autoscalers the one that began later (the higher epoch) is obeyed, until it has been silent for ABANDONED_S; the
table that was given last is in use whatever becomes of who gave it; at most one reader is served, and what waits for it is bounded. The
autoscaler's numbering of tables never meets the workers': here each table gets the next number of our own.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any

from autoscaler.tasks import Tasks
from balancer import limits
from balancer.delta import Chronicle, updated
from balancer.table import RouteEntry, RoutingTable, ServiceEntry, Settings
from sidecar.data_path import DataPath, Message
from sidecar.proxies import cells
from sidecar.supervisor import Tell
from sidecar.views import Misfit, Superseded

INTERVAL_S = 0.25  # between readings
LEAST_S = 0.02  # the same, however much there is to tell
SHARE = 4  # readings may take a fourth of the time: with very many replicas they come less often
ABANDONED_S = 10.0  # an autoscaler that is silent for so long may be followed by an older one
WAITING = 1000  # rare messages that wait for the autoscaler

# Before the first table there is a service without replicas, so that clients are told to come back (503) and not that there is nothing.
NO_TABLE = RoutingTable(1, (RouteEntry("", "/", "-"),), (ServiceEntry("-", limits.SERVICES - 1),))

Told = tuple[dict[int, cells.Cells], dict[int, cells.Cells]]  # what a reader knows of replicas, and of services, by slot


class Orders:
    """settings(): what holds for this proxy's workers. `took(table)`: a table is in use from now on. clock: CLOCK_MONOTONIC."""

    def __init__(
        self,
        path: DataPath,
        settings: Callable[[], Settings],
        took: Callable[[RoutingTable], None],
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.life = uuid.uuid4().hex
        self.table = RoutingTable()  # as the autoscaler numbers it; 0: none was given yet
        self.generation = 0  # of our own numbering
        self._path = path
        self._settings = settings
        self._took = took
        self._tell = tell
        self._clock = clock
        self._epoch = 0  # of the autoscaler that is obeyed
        self._table_epoch = 0
        self._heard_s = 0.0
        self._acknowledged = (0, 0)  # (epoch, generation)
        self._reader: object = None
        self._waiting: dict[tuple[Any, ...], Message] = {}
        self._replicas: set[int] = set()  # all slots that were ever in a table: requests may still be in flight there
        self._services: set[int] = set()
        self._pulse = asyncio.Event()
        self._tasks = Tasks()

    def begin(self) -> None:
        """Let the workers answer something."""
        self._send(NO_TABLE)

    def send_again(self) -> None:
        """The settings are others."""
        self._send(self.table if self.table.generation else NO_TABLE)

    def heard(self, message: Message) -> None:
        """A worker says something that the autoscaler should know."""
        if len(self._waiting) < WAITING:
            self._waiting[tuple(message.values())] = message
        self._pulse.set()

    async def close(self) -> None:
        """Say nothing more."""
        self._reader = None
        self._pulse.set()
        await self._tasks.close()

    # What the autoscaler asks for (views.ProxyControl)

    def held(self) -> dict[str, Any]:
        """The table in use, and whose it is. Keys are not told: the autoscaler that asks makes them itself."""
        chronicle = Chronicle()
        chronicle.enter(self.table)
        table = chronicle.since(0) if self.table.generation else None
        for service in table["services"] if table else ():
            service["affinity"]["key"] = ""
        return {"life": self.life, "epoch": self._table_epoch, "table": table}

    def take(self, epoch: int, data: dict[str, Any]) -> int:
        """Use a table, or what changed of it. Returns its generation. Raises Superseded, Misfit."""
        self._claim(epoch)
        former = self.table if self._table_epoch == epoch else RoutingTable()
        if data["generation"] > former.generation:
            try:
                self.table = updated(former, data)
            except (KeyError, TypeError, ValueError) as error:
                raise Misfit(f"the table does not follow the one in use: {error}") from error
            self._table_epoch = epoch
            self._services.update(entry.slot for entry in self.table.services)
            self._replicas.update(line.slot for entry in self.table.services for line in entry.replicas)
            self._send(self.table)
            self._tasks.spawn(self._note_acknowledged(epoch, self.table.generation, self.generation), "an acknowledgement")
            self._took(self.table)
        return self.table.generation

    def readings(self, epoch: int) -> AsyncGenerator[dict[str, Any], None]:
        """What is counted here, now and again and again; who asks again ends the former stream. Raises Superseded."""
        self._claim(epoch)
        self._reader = reader = object()
        return self._told(epoch, reader)

    def _claim(self, epoch: int) -> None:
        now_s = self._clock()
        if epoch < self._epoch and now_s - self._heard_s < ABANDONED_S:
            raise Superseded("another autoscaler, which began later, gives this proxy its tables: stop one of the two")
        if epoch != self._epoch:
            self._tell("autoscaler", f"takes its tables from the autoscaler that began at {_moment(epoch)}")
        self._epoch, self._heard_s = epoch, now_s

    def _send(self, table: RoutingTable) -> None:
        self.generation += 1
        self._path.send_table(replace(table, generation=self.generation, settings=self._settings()))

    async def _note_acknowledged(self, epoch: int, generation: int, ours: int) -> None:
        await self._path.acknowledged(ours)
        if epoch == self._table_epoch:
            whose, before = self._acknowledged
            self._acknowledged = (epoch, max(generation, before if whose == epoch else 0))
        self._pulse.set()

    async def _told(self, epoch: int, reader: object) -> AsyncGenerator[dict[str, Any], None]:
        told: Told = ({}, {})
        try:
            while self._reader is reader and self._epoch == epoch:
                self._heard_s = began_s = self._clock()
                self._pulse.clear()
                message = self._message(epoch, told)
                pause_s = max(LEAST_S, SHARE * (self._clock() - began_s))
                yield message
                await asyncio.sleep(pause_s)
                await self._next(INTERVAL_S - pause_s)
        finally:
            if self._reader is reader:
                self._tell("autoscaler", f"is no longer heard; requests go on by table {self.table.generation}")

    async def _next(self, longest_s: float) -> None:
        try:
            await asyncio.wait_for(self._pulse.wait(), max(0.0, longest_s))
        except TimeoutError:
            return

    def _message(self, epoch: int, told: Told) -> dict[str, Any]:
        """acknowledged is read before the cells: what they say is of after it."""
        waiting, self._waiting = self._waiting, {}
        workers = self._path.workers()
        whose, acknowledged = self._acknowledged
        return {
            "life": self.life,
            "taken": self.table.generation if self._table_epoch == epoch else 0,
            "acknowledged": acknowledged if whose == epoch else 0,
            "workers": sum(worker.pid > 0 for worker in workers),
            "connections": sum(worker.reading.connections for worker in workers),
            "build": self._path.build(),
            "replicas": _changed(self._replicas, lambda slot: cells.of_replica(self._path.replica(slot)), told[0]),
            "services": _changed(self._services, lambda slot: cells.of_service(self._path.service(slot)), told[1]),
            "heard": list(waiting.values()),
        }


def _changed(slots: set[int], read: Callable[[int], cells.Cells], told: dict[int, cells.Cells]) -> dict[str, cells.Cells]:
    """What is not as it was told last, ready to be sent."""
    found = {}
    for slot in slots:
        now = read(slot)
        if now != told.get(slot):
            told[slot] = now
            found[str(slot)] = cells.to_wire(now)
    return found


def _moment(epoch: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch / 1e6))
