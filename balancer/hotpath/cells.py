"""A replica's cells as the autoscaler takes them: added up over all rows, and what was counted between two such readings.

It runs for every replica in every tick, some ten thousand times a second at most, so it is compiled with the rest. Reads only; counters
that fall (a scoreboard made anew, a slot under an old name) count nothing for that one time.
"""

from array import array

from balancer.hotpath.board import (
    BUCKETS,
    BUSY_US,
    CHANGED_US,
    CONNECT_ERRORS,
    IN_FLIGHT,
    LATENCY,
    REPLICA_WORDS,
    STATUS,
    TIMEOUTS,
    bucket_floor_us,
)

NOTHING = bytes(8 * REPLICA_WORDS)


class Cells:
    """Reads cells that begin with a gauge, its integral over time, and the moment up to which that goes: a replica's or a service's.

    `words` is the scoreboard's memory as 64-bit integers.
    """

    def __init__(self, words: memoryview, first: int, size: int, stride: int, rows: int) -> None:
        """first: where those of slot 0 begin in the first row; size: of a slot; stride: from row to row; all in words."""
        self.words = words
        self.first = first
        self.size = size
        self.stride = stride
        self.rows = rows

    def read(self, slot: int, now_us: int) -> "array[int]":
        """One slot's cells, summed over all rows; the integral up to now_us."""
        total = array("q", NOTHING[: 8 * self.size])
        sums = total
        at = self.first + slot * self.size
        for _ in range(self.rows):
            for cell in range(self.size):
                sums[cell] += self.words[at + cell]
            since = now_us - self.words[at + CHANGED_US]
            if since > 0:
                sums[BUSY_US] += self.words[at + IN_FLIGHT] * since
            at += self.stride
        return total


def grown(
    before: "dict[str, array[int]]",
    now: "dict[str, array[int]]",
    places: dict[str, int],
    totals: "array[float]",
    latency: "array[int]",
) -> tuple[int, int, int, int, int]:
    """What all replicas of a service counted from one reading to the next: (busy_us, answers, attempts, failures), and how many requests
    are in flight now. One that has no reading before counts from the next one on.

    Added to: `latency`, bucket by bucket, and from its place on in `totals` each replica's request-seconds and answers.
    """
    counts = latency
    sums = totals
    busy_us = answers = attempts = failures = in_flight = 0
    for name, at in places.items():
        late = now[name]
        in_flight += late[IN_FLIGHT]
        was = before.get(name)
        if was is None:
            continue
        early = was
        answered = errors = 0
        for cell in range(STATUS, STATUS + 5):
            answered += _more(early[cell], late[cell])
        for cell in range(CONNECT_ERRORS, TIMEOUTS + 1):
            errors += _more(early[cell], late[cell])
        if answered:
            for cell in range(BUCKETS):
                counts[cell] += _more(early[LATENCY + cell], late[LATENCY + cell])
        grew_us = _more(early[BUSY_US], late[BUSY_US])
        place = at
        sums[place] += grew_us / 1e6
        sums[place + 1] += answered
        busy_us += grew_us
        answers += answered
        attempts += answered + errors
        failures += errors + _more(early[STATUS + 4], late[STATUS + 4])
    return busy_us, answers, attempts, failures, in_flight


def percentile_us(before: "array[int]", now: "array[int]", share: float) -> float:
    """The latency in microseconds below which `share` (0 to 1) of the answers lie that were counted between two readings of all
    buckets; below 0 if there were none. Interpolated linearly inside a bucket."""
    early = before
    late = now
    total = 0
    for cell in range(BUCKETS):
        total += late[cell] - early[cell]
    wanted = share * total
    seen = 0
    for cell in range(BUCKETS):
        count = late[cell] - early[cell]
        if count and seen + count >= wanted:
            low, high = bucket_floor_us(cell), bucket_floor_us(cell + 1)
            return float(low + (high - low) * max(0.0, wanted - seen) / count)
        seen += count
    return -1.0


def _more(before: int, now: int) -> int:
    return now - before if now > before else 0
