"""A histogram's quantiles are the true ones, or a little above, whatever the values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.load.histogram import Histogram

VALUES = st.lists(st.one_of(st.integers(0, 300), st.integers(0, 2**40 - 1)), min_size=1, max_size=200)


def filled(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(VALUES, st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0]))
def test_a_quantile_is_at_most_one_128th_above_the_true_one(values: list[int], share: float) -> None:
    true = sorted(values)[max(0, math.ceil(share * len(values) - 1e-9) - 1)]
    found = filled(values).quantile(share)
    assert found is not None
    assert true <= found <= true * (1 + 1 / 128)


@given(VALUES)
def test_mean_and_extremes_are_exact(values: list[int]) -> None:
    histogram = filled(values)
    assert histogram.mean == pytest.approx(sum(values) / len(values))
    assert (histogram.lowest, histogram.highest, histogram.total) == (min(values), max(values), len(values))


def test_of_nothing_there_is_no_quantile() -> None:
    assert (Histogram().quantile(0.5), Histogram().mean) == (None, None)
