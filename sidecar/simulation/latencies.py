"""From waits and service times to latencies: the share of the answers in each of the scoreboard's buckets, and the share too slow.

The sum of both is worked out once for each kind of wait and remembered: chances to 2 %, means and shapes to about 6 %. Pure.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Final

from balancer.hotpath import board
from balancer.hotpath.row import bucket
from sidecar.simulation.station import Wait

POINTS: Final = 32  # a distribution of waits is taken as so many equally likely ones
CHANCES: Final = 64
STEPS: Final = 12  # between a number and e times it
REMEMBERED: Final = 4096  # kinds of waits
_NORMAL: Final = NormalDist()
Cdf = Callable[[float], float]


class Shape(StrEnum):
    """How service times are distributed."""

    LOGNORMAL = "lognormal"
    EXPONENTIAL = "exponential"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Spread:
    """Of answers: the share in each latency bucket that has any, and the share that took longer than the objective allows."""

    buckets: tuple[tuple[int, float], ...]
    slow: float


class Latencies:
    """mean_s, cv: of the service times. limit_s: the objective's."""

    def __init__(self, shape: Shape, mean_s: float, cv: float, limit_s: float) -> None:
        self._served = cdf(shape, mean_s, cv)
        self._limit_s = limit_s
        self._known: dict[tuple[int, int, int], Spread] = {}

    def spread(self, wait: Wait) -> Spread:
        """The latencies of requests that waited so."""
        key = _key(wait)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._added(*key)
        return found

    def after(self, waited_s: float, served: Spread) -> Spread:
        """The same latencies for requests that had been held so long before."""
        moved = ((bucket(round(waited_s * 1e6 + _middle_us(index))), share) for index, share in served.buckets)
        slow = (
            served.slow
            if not waited_s
            else sum(share for index, share in served.buckets if waited_s + _middle_us(index) / 1e6 > self._limit_s)
        )
        return Spread(tuple(moved), slow)

    def _added(self, chance: int, mean: int, shape: int) -> Spread:
        waits = _quantiles(math.exp(mean / STEPS), math.exp(shape / STEPS)) if chance else []
        waiting = chance / CHANCES

        def below(latency_s: float) -> float:
            late = sum(self._served(latency_s - wait_s) for wait_s in waits) / POINTS
            return (1.0 - waiting) * self._served(latency_s) + waiting * late

        return Spread(_buckets(below), 1.0 - below(self._limit_s))


def cdf(shape: Shape, mean_s: float, cv: float) -> Cdf:
    """The share of the service times that are at most so long."""
    if shape is Shape.FIXED or cv == 0.0:
        return lambda time_s: float(time_s >= mean_s)
    if shape is Shape.EXPONENTIAL:
        return lambda time_s: 1.0 - math.exp(-time_s / mean_s) if time_s > 0.0 else 0.0
    variance = math.log(1.0 + cv * cv)
    middle, deviation = math.log(mean_s) - variance / 2, math.sqrt(variance)
    return lambda time_s: _NORMAL.cdf((math.log(time_s) - middle) / deviation) if time_s > 0.0 else 0.0


def _key(wait: Wait) -> tuple[int, int, int]:
    chance = round(wait.chance * CHANCES)
    return (chance, round(math.log(wait.mean_s) * STEPS), round(math.log(wait.shape) * STEPS)) if chance else (0, 0, 0)


def _quantiles(mean: float, shape: float) -> list[float]:
    """Of the gamma distribution (Wilson and Hilferty, 1931: its cube root is nearly normal); of the exponential one exactly."""
    shares = [(number + 0.5) / POINTS for number in range(POINTS)]
    if shape < 1.0 + 1e-9:
        return [-mean * math.log(1.0 - share) for share in shares]
    ninth = 1.0 / (9.0 * shape)
    return [mean * max(0.0, 1.0 - ninth + _NORMAL.inv_cdf(share) * math.sqrt(ninth)) ** 3 for share in shares]


def _buckets(below: Cdf) -> tuple[tuple[int, float], ...]:
    """The share in each bucket; the last one takes all that is left."""
    found, early = [], 0.0
    for index in range(board.BUCKETS):
        late = 1.0 if index == board.BUCKETS - 1 else below(board.bucket_floor_us(index + 1) / 1e6)
        if late - early > 1e-9:
            found.append((index, late - early))
        early = late
    return tuple(found)


def _middle_us(index: int) -> float:
    return (board.bucket_floor_us(index) + board.bucket_floor_us(index + 1)) / 2
