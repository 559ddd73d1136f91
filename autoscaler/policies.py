"""How fast the count may change: the policies of `behavior`, as in the HPA.

Each policy looks at the changes of its own period: the count at the period's start is the present one without them. `replicas`
allows so many more (fewer) than that, `percent` a share of it: up rounds up, so that a small count can grow at all; down drops
the fraction. (`convertDesiredReplicasWithBehaviorRate` in kubernetes pkg/controller/podautoscaler/horizontal.go.)
"""

from autoscaler.decision import Stage
from autoscaler.memory import Memory, within
from autoscaler.rules import Behavior, PolicyType, ScalingPolicy, ScalingRules, SelectPolicy
from autoscaler.snapshot import Snapshot


def limit_rate(count: int, snapshot: Snapshot, behavior: Behavior, memory: Memory) -> Stage:
    """The count, no further from the present one than the policies allow."""
    desired = snapshot.desired
    if count > desired:
        limit = _limit(count, snapshot, behavior.scale_up, memory)
        return _stage(count, min(count, max(desired, limit)), "scale-up", behavior.scale_up)
    if count < desired:
        limit = _limit(count, snapshot, behavior.scale_down, memory)
        return _stage(count, max(count, min(desired, limit)), "scale-down", behavior.scale_down)
    return Stage("policies", count, count, "steady", "no change to limit")


def longest_period_s(behavior: Behavior) -> float:
    """For how long changes must be remembered."""
    policies = (*behavior.scale_up.policies, *behavior.scale_down.policies)
    return max((policy.period_s for policy in policies), default=0.0)


def _limit(count: int, snapshot: Snapshot, rules: ScalingRules, memory: Memory) -> int:
    """The furthest that the rules of the direction in which `count` lies allow; without policies it is `count` itself."""
    up = count > snapshot.desired
    if rules.select_policy is SelectPolicy.DISABLED:
        return snapshot.desired
    limits = [_allowed(policy, _at_start(snapshot, policy, memory), up=up) for policy in rules.policies]
    furthest = max if up == (rules.select_policy is SelectPolicy.MAX) else min
    return furthest(limits, default=count)


def _at_start(snapshot: Snapshot, policy: ScalingPolicy, memory: Memory) -> int:
    changes = within(memory.changes, snapshot.now_s, policy.period_s)
    return snapshot.desired - sum(change.value for change in changes)


def _allowed(policy: ScalingPolicy, start: int, *, up: bool) -> int:
    if policy.type is PolicyType.REPLICAS:
        return start + policy.value if up else start - policy.value
    if up:
        return -(-start * (100 + policy.value) // 100)
    return start * max(0, 100 - policy.value) // 100


def _stage(before: int, after: int, direction: str, rules: ScalingRules) -> Stage:
    if before == after:
        return Stage("policies", before, after, "steady", f"the {direction} policies allow it")
    if rules.select_policy is SelectPolicy.DISABLED:
        return Stage("policies", before, after, "limited_by_policy", f"{direction} is disabled")
    return Stage("policies", before, after, "limited_by_policy", f"the {direction} policies allow only {after} for now")
