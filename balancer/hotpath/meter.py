"""How much of something each client has had, over all workers: token buckets for rates, gauges for connections.

Shared memory in which each worker writes a row of its own and reads all of them, as on the scoreboard. Nothing is kept under a key:
a key's hash names one cell in each of `TABLES` tables, and the smallest of the cells is what counts (the count-min sketch of Cormode
and Muthukrishnan 2005, updated conservatively). So memory is bounded however many clients there are, and two keys are taken for one
only if all their cells meet: with 1,000 clients that keep at their limits, one in 37,000. Keys are hashed with a secret, so nobody can
choose to meet another one.

A token bucket is the moment at which it is full again (the virtual scheduling of ITU-T I.371, known as GCRA): over all workers that
is the latest that any row says. A worker that takes a token writes its own cell, passes a memory barrier, and reads the others once
more: if one of them took a token meanwhile, it adds its own to that.

The bound: of requests that arrive at several workers within the same microsecond, two are counted exactly, and of more at most one for
each further worker may not be. A gauge may be passed by one for each other worker. A worker that died has taken what it has taken;
its gauges are cleared by `Meters.retire`.
"""

import threading
from hashlib import blake2b

TABLES = 3
CELLS = 1 << 15  # in each table
BITS = 15
MASK = CELLS - 1
SECRET_WORDS = 2  # at the beginning, before the rows
ROW_WORDS = 2 * TABLES * CELLS  # buckets, then gauges
SECOND_US = 1_000_000

_FENCE = threading.Lock()  # a full memory barrier, as in service.py


class Rate:
    """A limit as a worker keeps it. name: of the header whose value counts; b"": the client's address, or if `whole` everything.

    scope: what tells its buckets from those of other limits. interval_us: between two requests in the long run. burst: at once.
    """

    def __init__(self, scope: bytes, rate: float, burst: int, whole: bool, name: bytes) -> None:
        self.scope = scope
        self.interval_us = max(1, round(SECOND_US / rate))
        self.slack_us = self.interval_us * (burst - 1)
        self.whole = whole
        self.name = name


class Meters:
    """One worker's view of the shared memory, `words` of 64 bits each."""

    def __init__(self, words: memoryview, row: int, rows: int) -> None:
        self.words = words
        self.rows = rows
        self.secret = words[:SECRET_WORDS].tobytes()
        self.own = SECRET_WORDS + row * ROW_WORDS

    def cells_of(self, key: bytes) -> tuple[int, int, int]:
        """Where a key's cells are in a row, one in each table."""
        digest = int.from_bytes(blake2b(key, digest_size=8, key=self.secret).digest(), "little")
        return digest & MASK, CELLS + (digest >> BITS & MASK), 2 * CELLS + (digest >> 2 * BITS & MASK)

    def take(self, rate: Rate, key: bytes, now_us: int) -> int:
        """Take a token. 0: taken; else in how many microseconds there will be one."""
        cells = self.cells_of(rate.scope + key)
        full_us = max(self.full_us(cells), now_us)
        if full_us - now_us > rate.slack_us:
            return full_us - now_us - rate.slack_us
        self.fill(cells, full_us + rate.interval_us)
        if self.rows > 1:
            with _FENCE:
                pass
            meanwhile_us = self.full_us_of_others(cells)
            if meanwhile_us > full_us:
                self.fill(cells, meanwhile_us + rate.interval_us)
        return 0

    def full_us(self, cells: tuple[int, int, int]) -> int:
        """When a bucket is full again, as far as any worker knows."""
        return min(self.latest_us(cell, -1) for cell in cells)

    def full_us_of_others(self, cells: tuple[int, int, int]) -> int:
        """The same as this worker's siblings know it."""
        return min(self.latest_us(cell, self.own) for cell in cells)

    def latest_us(self, cell: int, without: int) -> int:
        """The highest value of a cell in all rows, without the one that begins at `without`."""
        latest = 0
        at = SECRET_WORDS
        for _ in range(self.rows):
            if at != without and self.words[at + cell] > latest:
                latest = self.words[at + cell]
            at += ROW_WORDS
        return latest

    def fill(self, cells: tuple[int, int, int], full_us: int) -> None:
        """Note in this worker's row when a bucket will be full."""
        for cell in cells:
            self.words[self.own + cell] = max(self.words[self.own + cell], full_us)

    def enter(self, key: bytes, most: int) -> bool:
        """Count one in, unless that makes more than `most` over all workers."""
        cells = self.cells_of(key)
        self.add(cells, 1)
        if self.rows > 1:
            with _FENCE:
                pass
        if min(self.sum_of(cell) for cell in cells) > most:
            self.add(cells, -1)
            return False
        return True

    def leave(self, key: bytes) -> None:
        """Count out one that was counted in."""
        self.add(self.cells_of(key), -1)

    def add(self, cells: tuple[int, int, int], amount: int) -> None:
        """Change this worker's gauges."""
        for cell in cells:
            self.words[self.own + TABLES * CELLS + cell] += amount

    def sum_of(self, cell: int) -> int:
        """A gauge over all workers."""
        total = 0
        at = SECRET_WORDS + TABLES * CELLS + cell
        for _ in range(self.rows):
            total += self.words[at]
            at += ROW_WORDS
        return total


def client_key(peer: bytes) -> bytes:
    """What stands for a client: its address, of IPv6 the /64 (RFC 6177: what one subscriber has at least)."""
    if b":" not in peer:
        return peer
    address = peer.partition(b"%")[0]
    before, gap, after = address.partition(b"::")
    groups = before.split(b":") if before else []
    if gap:
        rest = after.split(b":") if after else []
        groups += [b"0"] * (8 - len(groups) - len(rest)) + rest
    return b":".join(groups[:4])
