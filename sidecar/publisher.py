"""Numbers the routing table and gives it to those who carry requests, a burst of changes as one table.

Invariant: the generation that `publish` returns is of a table that shows everything that was so when it was called.
"""

import asyncio
from collections.abc import Callable

from balancer.scoreboard import ReplicaReading
from balancer.table import RoutingTable
from sidecar.data_path import DataPath

COALESCE_S = 0.01  # of the 100 ms within which a verdict has to reach the workers


class Publisher:
    """What fleets know of the workers (`autoscaler.drain.Workers`). `compose(generation)` makes the table as it is now."""

    def __init__(self, compose: Callable[[int], RoutingTable], path: DataPath) -> None:
        self.generation = 0
        self._compose = compose
        self._path = path
        self._due: asyncio.TimerHandle | None = None

    def publish(self) -> int:
        """Something changed. Returns the generation that will show it."""
        if not self._due:
            self._due = asyncio.get_running_loop().call_later(COALESCE_S, self._send)
        return self.generation + 1

    async def acknowledged(self, generation: int) -> None:
        """Wait until all who can be reached use this generation."""
        await self._path.acknowledged(generation)

    def in_flight(self, slot: int) -> int:
        """Requests in flight on a replica, wherever they are carried."""
        return self._path.in_flight(slot)

    def counted(self, slot: int) -> ReplicaReading:
        """All that was ever counted in a replica's slot, wherever it was."""
        return self._path.replica(slot)

    def close(self) -> None:
        """Send nothing any more."""
        if self._due:
            self._due.cancel()

    def _send(self) -> None:
        self._due = None
        self.generation += 1
        self._path.send_table(self._compose(self.generation))
