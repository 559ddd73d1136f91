"""How fast the count may change: the HPA's examples, with its arithmetic."""

import pytest

from autoscaler.memory import Mark, Memory
from autoscaler.policies import limit_rate
from autoscaler.rules import SCALE_DOWN, SCALE_UP, Behavior, PolicyType, ScalingPolicy, ScalingRules, SelectPolicy
from autoscaler.snapshot import Snapshot


def rules(*policies: tuple[PolicyType, int, float], select: SelectPolicy = SelectPolicy.MAX) -> ScalingRules:
    """Rules without a window."""
    return ScalingRules(0.0, tuple(ScalingPolicy(*policy) for policy in policies), select)


def limited(desired: int, wanted: int, direction: ScalingRules, *changes: tuple[float, int]) -> int:
    """What is left of a wish at second 1000. changes: (seconds ago, by how many)."""
    behavior = Behavior(direction, direction)
    memory = Memory(changes=tuple(Mark(1000.0 - ago_s, by) for ago_s, by in changes))
    return limit_rate(wanted, Snapshot(1000.0, "shop", desired), behavior, memory).after


REPLICAS, PERCENT = PolicyType.REPLICAS, PolicyType.PERCENT
DOCUMENTED = rules((REPLICAS, 4, 60.0), (PERCENT, 10, 60.0))

CASES = {
    "documentation: 10 % of 80 are 8": (limited(80, 10, DOCUMENTED), 72),
    "documentation: of 72 the share is 7.2 and counts as 8": (limited(72, 10, DOCUMENTED), 64),
    "documentation: below 40 the four replicas are more": (limited(36, 10, DOCUMENTED), 32),
    "the smallest change is chosen when asked for": (
        limited(80, 10, rules(*((REPLICAS, 4, 60.0), (PERCENT, 10, 60.0)), select=SelectPolicy.MIN)),
        76,
    ),
    "disabled means no change": (limited(80, 10, rules((PERCENT, 100, 15.0), select=SelectPolicy.DISABLED)), 80),
    "no policy means no limit": (limited(80, 10, rules()), 10),
    "default up: four from one": (limited(1, 50, SCALE_UP), 5),
    "default up: a doubling from ten": (limited(10, 50, SCALE_UP), 20),
    "default down: all at once": (limited(50, 1, SCALE_DOWN), 1),
    "a percentage up is rounded up, so that one can grow": (limited(1, 9, rules((PERCENT, 10, 60.0))), 2),
    "a percentage that comes out whole is not": (limited(10, 50, rules((PERCENT, 10, 60.0))), 11),
    "a percentage down keeps the whole part": (limited(5, 1, rules((PERCENT, 50, 60.0))), 2),
    "what was added in the period is used up": (limited(8, 50, SCALE_UP, (10.0, 4)), 8),
    "half of it used leaves half": (limited(6, 50, SCALE_UP, (10.0, 2)), 8),
    "what was added before the period is not counted": (limited(8, 50, SCALE_UP, (15.0, 4)), 16),
    "what was removed in the period may come back": (limited(4, 50, rules((REPLICAS, 2, 60.0)), (10.0, -4)), 10),
    "what was removed in the period is used up": (limited(6, 0, rules((REPLICAS, 4, 60.0)), (30.0, -4)), 6),
    "more added than allowed never makes a scale-up go down": (limited(30, 40, SCALE_UP, (5.0, 25)), 30),
    "each policy looks at its own period": (
        limited(9, 90, rules((REPLICAS, 3, 10.0), (REPLICAS, 8, 60.0)), (5.0, 3), (30.0, 3)),
        11,
    ),
    "a wish within the limit is granted": (limited(10, 12, SCALE_UP), 12),
}


@pytest.mark.parametrize("name", CASES)
def test_policies(name: str) -> None:
    granted, expected = CASES[name]
    assert granted == expected


def test_the_limit_says_so() -> None:
    stage = limit_rate(50, Snapshot(0.0, "shop", 10), Behavior(), Memory())
    assert (stage.reason, stage.why) == ("limited_by_policy", "the scale-up policies allow only 20 for now")
