"""One service as a worker sees it: its READY replicas, and the requests that wait for one.

Invariants: waiting requests are served by priority, and first come first served among equals, also across workers (whoever has freed a
place wakes the worker whose request goes first); a replica never has more than `cap` requests in flight over all workers; where
the line is full, a request takes the place of the newest one of a lower priority on its worker, if there is one.

The cap is exact where stores reach other cores in order (x86-64) and anywhere with one worker: a worker enters, passes a full memory
barrier, sums all rows, and leaves again if the sum is over. Elsewhere at most one request per other worker may be too many.
The bound of the queue is the configured one plus one request per other worker, and so is that of the tries after the first.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from balancer.hotpath.board import RETRIES_DENIED, RETRYING
from balancer.hotpath.pick import pick
from balancer.hotpath.replica import WHOLE, Replica
from balancer.hotpath.row import Row

if TYPE_CHECKING:
    from balancer.hotpath.affinity import Affinity
    from balancer.hotpath.exchange import Exchange

LOW = 0
NORMAL = 1
HIGH = 2
PRIORITIES = {"low": LOW, "normal": NORMAL, "high": HIGH}
HEAD_START_US = 1 << 52  # of a priority over the one below it: longer than any machine runs
LOW_SHARE = 2  # the part of a line that LOW requests may fill is one in so many
LEARNED_US = 1_000_000  # how long departures are watched before a wait is foretold from them
DEPARTED_LEAST = 10  # and how many there must be

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
        self.cap_most = 0  # the configured one, where it is
        self.adaptive = False  # learned, up to that
        self.queue = 0
        self.queue_timeout_us = 0
        self.hold = False
        self.hold_timeout_us = 0
        self.max_held = 0
        self.ready: list[Replica] = []
        self.total_us = 0  # of a request; 0: what holds for all services
        self.try_us = 0  # to the head of an answer, before another replica is tried; 0: none is
        self.hedge_us = 0  # the same before a second replica is asked beside the first; 0: none is
        self.attempts_most = 0
        self.retry_share = 0.0  # of the requests in flight, that may be tries after the first
        self.retry_least = 0
        self.failures_most = 0  # failed attempts in a row before a replica is reported; 0: never
        self.slow_start_us = 0
        self.warming = False  # some replica has less than its whole share
        self.affinity: Affinity | None = None
        self.crowded = False  # it has more than its share of this worker's connections, which are running out
        self.hopeful: dict[Exchange, int] = {}  # who is to be hedged, and when, the soonest first
        self.waiting: dict[Exchange, int] = {}  # in order of arrival: since when, in microseconds
        self.lines: tuple[dict[Exchange, int], ...] = ({}, {}, {})  # the same by priority
        self.departed = -1  # answers of all replicas when that was looked at last, and
        self.departed_us = 0  # when that was; -1: there was nobody in line
        self.rate = 0.0  # requests per second that leave, while some wait; 0: not known
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

    def room_to_wait(self, priority: int) -> bool:
        """Whether there is room for one more request to wait."""
        most = self.queue if self.ready else self.max_held if self.hold else 0
        if priority == LOW:
            most = (most + LOW_SHARE - 1) // LOW_SHARE
        return self.row.waiting_everywhere(self.slot) < most

    def is_hopeless(self, priority: int) -> bool:
        """Whether those who go before a new request would keep it waiting beyond its time, at the rate at which they leave."""
        return self.rate > 0 and len(self.ready) > 0 and self.wait_s(priority) * 1e6 > self.queue_timeout_us

    def wait_s(self, priority: int) -> float:
        """How long a new request would wait, as far as can be told; 0: that cannot be told."""
        ahead = self.row.waiting_everywhere(self.slot) - sum([len(line) for line in self.lines[:priority]])
        return ahead / self.rate if self.rate else 0.0

    def least_worthy(self, priority: int) -> "Exchange | None":
        """The newest of the waiting requests with the lowest priority, if that is below this one."""
        for line in self.lines[:priority]:
            if line:
                return next(reversed(line))
        return None

    def first(self) -> "Exchange | None":
        """Whose turn it is of those who wait on this worker."""
        for line in reversed(self.lines):
            for exchange in line:
                return exchange
        return None

    def wait(self, exchange: "Exchange", now_us: int) -> None:
        """Put a request at the end of the line."""
        self.waiting[exchange] = now_us
        self.lines[exchange.priority][exchange] = now_us
        self.row.waiting(self.slot, 1, self.turn_us(), now_us)

    def stop_waiting(self, exchange: "Exchange", now_us: int) -> None:
        """Take a request out of the line, served or not."""
        if self.waiting.pop(exchange, 0):
            self.lines[exchange.priority].pop(exchange)
            self.row.waiting(self.slot, -1, self.turn_us(), now_us)
            if not self.waiting:  # what leaves while nobody waits says nothing about how long a wait would be
                self.departed, self.rate = -1, 0.0

    def turn_us(self) -> int:
        """By what workers compare whose turn it is, the lower the sooner: since when the first in line waits, after those of a higher
        priority; 0: nobody waits."""
        first = self.first()
        return self.waiting[first] + (HIGH - first.priority) * HEAD_START_US if first is not None else 0

    def watch_departures(self, now_us: int) -> None:
        """Learn how many requests leave in a second. On each tick while some wait."""
        departed = self.row.answers_everywhere([replica.slot for replica in self.ready])
        if self.departed < 0 or departed < self.departed:
            self.departed, self.departed_us, self.rate = departed, now_us, 0.0
        elif now_us - self.departed_us >= LEARNED_US and departed - self.departed >= DEPARTED_LEAST:
            self.rate = (departed - self.departed) * 1e6 / (now_us - self.departed_us)
            self.departed, self.departed_us = departed, now_us

    def may_retry(self) -> bool:
        """Whether one more try after the first fits into the budget; counted if not."""
        row = self.row
        under_way = row.sum_service(self.slot, RETRYING)
        if under_way < self.retry_least:
            return True
        active = 0
        for replica in self.ready:
            active += row.in_flight(replica.slot)
        if under_way < self.retry_share * active:
            return True
        row.count_service(self.slot, RETRIES_DENIED)
        return False

    def warm(self, wall_us: int) -> None:
        """Give the replicas that became READY a little while ago their part of their share. On each tick while there are some."""
        self.warming = False
        for replica in self.ready:
            replica.weight = self.weight_of(replica, wall_us)
            self.warming = self.warming or replica.weight < replica.share * WHOLE

    def weight_of(self, replica: Replica, wall_us: int) -> int:
        """A replica's weight now: from a tenth of its share on it grows with time (as Envoy's slow start does)."""
        whole = replica.share * WHOLE
        since_us = wall_us - replica.ready_at_us
        if not self.slow_start_us or not 0 <= since_us < self.slow_start_us:
            return whole
        return max(whole * since_us // self.slow_start_us, whole // 10, 1)

    def avoid(self, replica: Replica, until_us: int) -> None:
        """Pass the replica over for a while."""
        replica.avoid_until_us = until_us
        self.avoid_until_us = until_us
