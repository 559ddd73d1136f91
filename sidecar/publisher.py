"""Numbers the routing table and gives it to the workers, a burst of changes as one table.

Invariant: the generation that `publish` returns is of a table that shows everything that was so when it was called.
"""

import asyncio
import time
from collections.abc import Callable

from balancer.scoreboard import ReplicaReading, Scoreboard
from balancer.table import RoutingTable
from sidecar.supervisor import Supervisor

COALESCE_S = 0.01  # of the 100 ms within which a verdict has to reach the workers


class Publisher:
    """What fleets know of the workers (`autoscaler.drain.Workers`). `compose(generation)` makes the table as it is now."""

    def __init__(self, compose: Callable[[int], RoutingTable], supervisor: Supervisor, scoreboard: Scoreboard) -> None:
        self.generation = 0
        self._compose = compose
        self._supervisor = supervisor
        self._scoreboard = scoreboard
        self._due: asyncio.TimerHandle | None = None

    def publish(self) -> int:
        """Something changed. Returns the generation that will show it."""
        if not self._due:
            self._due = asyncio.get_running_loop().call_later(COALESCE_S, self._send)
        return self.generation + 1

    async def acknowledged(self, generation: int) -> None:
        """Wait until every worker that responds uses this generation."""
        await self._supervisor.acknowledged(generation)

    def in_flight(self, slot: int) -> int:
        """Requests in flight on a replica, over all workers."""
        return self._scoreboard.in_flight(slot)

    def counted(self, slot: int) -> ReplicaReading:
        """All that was ever counted in a replica's slot, over all workers."""
        return self._scoreboard.replica(slot, time.monotonic_ns() // 1000)

    def close(self) -> None:
        """Send nothing any more."""
        if self._due:
            self._due.cancel()

    def _send(self) -> None:
        self._due = None
        self.generation += 1
        self._supervisor.send_table(self._compose(self.generation))
