"""A histogram of bounded size and bounded error: linear steps within each doubling, as HdrHistogram has them.

Invariant: a quantile is at least the true one and at most 1/128 above it (exact below 256); counts never move between buckets.
"""

import math

_BITS = 7  # 128 steps to a doubling
_FINEST = 2 << _BITS  # below this every value has a bucket of its own
_BUCKETS = ((40 - _BITS) << _BITS) + _FINEST  # values of up to 40 bits: 12 days in microseconds


class Histogram:
    """Of whole numbers from 0 to below 2**40."""

    def __init__(self) -> None:
        self.counts = [0] * _BUCKETS
        self.total = 0
        self.sum = 0
        self.lowest = 1 << 40
        self.highest = 0

    def record(self, value: int) -> None:
        """Count one."""
        shift = value.bit_length() - _BITS - 1
        self.counts[(shift << _BITS) + (value >> shift) if shift > 0 else value] += 1
        self.total += 1
        self.sum += value
        if value > self.highest:  # noqa: PLR1730 - a comparison costs a fifth of a call, and this runs for every request
            self.highest = value
        if value < self.lowest:  # noqa: PLR1730 - the same
            self.lowest = value

    @property
    def mean(self) -> float | None:
        """Of the values themselves, not of the buckets; None of nothing."""
        return self.sum / self.total if self.total else None

    def quantile(self, share: float) -> int | None:
        """The smallest value that at least this share of the values do not exceed, rounded up as the module says."""
        left = max(1, math.ceil(share * self.total - 1e-9))
        for index, count in enumerate(self.counts):
            left -= count
            if left <= 0:
                return min(_upper(index), self.highest)
        return None


def _upper(index: int) -> int:
    """The largest value of a bucket."""
    shift = max(0, (index >> _BITS) - 1)
    return ((index - (shift << _BITS) + 1) << shift) - 1
