"""Pauses, in virtual time: what is held, what goes on, and what is stronger."""

from dataclasses import replace

import pytest

from autoscaler.decide import decide
from autoscaler.memory import Memory
from autoscaler.pause import stronger
from autoscaler.rules import Burst, Pause, Rules, Schedule
from autoscaler.sampling import Sampler
from autoscaler.scaler import Scaler
from autoscaler.snapshot import Snapshot
from tests.autoscaler.world import World, concurrency, scale_down_after

QUICK = concurrency(behavior=scale_down_after(10.0), burst=Burst())


@pytest.mark.parametrize(
    ("pause", "after_rise", "after_fall"),
    [
        pytest.param(Pause.NONE, 6, 1, id="without a pause the count follows the load"),
        pytest.param(Pause.DOWN, 6, 6, id="paused downwards it rises and does not fall"),
        pytest.param(Pause.ALL, 2, 2, id="paused it stays"),
    ],
)
def test_a_pause_in_the_rules(pause: Pause, after_rise: int, after_fall: int) -> None:
    world = World(replace(QUICK, pause=pause), 2).run(20, 70).run(60, 120)
    assert world.desired == after_rise
    assert world.run(2, 200).desired == after_fall


@pytest.mark.parametrize("by_hand", list(Pause))
@pytest.mark.parametrize("in_rules", list(Pause))
def test_of_two_pauses_the_stronger_one_holds(by_hand: Pause, in_rules: Pause) -> None:
    strength = [Pause.NONE, Pause.DOWN, Pause.ALL]
    assert stronger(by_hand, in_rules) is strength[max(strength.index(by_hand), strength.index(in_rules))]


def test_who_paused_is_told() -> None:
    waking = Snapshot(0.0, "shop", 3, pause=Pause.ALL)
    fallback = Rules(1, 9, fallback_after_s=0.0, fallback_replicas=5)
    decision, _ = decide(replace(waking, data_age_s=None), fallback, Memory())
    assert decision.desired == 3
    assert decision.reason == "paused"
    assert "nothing changes while it is paused by hand" in decision.sentence
    again, _ = decide(replace(waking, data_age_s=None, pause=Pause.NONE), replace(fallback, pause=Pause.ALL), Memory())
    assert "nothing changes while it is paused by the rules" in again.sentence


def test_minimum_maximum_and_a_count_set_by_hand_are_stronger_than_a_pause() -> None:
    paused = Snapshot(0.0, "shop", 3, pause=Pause.ALL)
    assert decide(replace(paused, override=7), Rules(1, 9), Memory())[0].desired == 7
    always = Schedule("0 0 * * *", "59 23 * * *", "UTC", min_replicas=5)
    assert decide(replace(paused, wall_s=3600.0), Rules(1, 9, schedules=(always,)), Memory())[0].desired == 5


def test_a_pause_by_hand_outlives_the_program() -> None:
    former = Scaler("shop", QUICK, Sampler(QUICK))
    former.pause = Pause.DOWN
    made = Scaler("shop", QUICK, Sampler(QUICK))
    made.restore(former.kept(10.0), 20.0)
    assert made.pause is Pause.DOWN
