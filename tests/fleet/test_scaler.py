"""The autoscaler between two decisions: what it wants, what it was told by hand, what a dry run leaves alone."""

from dataclasses import replace

import pytest

from autoscaler.rules import MetricRule, MetricType, Rules
from autoscaler.sampling import Sampler
from autoscaler.scaler import Scaler

RULES = Rules(min_replicas=2, max_replicas=6, metrics=(MetricRule(MetricType.CONCURRENCY, 10.0),))


def scaler(rules: Rules = RULES) -> Scaler:
    return Scaler("web", rules, Sampler(rules))


@pytest.mark.parametrize(
    ("least", "wanted"),
    [pytest.param(0, 1, id="one where none is the minimum"), pytest.param(3, 3, id="else the minimum")],
)
def test_it_begins_with(least: int, wanted: int) -> None:
    assert scaler(replace(RULES, min_replicas=least)).wanted == wanted


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
