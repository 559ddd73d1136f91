"""Stabilization windows: recommendations over time, and what is left of them."""

import pytest

from autoscaler.memory import Memory
from autoscaler.rules import Behavior, Rules, ScalingRules
from autoscaler.snapshot import Snapshot
from autoscaler.stabilize import first_sight, stabilize

# (window up, window down, count at first, recommendations one second apart, what each becomes)
CASES = {
    "without windows each recommendation stands": (0, 0, 5, [5, 7, 3, 9], [5, 7, 3, 9]),
    "going down waits for the largest of the window": (0, 3, 5, [5, 2, 2, 2, 2], [5, 5, 5, 2, 2]),
    "going up waits for the smallest of the window": (3, 0, 5, [5, 9, 8, 8, 8], [5, 5, 5, 8, 8]),
    "a dip shorter than the window is not followed": (0, 3, 5, [5, 2, 5, 2, 5], [5, 5, 5, 5, 5]),
    "a peak shorter than the window is not followed": (3, 0, 5, [5, 9, 5, 9, 5], [5, 5, 5, 5, 5]),
    "between the two windows the count stays": (3, 3, 5, [9, 1, 9, 1, 9], [5, 5, 5, 5, 5]),
    "the first sight holds the count it finds": (0, 3, 8, [2, 2, 2, 2], [8, 8, 8, 2]),
    "what is remembered is the recommendation, not what became of it": (0, 3, 5, [5, 3, 2, 2, 2], [5, 5, 5, 3, 2]),
}


@pytest.mark.parametrize("name", CASES)
def test_windows(name: str) -> None:
    up_s, down_s, count, recommended, expected = CASES[name]
    rules = Rules(0, 100, behavior=Behavior(ScalingRules(up_s, ()), ScalingRules(down_s, ())))
    memory, became = Memory(), []
    for second, recommendation in enumerate(recommended):
        snapshot = Snapshot(float(second), "shop", count)
        stage, memory = stabilize(recommendation, snapshot, rules, first_sight(memory, snapshot, rules))
        count = stage.after
        became.append(count)
    assert became == expected


def test_the_memory_holds_only_what_can_still_matter() -> None:
    rules = Rules(0, 10, behavior=Behavior(ScalingRules(3600.0, ()), ScalingRules(3600.0, ())))
    memory = Memory()
    for second in range(20_000):
        recommendation = (second * 7919) % 1000
        _, memory = stabilize(recommendation, Snapshot(float(second), "shop", 5), rules, memory)
    assert len(memory.highs) <= 11
    assert len(memory.lows) <= 11
