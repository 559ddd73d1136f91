"""The autoscaler between two decisions: what it wants, what it was told by hand, what a dry run leaves alone."""

from dataclasses import replace

import pytest

from autoscaler.rules import MetricRule, MetricType, Rules, ScaleToZero
from autoscaler.sampling import Sampler
from autoscaler.scaler import Scaler

RULES = Rules(min_replicas=2, max_replicas=6, metrics=(MetricRule(MetricType.CONCURRENCY, 10.0),))


def scaler(rules: Rules = RULES) -> Scaler:
    return Scaler("web", rules, Sampler(rules))


@pytest.mark.parametrize(
    ("least", "initial", "wanted"),
    [
        pytest.param(0, None, 1, id="one where none is the minimum"),
        pytest.param(3, None, 3, id="else the minimum"),
        pytest.param(3, 5, 5, id="or what the rules say"),
        pytest.param(3, 1, 3, id="but not below the minimum"),
        pytest.param(3, 9, 6, id="nor above the maximum"),
        pytest.param(0, 0, 0, id="asleep"),
    ],
)
def test_a_first_start_begins_with(least: int, initial: int | None, wanted: int) -> None:
    made = scaler(replace(RULES, min_replicas=least, initial_replicas=initial))
    assert made.wanted == wanted
    made.take_over(0)
    assert made.wanted == wanted


def test_one_that_begins_asleep_sleeps_until_a_request_waits() -> None:
    made = scaler(replace(RULES, min_replicas=0, initial_replicas=0, scale_to_zero=ScaleToZero()))
    made.take_over(0)
    assert made.step(1.0, []).desired == 0


def test_a_count_by_hand_is_wanted_at_the_next_step_and_counted_as_a_decision() -> None:
    made = scaler()
    made.set_by_hand(5)
    assert made.step(1.0, []).desired == 5
    assert made.wanted == 5
    assert made.decided.total() == 1


@pytest.mark.parametrize("replicas", [1, 7])
def test_a_count_out_of_bounds_is_refused_and_nothing_changes(replicas: int) -> None:
    made = scaler()
    with pytest.raises(ValueError, match="from 2 to 6 replicas"):
        made.set_by_hand(replicas)
    assert made.override is None


def test_a_dry_run_wants_what_it_wanted_unless_told_by_hand() -> None:
    made = scaler(replace(RULES, dry_run=True))
    made.wanted = 9  # more than max_replicas: a decision would lower it
    assert made.step(1.0, []).desired == 6
    assert made.wanted == 9
    made.set_by_hand(4)
    made.step(2.0, [])
    assert made.wanted == 4


def test_other_rules_bound_what_is_wanted_at_once() -> None:
    made = scaler()
    made.wanted = 6
    made.change(replace(RULES, max_replicas=3))
    assert made.wanted == 3
    assert made.sampler.rules.max_replicas == 3


DOWN_S = RULES.behavior.scale_down.stabilization_window_s


def restarted(former: Scaler, gap_s: float = 1.0, rules: Rules = RULES) -> Scaler:
    """In its next life, on the same clock."""
    made = scaler(rules)
    made.restore(former.kept(1.0), 1.0 + gap_s)
    return made


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        pytest.param(0, 5, id="where replicas ended with the program, with as many as were wanted"),
        pytest.param(3, 3, id="where they outlived it, with as many as are there"),
    ],
)
def test_a_restart_begins(there: int, wanted: int) -> None:
    former = scaler()
    former.wanted = 5
    made = restarted(former)
    made.take_over(there)
    assert made.wanted == wanted


def test_a_restart_keeps_to_rules_that_have_changed() -> None:
    former = scaler()
    former.wanted = 6
    former.set_by_hand(6)
    made = restarted(former, rules=replace(RULES, max_replicas=4))
    made.take_over(0)
    assert (made.wanted, made.override) == (4, 4)


def test_what_was_scaled_to_zero_stays_so() -> None:
    former = scaler(replace(RULES, min_replicas=0))
    former.wanted = 0
    made = restarted(former, rules=replace(RULES, min_replicas=0))
    made.take_over(0)
    assert made.wanted == 0


@pytest.mark.parametrize(
    ("gap_s", "seen_since_s"),
    [
        pytest.param(DOWN_S, 1.0, id="a short gap is none"),
        pytest.param(DOWN_S + 1, DOWN_S + 2, id="after a gap longer than the window the count is a new sight"),
    ],
)
def test_gaps(gap_s: float, seen_since_s: float) -> None:
    former = scaler()
    former.step(1.0, [])
    made = restarted(former, gap_s)
    made.step(1.0 + gap_s, [])
    assert made.kept(1.0 + gap_s).memory.since_s == seen_since_s
