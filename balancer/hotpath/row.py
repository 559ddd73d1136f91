"""One worker's row of the scoreboard: the writes that every request makes.

Invariants: a row has one writer, the worker it belongs to, so no write needs a lock; counters only grow (wrapping is centuries
away in 64 bits); a gauge is back at 0 when what it counts is over. No sockets and no policy here.
"""

from balancer.hotpath.board import (
    ATTEMPT_SUM_US,
    BUCKETS,
    BUSY_US,
    BYTES_IN,
    BYTES_OUT,
    CHANGED_US,
    IN_FLIGHT,
    LATENCY,
    LATENCY_SUM_US,
    OLDEST_US,
    REPLICA_WORDS,
    SERVICE_WORDS,
    STATUS,
    WAIT_BUSY_US,
    WAIT_CHANGED_US,
    WAITING,
    WORKER_WORDS,
)


def bucket(latency_us: int) -> int:
    """The index of the latency bucket that a latency of so many microseconds falls in (0 to BUCKETS - 1)."""
    if latency_us < 64:  # four buckets to a doubling, from 64 us (2**6)
        return 0
    value = latency_us
    octave = 0
    while value >= 128:
        value >>= 1
        octave += 1
    index = 1 + (octave << 2) + ((value >> 4) & 3)
    return index if index < BUCKETS else BUCKETS - 1


class Row:
    """Writes the cells of one worker, and reads its siblings'. `words` is the scoreboard's memory as 64-bit integers."""

    def __init__(self, words: memoryview, row: int, workers: int, first: int, stride: int, services: int) -> None:
        """first: word offset of row 0; stride: words per row; services: how many services' cells stand before the replicas'."""
        self.words = words
        self.workers = workers
        self.stride = stride
        self.worker = first + row * stride
        self.services = self.worker + WORKER_WORDS
        self.replicas = self.services + services * SERVICE_WORDS
        self.first_services = first + WORKER_WORDS
        self.first_replicas = self.first_services + services * SERVICE_WORDS

    def count(self, offset: int, amount: int = 1) -> None:
        """Add to one of this worker's own counters or gauges."""
        self.words[self.worker + offset] += amount

    def put(self, offset: int, value: int) -> None:
        """Set one of this worker's own cells."""
        self.words[self.worker + offset] = value

    def count_service(self, slot: int, offset: int, amount: int = 1) -> None:
        """Add to a counter of a service."""
        self.words[self.services + slot * SERVICE_WORDS + offset] += amount

    def put_service(self, slot: int, offset: int, value: int) -> None:
        """Set one of a service's cells."""
        self.words[self.services + slot * SERVICE_WORDS + offset] = value

    def count_replica(self, slot: int, offset: int, amount: int = 1) -> None:
        """Add to a counter of a replica."""
        self.words[self.replicas + slot * REPLICA_WORDS + offset] += amount

    def enter(self, slot: int, now_us: int) -> None:
        """A request is now in flight on the replica."""
        base = self.replicas + slot * REPLICA_WORDS
        self.words[base + BUSY_US] += self.words[base + IN_FLIGHT] * (now_us - self.words[base + CHANGED_US])
        self.words[base + CHANGED_US] = now_us
        self.words[base + IN_FLIGHT] += 1

    def leave(self, slot: int, now_us: int) -> None:
        """A request is no longer in flight on the replica."""
        base = self.replicas + slot * REPLICA_WORDS
        self.words[base + BUSY_US] += self.words[base + IN_FLIGHT] * (now_us - self.words[base + CHANGED_US])
        self.words[base + CHANGED_US] = now_us
        self.words[base + IN_FLIGHT] -= 1

    def answered(self, slot: int, status: int, latency_us: int, attempt_us: int, octets_in: int, octets_out: int) -> None:
        """The replica gave a whole answer with this status, so many microseconds after the request's head was read.

        attempt_us: since this replica was picked. octets_in, octets_out: of the answer, of the request.
        """
        base = self.replicas + slot * REPLICA_WORDS
        self.words[base + STATUS + status // 100 - 1] += 1
        if status != 101:  # the life of a tunnel says nothing about the replica's speed
            self.words[base + LATENCY_SUM_US] += latency_us
            self.words[base + ATTEMPT_SUM_US] += attempt_us
            self.words[base + LATENCY + bucket(latency_us)] += 1
        self.words[base + BYTES_IN] += octets_in
        self.words[base + BYTES_OUT] += octets_out

    def waiting(self, slot: int, change: int, oldest_us: int, now_us: int) -> None:
        """`change` more requests wait for the service; the longest-waiting one began at oldest_us (0: none is left)."""
        base = self.services + slot * SERVICE_WORDS
        self.words[base + WAIT_BUSY_US] += self.words[base + WAITING] * (now_us - self.words[base + WAIT_CHANGED_US])
        self.words[base + WAIT_CHANGED_US] = now_us
        self.words[base + WAITING] += change
        self.words[base + OLDEST_US] = oldest_us

    def in_flight(self, slot: int) -> int:
        """Requests in flight on the replica over all workers."""
        at = self.first_replicas + slot * REPLICA_WORDS + IN_FLIGHT
        total = 0
        for _ in range(self.workers):
            total += self.words[at]
            at += self.stride
        return total

    def waiting_everywhere(self, slot: int) -> int:
        """Requests that wait for the service over all workers."""
        return self.sum_service(slot, WAITING)

    def sum_service(self, slot: int, offset: int) -> int:
        """One of a service's cells over all workers."""
        at = self.first_services + slot * SERVICE_WORDS + offset
        total = 0
        for _ in range(self.workers):
            total += self.words[at]
            at += self.stride
        return total

    def sum_replicas(self, slots: list[int], offset: int) -> int:
        """One of the cells of these replicas, over all workers."""
        total = 0
        for slot in slots:
            at = self.first_replicas + slot * REPLICA_WORDS + offset
            for _ in range(self.workers):
                total += self.words[at]
                at += self.stride
        return total

    def answers_everywhere(self, slots: list[int]) -> int:
        """Whole answers that these replicas gave, over all workers."""
        total = 0
        for status in range(STATUS, STATUS + 5):
            total += self.sum_replicas(slots, status)
        return total

    def waiting_since(self, row: int, slot: int) -> int:
        """Since when a worker's longest-waiting request for the service waits; 0: none does."""
        return self.words[self.first_services + row * self.stride + slot * SERVICE_WORDS + OLDEST_US]

    def longest_waiting(self, slot: int) -> int:
        """The row of the worker whose oldest waiting request for the service is the oldest of all, or -1: none waits."""
        at = self.first_services + slot * SERVICE_WORDS + OLDEST_US
        best = -1
        oldest = 0
        for row in range(self.workers):
            began = self.words[at]
            if began and (best < 0 or began < oldest):
                best, oldest = row, began
            at += self.stride
        return best
