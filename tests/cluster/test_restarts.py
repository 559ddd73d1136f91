"""The delays between starts of an instance that crashes."""

import pytest

from autoscaler.cluster.restarts import Crashes, RestartPolicy, after_crash, delay_s

POLICY = RestartPolicy(first_s=1.0, longest_s=60.0, jitter=0.2, settled_s=60.0)


@pytest.mark.parametrize(
    ("count", "random", "expected_s"),
    [
        pytest.param(1, 0.0, 1.0, id="the-first-waits-one-second"),
        pytest.param(2, 0.0, 2.0, id="the-second-waits-twice-that"),
        pytest.param(6, 0.0, 32.0, id="and-so-on"),
        pytest.param(7, 0.0, 60.0, id="up-to-the-longest"),
        pytest.param(10_000, 0.0, 60.0, id="for-ever"),
        pytest.param(2, 1.0, 1.6, id="jitter-makes-it-shorter-by-a-fifth-at-most"),
        pytest.param(2, 0.5, 1.8, id="or-by-less"),
    ],
)
def test_delays_grow(count: int, random: float, expected_s: float) -> None:
    assert delay_s(Crashes(count), POLICY, random) == pytest.approx(expected_s)


@pytest.mark.parametrize(
    ("before", "ran_s", "after"),
    [
        pytest.param(Crashes(), 0.1, Crashes(1, 100.0), id="the-first-crash-begins-the-row"),
        pytest.param(Crashes(3, 90.0), 0.1, Crashes(4, 90.0), id="a-crash-soon-after-the-start-is-one-more"),
        pytest.param(Crashes(3, 10.0), 59.9, Crashes(4, 10.0), id="also-one-before-it-settled"),
        pytest.param(Crashes(3, 10.0), 60.0, Crashes(1, 100.0), id="who-ran-well-for-a-while-begins-anew"),
    ],
)
def test_crashes_in_a_row_are_counted(before: Crashes, ran_s: float, after: Crashes) -> None:
    assert after_crash(before, POLICY, ran_s, now_s=100.0) == after
