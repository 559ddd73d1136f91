"""Rates double until something speaks against it, then close in on the knee; bounds on the whole are kept."""

import math
from itertools import pairwise

import pytest

from sidecar.bench.knee import find
from sidecar.bench.objective import Objective
from sidecar.bench.plan import Plan, affordable, first_rate, next_rate
from sidecar.bench.step import Bounds, Step, settled
from tests.bench.steps import application, knee_of, step

BOUNDS = Bounds()


def climb(plan: Plan, workers: int, service_s: float) -> list[Step]:
    steps: list[Step] = []
    bounds = settled(Bounds(latency_p95_s=0.0), service_s)
    while (rate := next_rate(steps, plan, bounds)) is not None:
        steps.append(application(rate, workers, service_s))
    return steps


@pytest.mark.parametrize(("workers", "service_s"), [(1, 1.0), (1, 0.01), (4, 0.02), (16, 0.1), (100, 0.25), (8, 0.0005)])
def test_it_finds_the_knee_of_any_application(workers: int, service_s: float) -> None:
    steps = climb(Plan(first_rate(service_s)), workers, service_s)
    knee = find(steps, settled(Bounds(latency_p95_s=0.0), service_s)).knee
    assert knee is not None
    assert knee.rate == pytest.approx(knee_of(workers, service_s), rel=0.25)
    assert len(steps) <= 12 + 4
    rates = [one.rate for one in steps]
    climbing = rates[: rates.index(max(rates)) + 1]
    assert all(after == 2 * before for before, after in pairwise(climbing))


def test_with_an_objective_it_closes_in_on_where_that_is_missed() -> None:
    """Of one worker that takes 10 ms p95, here twice the mean, is 40 ms at half of its 100 requests per second."""
    plan = Plan(10.0, objective=Objective("p95", 0.04, "40ms"))
    best = find(climb(plan, 1, 0.01), BOUNDS, plan.objective).best
    assert best is not None
    assert 42 <= best.rate <= 50


def test_between_two_given_rates_it_goes_in_equal_ratios() -> None:
    assert [one.rate for one in climb(Plan(10, 80, 4, given=True), 100, 0.01)] == pytest.approx([10, 20, 40, 80])


def test_a_given_last_rate_is_the_last() -> None:
    assert [one.rate for one in climb(Plan(10, 50), 100, 0.01)] == [10, 20, 40, 50]


def test_a_given_first_and_last_rate_end_where_something_speaks_against_it() -> None:
    assert [round(one.rate) for one in climb(Plan(10, 1000, 3, given=True), 1, 0.02)] == [10, 100]


def test_there_are_no_more_steps_than_asked_for() -> None:
    assert len(climb(Plan(1, steps=3), 100, 0.01)) == 3


def test_it_ends_where_the_first_rate_was_too_much() -> None:
    assert next_rate([step(10, failed=100)], Plan(10), BOUNDS) is None


@pytest.mark.parametrize(("latency_s", "rate"), [(0.02, 12.5), (10.0, 0.5), (0.00001, 1000.0), (0.0, 1000.0)])
def test_the_first_rate_is_a_quarter_of_what_one_request_after_the_other_would_be(latency_s: float, rate: float) -> None:
    assert math.isclose(first_rate(latency_s), rate)


@pytest.mark.parametrize(
    ("rate", "sent", "spent_s", "said"),
    [
        (100, 0, 0.0, ""),
        (100, 499_500, 0.0, "500,000 requests (--max-requests)"),
        (100, 0, 175.0, "180 s altogether (--max-time)"),
    ],
)
def test_no_step_passes_the_bounds_on_the_whole(rate: float, sent: int, spent_s: float, said: str) -> None:
    found = affordable(6.0, rate, sent, spent_s, BOUNDS)
    assert said in found
    assert bool(found) is bool(said)
