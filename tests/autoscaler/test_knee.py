"""What one replica can carry, out of a few observations of applications whose laws are known."""

from collections.abc import Callable

import pytest

from autoscaler.knee import AIM, CAUTION, GROWTH, Capacity, capacity, slope, step_of
from autoscaler.memory import Observation

OBJECTIVE_S = 0.3
Law = Callable[[float], float]  # a latency by concurrency


def flat(concurrency: float) -> float:
    """It waits on something else."""
    return 0.1


def shared(concurrency: float) -> float:
    """A processor shared by all: W = s (1 + c)."""
    return 0.02 * (1 + concurrency)


def queued(concurrency: float) -> float:
    """Four at a time, the rest queue: beyond that W = c x 0.05 / 4."""
    return max(0.05, concurrency * 0.05 / 4)


def seen(law: Law, *concurrencies: float) -> list[Observation]:
    return [Observation(0.0, each, each / law(each), law(each), True) for each in concurrencies]


@pytest.mark.parametrize(
    ("law", "concurrencies", "expected"),
    [
        pytest.param(flat, (2.0, 4.0, 8.0), 0.02, id="flat"),
        pytest.param(shared, (2.0, 4.0, 6.0, 8.0), 8 / 9, id="a shared processor"),
        pytest.param(queued, (4.0, 6.0, 8.0, 12.0, 16.0), 1.0, id="a full queue"),
    ],
)
def test_the_slope_is_that_of_the_law(law: Law, concurrencies: tuple[float, ...], expected: float) -> None:
    observations = seen(law, *concurrencies)
    assert slope(observations[-1], observations) == pytest.approx(expected, abs=0.12)


def test_from_one_observation_the_prior_alone_tells() -> None:
    (one,) = seen(shared, 4.0)
    assert slope(one, [one]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("law", "concurrencies"),
    [(flat, (2.0, 4.0, 8.0)), (shared, (2.0, 4.0, 6.0, 8.0)), (queued, (4.0, 8.0, 12.0))],
    ids=["flat", "shared", "queued"],
)
def test_what_is_said_to_be_carried_meets_the_objective_and_is_more_than_what_was_seen(
    law: Law, concurrencies: tuple[float, ...]
) -> None:
    found = capacity(seen(law, *concurrencies), [], OBJECTIVE_S, 1.0)
    assert found
    assert law(found.concurrency) <= OBJECTIVE_S
    assert concurrencies[-1] < found.concurrency <= GROWTH * concurrencies[-1]


def test_a_miss_is_cut_in_proportion() -> None:
    missed = Observation(0.0, 20.0, 50.0, 0.4, False)
    assert capacity([], [missed], OBJECTIVE_S, 1.0) == Capacity(pytest.approx(20 * AIM * 0.75), pytest.approx(50 * CAUTION))


def test_never_more_than_half_at_a_time_and_never_below_the_least() -> None:
    missed = Observation(0.0, 20.0, 50.0, 9.0, False)
    found = [capacity([], [missed], OBJECTIVE_S, least) for least in (1.0, 15.0)]
    assert [each and each.concurrency for each in found] == [10.0, 15.0]


def test_what_missed_counts_against_what_met() -> None:
    met, missed = seen(flat, 8.0), [Observation(0.0, 12.0, 60.0, 0.6, False)]
    found = capacity(met, missed, OBJECTIVE_S, 1.0)
    assert found
    assert found.concurrency <= 12 * 0.5 + 1e-9


def test_nothing_seen_is_nothing_known() -> None:
    assert capacity([], [], OBJECTIVE_S, 1.0) is None


def test_observations_within_a_quarter_are_one() -> None:
    assert step_of(10.0) == step_of(10.3) != step_of(14.0)
