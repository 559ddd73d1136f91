"""All works, in the order in which they run and stand in the result."""

from benchmarks.idle import Idle
from benchmarks.latency import Latency
from benchmarks.rounds import Work
from benchmarks.tables import Tables
from benchmarks.throughput import THROUGHPUTS
from benchmarks.unix import Unix
from benchmarks.workers import Workers

WORKS: tuple[Work, ...] = (*THROUGHPUTS, Latency(), Idle(), Workers(), Tables(), Unix())
