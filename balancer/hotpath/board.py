"""One worker's row of the scoreboard: the writes that every request makes.

Invariants: a row has one writer, the worker it belongs to, so no write needs a lock; counters only grow (wrapping is centuries
away in 64 bits); a gauge is back at 0 when what it counts is over. The layout these offsets are part of is drawn in
`balancer/scoreboard.py`. No sockets and no policy here.
"""

# Offsets into a worker's header, in words of 8 bytes.
PID = 0
GENERATION = 1  # of the routing table in use
CONNECTIONS = 2  # gauge: downstream connections open
ACCEPTED = 3
REFUSED = 4  # connections over the limit, answered 503 and closed
BAD_REQUESTS = 5  # answered 4xx before any service was chosen
NO_ROUTE = 6
LOG_DROPPED = 7
LOG_WRITTEN = 8
WORKER_WORDS = 16

# Offsets into a service's cells.
WAITING = 0  # gauge: requests queued or held
WAIT_BUSY_US = 1  # integral of WAITING over time, in request-microseconds up to WAIT_CHANGED_US
WAIT_CHANGED_US = 2
OLDEST_US = 3  # when the longest-waiting request of this worker began to wait; 0: none waits
SHED = 4  # refused with 503: queue full
WAIT_TIMEOUTS = 5  # refused with 503: waited too long
UNAVAILABLE = 6  # refused with 503: no replica READY
RETRIES = 7  # attempts after the first
ABORTED = 8  # client left before its answer was complete
OWN_ANSWERS = 9  # answered by the proxy itself with 5xx or 4xx after the service was chosen (every cause)
UPGRADES = 10
SERVICE_WORDS = 16

# Offsets into a replica's cells.
IN_FLIGHT = 0  # gauge
BUSY_US = 1  # integral of IN_FLIGHT over time, in request-microseconds up to CHANGED_US
CHANGED_US = 2
STATUS = 3  # five counters: answers of class 1xx (101 only) to 5xx
CONNECT_ERRORS = 8
BROKEN = 9  # attempts that ended without a whole, valid answer, after the connection stood
TIMEOUTS = 10  # attempts that ended at a deadline
BYTES_IN = 11  # octets from the replica
BYTES_OUT = 12  # octets to the replica
LATENCY_SUM_US = 13
POOLED = 14  # gauge: idle connections kept
CONNECTS = 15  # connections opened
LATENCY = 16  # BUCKETS counters
BUCKETS = 84
REPLICA_WORDS = 104  # padded to a whole number of 64-byte lines

# Latency buckets: four to a doubling, from 64 us. Bucket 0 is below 64 us; the last one takes everything from about 89 s.
_FIRST_BITS = 6
_SUB_BITS = 2


def bucket(latency_us: int) -> int:
    """The index of the latency bucket that a latency of so many microseconds falls in (0 to BUCKETS - 1)."""
    if latency_us < 64:
        return 0
    value = latency_us
    octave = 0
    while value >= 128:
        value >>= 1
        octave += 1
    index = 1 + (octave << _SUB_BITS) + ((value >> (_FIRST_BITS - _SUB_BITS)) & 3)
    return index if index < BUCKETS else BUCKETS - 1


def bucket_floor_us(index: int) -> int:
    """The smallest latency in microseconds that falls in the bucket (the inverse of `bucket`)."""
    if index <= 0:
        return 0
    octave, sub = divmod(index - 1, 4)
    return (64 + 16 * sub) << octave


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

    def count_replica(self, slot: int, offset: int, amount: int = 1) -> None:
        """Add to a counter of a replica."""
        self.words[self.replicas + slot * REPLICA_WORDS + offset] += amount

    def enter(self, slot: int, now_us: int) -> None:
        """A request is now in flight on the replica."""
        base = self.replicas + slot * REPLICA_WORDS
        words = self.words
        words[base + BUSY_US] += words[base + IN_FLIGHT] * (now_us - words[base + CHANGED_US])
        words[base + CHANGED_US] = now_us
        words[base + IN_FLIGHT] += 1

    def leave(self, slot: int, now_us: int) -> None:
        """A request is no longer in flight on the replica."""
        base = self.replicas + slot * REPLICA_WORDS
        words = self.words
        words[base + BUSY_US] += words[base + IN_FLIGHT] * (now_us - words[base + CHANGED_US])
        words[base + CHANGED_US] = now_us
        words[base + IN_FLIGHT] -= 1

    def answered(self, slot: int, status: int, latency_us: int) -> None:
        """The replica gave a whole answer with this status, so many microseconds after the request's head was read."""
        base = self.replicas + slot * REPLICA_WORDS
        words = self.words
        words[base + STATUS + status // 100 - 1] += 1
        if status != 101:  # the life of a tunnel says nothing about the replica's speed
            words[base + LATENCY_SUM_US] += latency_us
            words[base + LATENCY + bucket(latency_us)] += 1

    def waiting(self, slot: int, change: int, oldest_us: int, now_us: int) -> None:
        """`change` more requests wait for the service; the longest-waiting one began at oldest_us (0: none is left)."""
        base = self.services + slot * SERVICE_WORDS
        words = self.words
        words[base + WAIT_BUSY_US] += words[base + WAITING] * (now_us - words[base + WAIT_CHANGED_US])
        words[base + WAIT_CHANGED_US] = now_us
        words[base + WAITING] += change
        words[base + OLDEST_US] = oldest_us

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
        at = self.first_services + slot * SERVICE_WORDS + WAITING
        total = 0
        for _ in range(self.workers):
            total += self.words[at]
            at += self.stride
        return total

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
