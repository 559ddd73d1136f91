"""A logarithmic axis: where values stand on it, and which round numbers to write beside it. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """From low to high, both above 0, over `size` units."""

    low: float
    high: float
    size: float

    def at(self, value: float) -> float:
        """Its distance from the low end."""
        return self.size * math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self) -> list[float]:
        """1, 2 and 5 times the powers of ten within it."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        values = [digit * 10.0**power for power in range(first, last + 1) for digit in (1, 2, 5)]
        return [value for value in values if self.low <= value <= self.high]


def around(values: Sequence[float], size: float) -> Scale:
    """A scale that holds all the values, and is never empty."""
    low, high = min(values), max(values)
    return Scale(low, high, size) if high > low * 1.1 else Scale(low / 1.5, high * 1.5, size)
