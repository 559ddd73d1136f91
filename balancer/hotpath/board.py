"""Where each number stands on the scoreboard: offsets in words of 8 bytes, and the bounds of the latency buckets.

The layout these offsets are part of is drawn in `balancer/scoreboard.py`; the writes are in `row.py`. Numbers only.
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
OWN_ANSWERS = 9  # five counters: answers of the proxy itself after the service was chosen, of class 1xx to 5xx
UPGRADES = 14
RETRYING = 15  # gauge: attempts after the first, and hedges, that are under way
RETRIES_DENIED = 16  # not tried again as the budget was spent
HEDGES = 17  # second attempts beside a slow first one
HEDGES_WON = 18  # of these, those that answered first
RATE_LIMITED = 19  # refused with 429
CAP = 20  # gauge: the most requests in flight on a replica, as learned by this worker; 0: nothing is learned
STRAYED = 21  # requests that could not go to the replica they were to meet again
SERVICE_WORDS = 24

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
ATTEMPT_SUM_US = 100  # of attempts that gave a whole answer, from their own beginning
REPLICA_WORDS = 104  # padded to a whole number of 64-byte lines

# Latency buckets: four to a doubling, from 64 us. Bucket 0 is below 64 us; the last one takes everything from about 89 s.


def bucket_floor_us(index: int) -> int:
    """The smallest latency in microseconds that falls in the bucket (the inverse of `row.bucket`)."""
    if index <= 0:
        return 0
    octave, sub = divmod(index - 1, 4)
    return (64 + 16 * sub) << octave
