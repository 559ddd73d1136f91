"""The knee is where throughput over latency is greatest; what limits it is told apart from what merely ended the measurement."""

import pytest

from sidecar.bench.knee import find
from sidecar.bench.objective import Objective
from sidecar.bench.step import Bounds, Step, objection
from tests.bench.steps import application, step

BOUNDS = Bounds()
P95_60MS = Objective("p95", 0.06, "60ms")
CURVE = ((10, 0.010), (20, 0.010), (40, 0.011), (80, 0.015), (160, 0.040), (320, 0.200))


def curve(*more: Step) -> list[Step]:
    return [*(step(rate, latency_s) for rate, latency_s in CURVE), *more]


@pytest.mark.parametrize(
    ("steps", "knee"),
    [
        pytest.param(curve(), 80, id="where latency begins to grow faster than throughput"),
        pytest.param(curve()[::-1], 80, id="whatever the order of the steps"),
        pytest.param([step(10, 0.01), step(20, 0.01)], 20, id="at the end where nothing grows"),
        pytest.param([step(10, 0.01), step(20, 0.03)], 10, id="at the begin where all grows"),
        pytest.param([application(rate, 1, 0.01) for rate in (10, 25, 50, 75, 90)], 50, id="half the capacity of one worker"),
        pytest.param([*curve()[:3], step(80, 0.004, failed=400)], 40, id="not among steps in which too many failed"),
        pytest.param([*curve()[:3], step(80, 0.010, failed=400), step(160, 0.010)], 40, id="nor above such a step"),
        pytest.param([*curve()[:3], step(80, 0.010, cut_short=True)], 40, id="not in a step that was cut short"),
        pytest.param([step(10, 0.01, failed=100)], None, id="nowhere if the lowest rate was too much"),
        pytest.param([], None, id="nowhere without steps"),
    ],
)
def test_the_knee_is(steps: list[Step], knee: float | None) -> None:
    found = find(steps, BOUNDS).knee
    assert (found.rate if found else None) == knee


@pytest.mark.parametrize(
    ("steps", "best"),
    [
        pytest.param(curve(), 80, id="the highest rate that meets it"),
        pytest.param([step(10, 0.01), step(20, 0.04), step(40, 0.01)], 10, id="below the first that misses it"),
        pytest.param([step(10, 0.05), step(20, 0.05)], None, id="nothing if none meets it"),
    ],
)
def test_with_an_objective_the_best_is(steps: list[Step], best: float | None) -> None:
    found = find(steps, BOUNDS, P95_60MS).best
    assert (found.rate if found else None) == best


@pytest.mark.parametrize(
    ("last", "bounded"),
    [
        pytest.param(step(640, 1.0, answered_rate=300), True, id="the application"),
        pytest.param(step(640, 0.5, cpu_share=1.0), False, id="only the load generator"),
        pytest.param(step(640, 0.5, cut_short=True), False, id="only Ctrl-C"),
    ],
)
def test_it_is_told_what_showed_the_limit(last: Step, bounded: bool) -> None:
    assert find([step(40, 0.01), last], BOUNDS).bounded is bounded


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (step(100, 0.01), ""),
        (step(100, 0.01, failed=51), "5% failed: 51 x 503"),
        (step(100, 0.01, answered_rate=89), "answers came at 89% of the rate"),
        (step(1, 0.01, answered_rate=0.5), ""),  # five answers may be on their way by chance
        (step(100, 1.01), "p95 is over 2 s"),
        (step(100, None), "p95 is over 2 s"),
        (step(100, 0.01, lag_s=0.01), "this load generator is at its limit (10% of a core)"),
        (step(100, 0.01, cpu_share=0.97), "this load generator is at its limit (97% of a core)"),
        (step(100, 0.01, waited=11), "requests waited for a connection: raise --connections"),
        (step(100, 0.01, cut_short=True), "cut short"),
    ],
)
def test_what_speaks_against_a_higher_rate_is_said(one: Step, said: str) -> None:
    assert objection(one, BOUNDS) == said
