"""Requests are due exactly as often as asked, in order, within the time; the seed alone decides when."""

from itertools import pairwise
from random import Random
from statistics import fmean, pstdev

import pytest

from sidecar.load.arrivals import Spacing, arrivals


@pytest.mark.parametrize("spacing", list(Spacing))
@pytest.mark.parametrize(
    ("rate", "seconds", "count"),
    [(100, 2, 200), (0.5, 4, 2), (3, 0.5, 2), (0.1, 1, 1)],
    ids=["whole", "slow", "rounded", "at least one"],
)
def test_there_are_rate_times_seconds_in_order(spacing: Spacing, rate: float, seconds: float, count: int) -> None:
    due = list(arrivals(rate, seconds, spacing, Random(7)))
    assert len(due) == count
    assert due == sorted(due)
    assert 0 <= due[0] <= due[-1] < max(seconds, count / rate) * 1e9


def test_even_ones_are_the_same_time_apart() -> None:
    assert list(arrivals(4, 1, Spacing.EVEN, Random(7))) == [0, 250_000_000, 500_000_000, 750_000_000]


def test_poisson_gaps_vary_as_much_as_they_are_long() -> None:
    """The standard deviation of an exponential distribution is its mean."""
    gaps = [after - before for before, after in pairwise(arrivals(1000, 20, Spacing.POISSON, Random(7)))]
    assert pstdev(gaps) == pytest.approx(fmean(gaps), rel=0.03)


def test_the_same_seed_gives_the_same_moments() -> None:
    one, same, other = (arrivals(100, 1, Spacing.POISSON, Random(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_more_than_memory_should_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 20,000,000"):
        arrivals(1e6, 60, Spacing.EVEN, Random(7))
