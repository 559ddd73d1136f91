"""One service as a worker sees it: its READY replicas, and the requests that wait for one.

Invariants: waiting requests are served first come first served, also across workers (whoever has freed a place wakes the worker
whose request has waited longest); a replica never has more than `cap` requests in flight over all workers.

The cap is exact where stores reach other cores in order (x86-64) and anywhere with one worker: a worker enters, passes a full memory
barrier, sums all rows, and leaves again if the sum is over. Elsewhere at most one request per other worker may be too many.
The bound of the queue is the configured one plus one request per other worker.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from balancer.hotpath.pick import pick
from balancer.hotpath.replica import Replica
from balancer.hotpath.row import Row

if TYPE_CHECKING:
    from balancer.hotpath.exchange import Exchange

_FENCE = threading.Lock()  # an uncontended acquire is a locked instruction, and so a full barrier, without a system call


class Service:
    """The runtime of one `balancer.table.ServiceEntry`; `configure` brings it up to a newer one."""

    def __init__(self, name: str, slot: int, row: Row, random: Callable[[], float]) -> None:
        self.name = name
        self.slot = slot
        self.row = row
        self.random = random
        self.policy = 0
        self.cap = 0
        self.queue = 0
        self.queue_timeout_us = 0
        self.hold = False
        self.hold_timeout_us = 0
        self.max_held = 0
        self.ready: list[Replica] = []
        self.waiting: dict[Exchange, int] = {}  # in order of arrival: since when, in microseconds
        self.serving = False  # serve_waiting is on its way
        self.ahead_us = 0  # since when a sibling's request waits that is to go first, as of the last tick
        self.avoid_until_us = 0  # the last moment at which some replica is to be avoided

    def take(self, tried: list[Replica], now_us: int) -> Replica | None:
        """Pick a replica that was not tried and count the request in flight on it. None: there is none, or all are at their cap."""
        candidates = self.ready
        if tried or self.cap or now_us < self.avoid_until_us:
            candidates = self.candidates(tried, now_us)
        while candidates:
            replica = pick(self.policy, candidates, self.row, self.random)
            if self.enter(replica, now_us):
                return replica
            candidates = [other for other in candidates if other is not replica]
        return None

    def candidates(self, tried: list[Replica], now_us: int) -> list[Replica]:
        """READY, not tried and below their cap; those that refused a connection just now only if there are no others."""
        left = [replica for replica in self.ready if replica not in tried]
        trusted = [replica for replica in left if replica.avoid_until_us <= now_us]
        left = trusted or left
        if self.cap:
            left = [replica for replica in left if self.row.in_flight(replica.slot) < self.cap]
        return left

    def exhausted(self, tried: list[Replica]) -> bool:
        """Whether a request that was tried at these replicas has no other one left."""
        return len(tried) > 0 and set(self.ready) <= set(tried)

    def enter(self, replica: Replica, now_us: int) -> bool:
        """Count a request as in flight unless that passes the cap."""
        row = self.row
        row.enter(replica.slot, now_us)
        if self.cap:
            with _FENCE:
                pass
            if row.in_flight(replica.slot) > self.cap:
                row.leave(replica.slot, now_us)
                return False
        return True

    def others_wait(self) -> bool:
        """Whether a new request must stand in line: somebody, on this worker or another, came first."""
        if self.waiting:
            return True
        return self.cap > 0 and self.row.workers > 1 and self.row.waiting_everywhere(self.slot) > 0

    def room_to_wait(self) -> bool:
        """Whether one more request may wait."""
        most = self.queue if self.ready else self.max_held if self.hold else 0
        return most > 0 and self.row.waiting_everywhere(self.slot) < most

    def wait(self, exchange: "Exchange", now_us: int) -> None:
        """Put a request at the end of the line."""
        self.waiting[exchange] = now_us
        self.row.waiting(self.slot, 1, self.oldest_us(), now_us)

    def stop_waiting(self, exchange: "Exchange", now_us: int) -> None:
        """Take a request out of the line, served or not."""
        if self.waiting.pop(exchange, 0):
            self.row.waiting(self.slot, -1, self.oldest_us(), now_us)

    def oldest_us(self) -> int:
        """Since when the first in line waits; 0: nobody does."""
        for since in self.waiting.values():
            return since
        return 0

    def avoid(self, replica: Replica, until_us: int) -> None:
        """Pass the replica over for a while."""
        replica.avoid_until_us = until_us
        self.avoid_until_us = until_us
