"""Stabilization windows, as in the HPA: up no further than the smallest, down no further than the largest recent recommendation.

What is remembered is the recommendation as it was before this stage, up to max_replicas. The first sight of a service is
remembered as a recommendation of the count it has, so that a restart never scales down at once. Until a program that has just begun
can tell what the load is, it remembers nothing as long as there is something from before: or else every restart would begin a new window.
(`stabilizeRecommendationWithBehaviors` in kubernetes pkg/controller/podautoscaler/horizontal.go.)
"""

from dataclasses import replace

from autoscaler.decision import Stage
from autoscaler.memory import Mark, Memory, within
from autoscaler.rules import Rules
from autoscaler.snapshot import Snapshot


def first_sight(memory: Memory, snapshot: Snapshot, rules: Rules) -> Memory:
    """The memory, seeded when it is new."""
    if memory.since_s is not None:
        return memory
    return _remember(replace(memory, since_s=snapshot.now_s), snapshot, rules, snapshot.desired)


def stabilize(count: int, snapshot: Snapshot, rules: Rules, memory: Memory, known: bool = True) -> tuple[Stage, Memory]:
    """The recommendation, held back by the recent ones, and the memory with it added. known: whether it was made from samples."""
    up, down = rules.behavior.scale_up.stabilization_window_s, rules.behavior.scale_down.stabilization_window_s
    lows, highs = within(memory.lows, snapshot.now_s, up), within(memory.highs, snapshot.now_s, down)
    lowest = min([mark.value for mark in lows], default=count)
    highest = max([mark.value for mark in highs], default=count)
    after = min(max(snapshot.desired, min(count, lowest)), max(count, highest))
    keeps_quiet = not known and highs and _just_begun(snapshot, rules)
    remembered = memory if keeps_quiet else _remember(memory, snapshot, rules, count)
    reason = "steady" if after == count else "stabilized"
    return Stage("stabilize", count, after, reason, _why(count, after, up, down)), remembered


def _remember(memory: Memory, snapshot: Snapshot, rules: Rules, count: int) -> Memory:
    mark = Mark(snapshot.now_s, min(count, rules.max_replicas))
    behavior = rules.behavior
    return memory.remember(mark, behavior.scale_down.stabilization_window_s, behavior.scale_up.stabilization_window_s)


def _just_begun(snapshot: Snapshot, rules: Rules) -> bool:
    return snapshot.data_age_s is None or snapshot.seen_s < rules.stable_window_s


def _why(count: int, after: int, up_s: float, down_s: float) -> str:
    if after > count:
        return f"{after} is the most that was asked for in the last {down_s:g} s"
    if after < count:
        return f"{after} is the least that was asked for in the last {up_s:g} s"
    return "no recent recommendation holds it back"
