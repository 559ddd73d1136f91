"""What is counted within the measured time, and what it comes to. Times are nanoseconds, as on the generator's clock."""

from dataclasses import replace

import pytest

from sidecar.load.tally import Failure, Measured, Tally

S = 1_000_000_000


def measured(tally: Tally) -> Measured:
    return tally.measured(cpu_share=0.1)


def test_requests_in_flight_are_the_time_they_take_over_the_time_measured() -> None:
    """Little's law: two a second that take half a second each are one at a time."""
    tally = Tally(0, 10 * S)
    for number in range(20):
        begun = number * S // 2
        tally.due(begun, begun)
        tally.answered(200, begun, begun, begun + S // 2)
    found = measured(tally)
    assert found.in_flight == pytest.approx(found.offered_rate * 0.5) == pytest.approx(1.0)
    assert found.achieved_rate == 2.0


def test_the_flow_counts_what_happens_within_the_time_whenever_it_was_due() -> None:
    tally = Tally(10 * S, 20 * S)
    tally.due(9 * S, 9 * S)
    tally.answered(200, 9 * S, 9 * S, 11 * S)  # due in the warm-up, answered after it
    tally.due(19 * S, 19 * S)
    tally.answered(200, 19 * S, 19 * S, 22 * S)  # due in time, answered too late for it
    found = measured(tally)
    assert (found.achieved_rate, found.in_flight) == (0.1, 0.2)
    assert (found.due, found.good, found.latency_s["max"]) == (1, 1, 3.0)


def test_latency_counts_from_when_it_was_due_and_lag_until_the_generator_came_to_it() -> None:
    tally = Tally(0, S)
    tally.due(0, 4_000_000)
    tally.answered(200, 0, 7_000_000, 9_000_000)
    found = measured(tally)
    assert (found.lag_s["max"], found.latency_s["max"]) == (0.004, 0.009)


def test_a_timeout_is_a_latency_and_other_failures_are_none() -> None:
    tally = Tally(0, S)
    for failure in (Failure.TIMEOUT, Failure.BROKEN):
        tally.due(0, 0)
        tally.failed(failure, 0, 0, 5 * S)
    found = measured(tally)
    assert (found.errors, found.latency_s["max"], found.bad_share) == ({"timeout": 1, "broken": 1}, 5.0, 1.0)


def test_cut_short_it_is_measured_until_then() -> None:
    tally = Tally(0, 10 * S)
    tally.due(0, 0)
    tally.due(S, S)
    tally.answered(200, 0, 0, S)
    tally.end(2 * S)
    found = measured(tally)
    assert (found.seconds, found.achieved_rate, found.unfinished) == (2.0, 0.5, 1)


@pytest.mark.parametrize(
    ("lag_s", "cpu_share", "behind"),
    [(0.0001, 0.5, False), (0.006, 0.5, True), (0.0001, 0.96, True), (None, 0.0, False)],
    ids=["in time", "late at the median", "a whole core", "nothing was due"],
)
def test_the_generator_fell_behind_where_it_was_late_or_had_no_time_left(
    lag_s: float | None, cpu_share: float, behind: bool
) -> None:
    assert replace(measured(Tally(0, S)), lag_s={"p50": lag_s}, cpu_share=cpu_share).fell_behind is behind
