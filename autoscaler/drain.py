"""The way of a drain, from the mark in the routing table to the moment when nothing is in flight any more.

Marked -> every live worker has acknowledged that generation -> in-flight is 0, or the drain deadline has passed. Only waiting is
done here: what is marked and what is stopped afterwards is the fleet's business.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from balancer.scoreboard import ReplicaReading

POLL_S = 0.02  # reading one cell per worker costs microseconds


class Workers(Protocol):
    """What has to be known of those who carry the requests."""

    def publish(self) -> int:
        """Something in the routing table changed. Returns the generation that will show it."""
        ...

    async def acknowledged(self, generation: int) -> None:
        """Wait until every live worker uses that generation or a later one. Bounded: a worker that hangs is not waited for."""
        ...

    def in_flight(self, slot: int) -> int:
        """Requests in flight on a replica, over all workers."""
        ...

    def counted(self, slot: int) -> ReplicaReading:
        """All that was ever counted in a slot, over all workers and all replicas that had it."""
        ...


async def until_idle(workers: Workers, slot: int, generation: int, timeout_s: float, clock: Callable[[], float]) -> int:
    """Wait until a replica, draining as of `generation`, has nothing in flight, at most timeout_s. Returns what is left then."""
    end_s = clock() + timeout_s
    await workers.acknowledged(generation)
    while (left := workers.in_flight(slot)) and (rest_s := end_s - clock()) > 0:  # noqa: ASYNC110 - a scoreboard tells nobody
        await asyncio.sleep(min(POLL_S, rest_s))
    return left
