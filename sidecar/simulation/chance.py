"""Randomness that is the same everywhere: of `random.Random` only `random()` is used, whose sequence Python keeps from version to version.

One seed gives as many independent streams as there are names.
"""

import math
from random import Random
from statistics import NormalDist
from typing import Final

MANY: Final = 30.0  # from so many expected on, counts are drawn from the normal distribution of the same mean and variance
_NORMAL: Final = NormalDist()
_LEAST: Final = 1e-12  # the normal distribution has no quantile of 0


class Chance:
    """One stream."""

    def __init__(self, seed: int, name: str) -> None:
        self._random = Random(f"{seed} {name}")  # nothing secret is drawn

    def uniform(self) -> float:
        """From 0 up to 1."""
        return self._random.random()

    def normal(self) -> float:
        """Of mean 0 and variance 1."""
        return _NORMAL.inv_cdf(max(_LEAST, self._random.random()))

    def exponential(self) -> float:
        """Of mean 1."""
        return -math.log(1.0 - self._random.random())

    def poisson(self, mean: float) -> int:
        """How many come when `mean` are expected, each by itself."""
        if mean >= MANY:
            return max(0, round(mean + math.sqrt(mean) * self.normal()))
        left, count = math.exp(-mean), 0
        product = self._random.random()
        while product > left:
            product *= self._random.random()
            count += 1
        return count

    def share_of(self, count: int, share: float) -> int:
        """How many of `count`, each by itself with this probability (binomial; Poisson where few of many are expected)."""
        if share >= 1.0 or not count:
            return count
        if share > 0.5:
            return count - self.share_of(count, 1.0 - share)
        expected = count * share
        if expected >= MANY:
            drawn = round(expected + math.sqrt(expected * (1.0 - share)) * self.normal())
        elif count <= MANY:
            drawn = sum(self._random.random() < share for _ in range(count))
        else:
            drawn = self.poisson(expected)
        return min(count, max(0, drawn))
