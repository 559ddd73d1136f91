"""The scoreboard: shared memory in which each worker counts and the controller reads.

Written by one worker per row, read by anyone, with no lock and no system call. All cells are signed 64-bit integers in the
machine's byte order, 8-byte aligned, so that a single cell is never torn; two cells read one after the other may belong to two
moments, and nothing here needs them not to.

    offset (bytes)
    0        +--------------------------------------------------------------------------------------+
             | magic | version | workers | services | replicas |  reserved ... (16 words)           |
    128      +--------------------------------------------------------------------------------------+
             | row 0                                                                                |
             |   worker header  16 words:  pid | generation | connections | accepted | refused | ...|
             |   service cells  24 words x services                                                 |
             |     waiting | wait_busy_us | wait_changed_us | oldest_us | shed | wait_timeouts | ...|
             |   replica cells 104 words x replicas                                                 |
             |     in_flight | busy_us | changed_us | 1xx | 2xx | 3xx | 4xx | 5xx | connect_errors  |
             |     | broken | timeouts | bytes_in | bytes_out | latency_sum_us | pooled | connects   |
             |     | latency buckets: 84, four to a doubling from 64 us | padding                   |
             +--------------------------------------------------------------------------------------+
             | row 1 ...                                                                            |
             +--------------------------------------------------------------------------------------+

The words' offsets stand by name in `balancer/hotpath/board.py`. Pages that nobody touched take no memory.

`busy_us` is the integral of in_flight over time, so that the mean concurrency of any interval is a difference of two readings
divided by its length: exact, however short the requests. A row whose pid is 0 has no worker; its gauges are 0.
"""

import mmap
import os
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from balancer import limits
from balancer.hotpath import board
from balancer.hotpath.cells import Cells
from balancer.hotpath.row import Row

MAGIC: Final = 0x45434C55_53450000
VERSION: Final = 2
HEADER_WORDS: Final = 16
WORD: Final = 8


@dataclass(frozen=True, slots=True)
class ReplicaReading:
    """One replica's cells, summed over the workers. Counters since the scoreboard was made: use differences.

    busy_us is brought up to the moment of reading. latency: counts per bucket (`board.bucket_floor_us` gives the bounds).
    """

    in_flight: int
    busy_us: int
    status: tuple[int, int, int, int, int]
    connect_errors: int
    broken: int
    timeouts: int
    bytes_in: int
    bytes_out: int
    latency_sum_us: int
    pooled: int
    connects: int
    latency: tuple[int, ...]

    @property
    def requests(self) -> int:
        """Whole answers given, of every status class."""
        return sum(self.status)

    @classmethod
    def of(cls, cells: "array[int]") -> "ReplicaReading":
        """The cells by name."""
        s = board.STATUS
        return cls(
            in_flight=cells[board.IN_FLIGHT],
            busy_us=cells[board.BUSY_US],
            status=(cells[s], cells[s + 1], cells[s + 2], cells[s + 3], cells[s + 4]),
            connect_errors=cells[board.CONNECT_ERRORS],
            broken=cells[board.BROKEN],
            timeouts=cells[board.TIMEOUTS],
            bytes_in=cells[board.BYTES_IN],
            bytes_out=cells[board.BYTES_OUT],
            latency_sum_us=cells[board.LATENCY_SUM_US],
            pooled=cells[board.POOLED],
            connects=cells[board.CONNECTS],
            latency=tuple(cells[board.LATENCY : board.LATENCY + board.BUCKETS]),
        )

    def cells(self) -> "array[int]":
        """The reverse of `of`."""
        errors = (self.connect_errors, self.broken, self.timeouts)
        rest = (self.bytes_in, self.bytes_out, self.latency_sum_us, self.pooled, self.connects, *self.latency)
        values = (self.in_flight, self.busy_us, 0, *self.status, *errors, *rest)
        return array("q", (*values, *(0,) * (board.REPLICA_WORDS - len(values))))


@dataclass(frozen=True, slots=True)
class ServiceReading:
    """One service's cells, summed over the workers.

    wait_busy_us: request-microseconds waited, up to the moment of reading. own_answers: given by the proxy itself, by status class.
    cap: the most requests at once in a replica, as learned: the mean over the workers that have learned one; 0: none has.
    """

    waiting: int
    wait_busy_us: int
    shed: int
    wait_timeouts: int
    unavailable: int
    retries: int
    aborted: int
    own_answers: tuple[int, int, int, int, int]
    upgrades: int
    retrying: int = 0
    retries_denied: int = 0
    hedges: int = 0
    hedges_won: int = 0
    rate_limited: int = 0
    strayed: int = 0
    cap: int = 0


@dataclass(frozen=True, slots=True)
class WorkerReading:
    """One worker's header. pid 0: the row has no worker."""

    pid: int
    generation: int
    connections: int
    accepted: int
    refused: int
    bad_requests: int
    no_route: int
    log_dropped: int
    log_written: int


class Scoreboard:
    """The shared memory behind the rows. `fd` can be handed to workers."""

    def __init__(self, fd: int, workers: int, services: int, replicas: int) -> None:
        self.fd = fd
        self.workers = workers
        self._services = services
        self._replicas = replicas
        self._row_words = board.WORKER_WORDS + services * board.SERVICE_WORDS + replicas * board.REPLICA_WORDS
        self.words = memoryview(mmap.mmap(fd, (HEADER_WORDS + workers * self._row_words) * WORD)).cast("q")
        first = HEADER_WORDS + board.WORKER_WORDS
        self._service_cells = Cells(self.words, first, board.SERVICE_WORDS, self._row_words, workers)
        first += services * board.SERVICE_WORDS
        self._replica_cells = Cells(self.words, first, board.REPLICA_WORDS, self._row_words, workers)

    @classmethod
    def create(cls, workers: int, services: int = limits.SERVICES, replicas: int = limits.REPLICAS) -> "Scoreboard":
        """A new scoreboard, all zero, in anonymous shared memory."""
        row_words = board.WORKER_WORDS + services * board.SERVICE_WORDS + replicas * board.REPLICA_WORDS
        fd = os.memfd_create("ecluse-scoreboard", os.MFD_CLOEXEC)
        os.ftruncate(fd, (HEADER_WORDS + workers * row_words) * WORD)
        made = cls(fd, workers, services, replicas)
        for index, value in enumerate((MAGIC, VERSION, workers, services, replicas)):
            made.words[index] = value
        return made

    @classmethod
    def attach(cls, fd: int) -> "Scoreboard":
        """The scoreboard behind a descriptor that `create` made, perhaps in another process. Raises ValueError if it is none."""
        magic, version, workers, services, replicas = memoryview(os.pread(fd, 5 * WORD, 0)).cast("q")
        if magic != MAGIC or version != VERSION:
            raise ValueError("the descriptor holds no scoreboard of this version")
        return cls(fd, workers, services, replicas)

    def close(self) -> None:
        """Give back the descriptor now, and the memory with the last row that was made from it (a compiled row holds on to it)."""
        del self.words, self._service_cells, self._replica_cells
        os.close(self.fd)

    def row(self, worker: int) -> Row:
        """The writer of one worker's row."""
        return Row(self.words, worker, self.workers, HEADER_WORDS, self._row_words, self._services)

    def worker(self, worker: int) -> WorkerReading:
        """One worker's header."""
        start = self._row(worker)
        return WorkerReading(*self.words[start : start + board.LOG_WRITTEN + 1])

    def retire(self, worker: int, now_us: int | None = None) -> None:
        """The row's worker is dead: from now_us on (None: this moment) its gauges are not load.

        The integrals are brought up to that moment first, for what was read of them may not be taken back. Only the
        controller calls this, before a successor starts.
        """
        at_us = time.monotonic_ns() // 1000 if now_us is None else now_us
        words = self.words
        start = self._row(worker)
        words[start + board.PID] = words[start + board.CONNECTIONS] = 0
        for base in self._touched(self._service(worker, 0), board.SERVICE_WORDS, self._services):
            words[base + board.WAIT_BUSY_US] += words[base + board.WAITING] * max(0, at_us - words[base + board.WAIT_CHANGED_US])
            words[base + board.WAITING] = words[base + board.OLDEST_US] = 0
            words[base + board.RETRYING] = words[base + board.CAP] = 0
        for base in self._touched(self._replica(worker, 0), board.REPLICA_WORDS, self._replicas):
            words[base + board.BUSY_US] += words[base + board.IN_FLIGHT] * max(0, at_us - words[base + board.CHANGED_US])
            words[base + board.IN_FLIGHT] = words[base + board.POOLED] = 0

    def _touched(self, first: int, size: int, count: int) -> Iterator[int]:
        """Where those of `count` groups of `size` cells begin that are not all 0. Read by the descriptor: a look at an
        untouched page through the memory would make it take up memory."""
        untouched = bytes(size * WORD)
        for base in range(first, first + size * count, size):
            if os.pread(self.fd, size * WORD, base * WORD) != untouched:
                yield base

    def in_flight(self, slot: int) -> int:
        """Requests in flight on a replica over all workers."""
        return sum(self.words[self._replica(worker, slot) + board.IN_FLIGHT] for worker in range(self.workers))

    def cells(self, slot: int, now_us: int) -> "array[int]":
        """One replica's cells over all workers, as `board` says where each stands; now_us is CLOCK_MONOTONIC in microseconds."""
        return self._replica_cells.read(slot, now_us)

    def replica(self, slot: int, now_us: int) -> ReplicaReading:
        """The same by name."""
        return ReplicaReading.of(self._replica_cells.read(slot, now_us))

    def service(self, slot: int, now_us: int) -> ServiceReading:
        """One service's own cells over all workers; now_us is CLOCK_MONOTONIC in microseconds."""
        sums = self._service_cells.read(slot, now_us).tolist()
        o = board.OWN_ANSWERS
        return ServiceReading(
            waiting=sums[board.WAITING],
            wait_busy_us=sums[board.WAIT_BUSY_US],
            shed=sums[board.SHED],
            wait_timeouts=sums[board.WAIT_TIMEOUTS],
            unavailable=sums[board.UNAVAILABLE],
            retries=sums[board.RETRIES],
            aborted=sums[board.ABORTED],
            own_answers=(sums[o], sums[o + 1], sums[o + 2], sums[o + 3], sums[o + 4]),
            upgrades=sums[board.UPGRADES],
            retrying=sums[board.RETRYING],
            retries_denied=sums[board.RETRIES_DENIED],
            hedges=sums[board.HEDGES],
            hedges_won=sums[board.HEDGES_WON],
            rate_limited=sums[board.RATE_LIMITED],
            strayed=sums[board.STRAYED],
            cap=self._cap(slot),
        )

    def _cap(self, slot: int) -> int:
        caps = [self.words[self._service(worker, slot) + board.CAP] for worker in range(self.workers)]
        learned = [cap for cap in caps if cap]
        return sum(learned) // len(learned) if learned else 0

    def _row(self, worker: int) -> int:
        return HEADER_WORDS + worker * self._row_words

    def _service(self, worker: int, slot: int) -> int:
        return self._row(worker) + board.WORKER_WORDS + slot * board.SERVICE_WORDS

    def _replica(self, worker: int, slot: int) -> int:
        return self._service(worker, self._services) + slot * board.REPLICA_WORDS


def quantile_us(latency: tuple[int, ...], share: float) -> float | None:
    """The latency in microseconds below which `share` (0 to 1) of the counted answers lie, None if none was counted.

    Interpolated linearly inside a bucket, so off by less than a bucket's width (at most 25 % of the value, half that on average).
    """
    total = sum(latency)
    if total <= 0:
        return None
    wanted = share * total
    seen = 0
    for index, count in enumerate(latency):
        if count and seen + count >= wanted:
            low, high = board.bucket_floor_us(index), board.bucket_floor_us(index + 1)
            return low + (high - low) * max(0.0, wanted - seen) / count
        seen += count
    return float(board.bucket_floor_us(len(latency)))
