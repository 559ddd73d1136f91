"""When requests are due. Pure: nanoseconds since the load began, in order; randomness is passed in."""

from array import array
from collections.abc import Iterator
from enum import StrEnum
from random import Random

REQUESTS = 20_000_000  # the most of one load: eight octets each


class Spacing(StrEnum):
    """poisson: each by itself, as those of many independent users. even: always the same time apart."""

    POISSON = "poisson"
    EVEN = "even"


def arrivals(rate: float, seconds: float, spacing: Spacing, random: Random) -> "array[int]":
    """So many per second for so long; the number is exactly rate x seconds, rounded, and at least one.

    Raises ValueError for more than REQUESTS.
    """
    count = max(1, round(rate * seconds))
    if count > REQUESTS:
        raise ValueError(f"{rate:g} requests per second for {seconds:g} s are more than {REQUESTS:,}; ask for less of either")
    moments = _even(rate, count) if spacing is Spacing.EVEN else _poisson(seconds, count, random)
    return array("q", moments)


def _even(rate: float, count: int) -> Iterator[int]:
    return (int(number * 1e9 / rate) for number in range(count))


def _poisson(seconds: float, count: int, random: Random) -> list[int]:
    """Given how many there are, the moments of a Poisson process are independent and uniform (Ross, Introduction to Probability
    Models, theorem 5.2)."""
    return sorted(int(random.random() * seconds * 1e9) for _ in range(count))
