"""The benchmarks that print tables of their own: what they work out, without running anything for long."""

from random import Random

import pytest

from benchmarks import simulation, tick


def test_requests_are_due_within_their_bins() -> None:
    moments = simulation.due([20.0, 100.0, 0.4], Random(1))
    seconds = [moment / 1e9 for moment in moments]
    assert seconds == sorted(seconds)
    assert [sum(5 * bin_ <= second < 5 * bin_ + 5 for second in seconds) for bin_ in range(3)] == [100, 500, 2]


@pytest.mark.parametrize(
    ("some", "others", "apart"),
    [
        pytest.param((), (), 0.0, id="both stay at one"),
        pytest.param(((5.0, 3),), (), 1.0, id="two more for half of the time"),
        pytest.param(((5.0, 3),), ((0.0, 2), (5.0, 3)), 0.5, id="one less for the first half"),
    ],
)
def test_counts_are_compared_second_by_second(
    some: tuple[tuple[float, int], ...], others: tuple[tuple[float, int], ...], apart: float
) -> None:
    assert simulation.difference(some, others, 10.0) == apart


def test_of_several_simulations_the_middle_and_the_ends_are_told() -> None:
    models = [simulation.Outcome(1000.0 * n, 0, 0.05, 0.1, 0.2, 10.0 * n, n, ((1.0, 2),) * n) for n in (3, 1, 2)]
    assert simulation.middle(models).cells() == ("2,000", "0", "50 ms", "100 ms", "200 ms", "20", "2", "2")
    assert next(iter(simulation.extremes(models))) == "1,000, 3,000"


def test_a_tick_of_a_few_services_is_measured_and_leaves_nothing_behind() -> None:
    found = tick.measure(3, 5, 0.8)
    assert (found.services, len(found.ticks_ms)) == (3, 5)
    assert all(spent > 0 for spent in found.ticks_ms)


def test_growth_is_told_as_a_power() -> None:
    few, some, many = (tick.Measured(size, [0.0], [size / 10], 1.0, 1.0) for size in (10, 50, 100))
    assert tick.exponent([few, some, many]) == pytest.approx(1.0)
