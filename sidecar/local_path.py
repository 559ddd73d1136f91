"""The data path of this program itself: its listening sockets, its workers, and the scoreboard on which they count."""

import os
import time
from array import array

from balancer import limits
from balancer.meters import SharedMeters
from balancer.scoreboard import ReplicaReading, Scoreboard, ServiceReading
from balancer.table import RoutingTable
from sidecar.config import Config
from sidecar.listeners import Listeners, open_listeners
from sidecar.supervisor import Hear, Supervisor, Tell
from sidecar.views import ProxyView, WorkerView


class LocalPath:
    """A `DataPath`. `hear(message)`: what a worker says and is not for its supervisor. `tell(kind, message)`: what happens to workers."""

    fresh = True  # shared memory is never old
    in_charge = True  # our own workers obey nobody else

    def __init__(self, config: Config, hear: Hear, tell: Tell) -> None:
        workers = config.workers or min(len(os.sched_getaffinity(0)), limits.WORKERS)
        self._scoreboard = Scoreboard.create(workers)
        self._meters = SharedMeters.create(workers)
        self._supervisor = Supervisor(self._scoreboard, self._meters, hear, tell)
        self._listeners = self._prepared = self._former = Listeners({}, {})

    # Its life

    def prepare(self, config: Config) -> None:
        """Open the addresses to listen on, taking over those that are open already. Raises ListenError."""
        self._prepared = open_listeners(config.listen, self._scoreboard.workers, self._listeners)

    async def former(self) -> RoutingTable:
        """None: this program's workers end with it."""
        return RoutingTable()

    def open(self) -> None:
        """Start the workers."""
        self._listeners = self._prepared
        self._supervisor.open(self._listeners)

    def change(self) -> None:
        """Lend the workers other sockets."""
        self._former, self._listeners = self._listeners, self._prepared
        self._supervisor.listen(self._listeners)

    def settle(self) -> None:
        """Close the addresses that are no longer listened on."""
        self._former.close(but=self._listeners)

    def reopen_logs(self) -> None:
        """Write on in a new file where the access log was moved away."""
        self._supervisor.reopen_logs()

    async def stop(self, deadline_s: float) -> None:
        """The workers close their sockets when they have taken what waits; from then on clients are refused."""
        self._prepared.close()
        await self._supervisor.stop(deadline_s)

    def hurry(self) -> None:
        """End all workers at once."""
        self._supervisor.hurry()

    def close(self) -> None:
        """Give back the shared memory."""
        self._scoreboard.close()
        self._meters.close()

    # The table

    def send_table(self, table: RoutingTable) -> None:
        """Give all workers this table, and those that are started from now on."""
        self._supervisor.send_table(table)

    async def acknowledged(self, generation: int) -> None:
        """Wait until every worker that responds uses this generation."""
        await self._supervisor.acknowledged(generation)

    def has_table(self, generation: int = 1) -> bool:
        """Whether every worker has acknowledged it."""
        return self._supervisor.has_table(generation)

    # The readings

    def in_flight(self, slot: int) -> int:
        """Requests in flight on a replica, over all workers."""
        return self._scoreboard.in_flight(slot)

    def replica(self, slot: int) -> ReplicaReading:
        """A replica's cells over all workers."""
        return self._scoreboard.replica(slot, _now_us())

    def cells(self, slot: int) -> "array[int]":
        """The same as they stand on the scoreboard."""
        return self._scoreboard.cells(slot, _now_us())

    def service(self, slot: int) -> ServiceReading:
        """A service's own cells over all workers."""
        return self._scoreboard.service(slot, _now_us())

    # What it shows

    @property
    def place(self) -> str:
        """Where it carries, in words."""
        return f"listens on {', '.join(self.listen)}, {self._scoreboard.workers} workers"

    @property
    def listen(self) -> tuple[str, ...]:
        """The addresses as they really are, also where port 0 was asked for."""
        return self._listeners.addresses

    def build(self) -> str:
        """Of the workers' hot path."""
        return self._supervisor.build()

    def workers(self) -> tuple[WorkerView, ...]:
        """How each worker slot stands."""
        return self._supervisor.views()

    def proxies(self) -> tuple[ProxyView, ...]:
        """None: the workers are our own."""
        return ()


def _now_us() -> int:
    return time.monotonic_ns() // 1000
