"""Which window tells how an objective is met, and what it tells."""

from array import array

import pytest

from autoscaler.history import Frame, History
from autoscaler.performance import performance
from autoscaler.rules import Slo
from balancer.hotpath import board
from balancer.hotpath.row import bucket

SLO = Slo(0.3)


def past(rate: float, latency_s: float, seconds: int, failing: float = 0.0, stuck: float = 0.0) -> History:
    """So many answers per second that take so long, a share of them failures; stuck: requests that are never answered."""
    history, counts = History(70.0), array("q", bytes(8 * board.BUCKETS))
    for second in range(seconds + 1):
        history.add(
            Frame(
                at_s=float(second),
                latency=array("q", counts),
                places={},
                replicas=array("d"),
                busy_s=second * (rate * latency_s + stuck),
                answers=second * rate,
                attempts=second * rate,
                failures=second * rate * failing,
            )
        )
        counts[bucket(round(latency_s * 1e6))] += round(rate)
    return history


@pytest.mark.parametrize(
    ("rate", "window_s"),
    [(50, 10.0), (20, 10.0), (15, 20.0), (5, 40.0), (4, 60.0)],
)
def test_the_shortest_window_with_two_hundred_answers_tells(rate: float, window_s: float) -> None:
    found = performance(past(rate, 0.1, 70), SLO)
    assert found
    assert found.window_s == pytest.approx(window_s)
    assert found.latency_s == pytest.approx(0.1, rel=0.2)


def test_fewer_answers_tell_nothing_while_they_are_quick() -> None:
    assert performance(past(2, 0.1, 70), SLO) is None


def test_a_plain_miss_needs_few_answers() -> None:
    found = performance(past(2, 0.9, 70), SLO)
    assert found
    assert found.late == pytest.approx(1.0)


def test_requests_that_are_not_answered_are_late() -> None:
    found = performance(past(0, 0.1, 70, stuck=5.0), SLO)
    assert found
    assert (found.late, found.latency_s) == (1.0, None)


def test_a_failure_is_later_than_any_answer() -> None:
    found = performance(past(100, 0.1, 70, failing=0.1), SLO)
    assert found
    assert (found.late, found.latency_s) == (pytest.approx(0.1), None)


def test_before_a_window_is_full_nothing_is_told() -> None:
    assert performance(past(100, 0.1, 8), SLO) is None


def test_without_an_objective_nothing_is() -> None:
    assert performance(past(100, 0.1, 70), None) is None
