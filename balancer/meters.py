"""The shared memory behind `hotpath/meter.py`: made by the controller, written by the workers, a row each.

    offset (bytes)
    0        +-----------------------------------------------------------------------+
             | secret (2 words), with which keys are hashed                          |
    16       +-----------------------------------------------------------------------+
             | row 0: 3 tables x 32,768 buckets, then as many gauges                 |
             +-----------------------------------------------------------------------+
             | row 1 ...                                                             |
             +-----------------------------------------------------------------------+

A bucket is the moment (CLOCK_MONOTONIC, in microseconds) at which it is full again, a gauge how many connections there are. All
words are signed 64-bit integers. Pages that nobody touched take no memory; at most 1.5 MiB per worker.
"""

import mmap
import os
from typing import Final

from balancer.hotpath.meter import CELLS, ROW_WORDS, SECRET_WORDS, TABLES, Meters

WORD: Final = 8
GAUGES: Final = TABLES * CELLS


class SharedMeters:
    """`fd` can be handed to workers."""

    def __init__(self, fd: int, workers: int) -> None:
        self.fd = fd
        self.workers = workers
        self.words = memoryview(mmap.mmap(fd, size_of(workers))).cast("q")

    @classmethod
    def create(cls, workers: int) -> "SharedMeters":
        """New ones, all empty, under a secret of their own."""
        fd = os.memfd_create("ecluse-meters", os.MFD_CLOEXEC)
        os.ftruncate(fd, size_of(workers))
        os.pwrite(fd, os.urandom(SECRET_WORDS * WORD), 0)
        return cls(fd, workers)

    @classmethod
    def attach(cls, fd: int) -> "SharedMeters":
        """Those behind a descriptor that `create` made, perhaps in another process."""
        return cls(fd, (os.fstat(fd).st_size // WORD - SECRET_WORDS) // ROW_WORDS)

    def row(self, worker: int) -> Meters:
        """One worker's view."""
        return Meters(self.words, worker, self.workers)

    def retire(self, worker: int) -> None:
        """The worker is dead: its connections are gone. What it has taken of rates stays taken."""
        first = SECRET_WORDS + worker * ROW_WORDS + GAUGES
        os.pwrite(self.fd, bytes(GAUGES * WORD), first * WORD)

    def close(self) -> None:
        """Give back the descriptor, and the memory with the last view of it."""
        del self.words
        os.close(self.fd)


def size_of(workers: int) -> int:
    """In bytes."""
    return (SECRET_WORDS + workers * ROW_WORDS) * WORD
