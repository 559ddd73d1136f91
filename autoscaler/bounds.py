"""The last word: what the engine has no place for, the count set by hand, then zero, min and max.

Zero is a count like any other only where min_replicas is 0, `scale_to_zero` is set, and nothing ran, waited or ended for
idle_after_s, and no signal is above its activation or unknown; a service that sleeps already goes on sleeping until a request waits or
a signal is above its activation (KEDA). Not to know is not to be idle.
"""

from autoscaler import external
from autoscaler.decision import Stage
from autoscaler.recommend import blind
from autoscaler.rules import Rules
from autoscaler.snapshot import Snapshot


def place(count: int, snapshot: Snapshot) -> Stage:
    """The count, no higher than the one asked for last while the engine has no place for what was asked for already."""
    if not snapshot.full or count <= snapshot.desired:
        return Stage("placement", count, count, "steady", "nothing is known to be in the way")
    return Stage("placement", count, snapshot.desired, "placement", f"the cluster has no place for more ({snapshot.full})")


def override(count: int, snapshot: Snapshot) -> Stage:
    """The count set by hand, when there is one."""
    if snapshot.override is None:
        return Stage("override", count, count, "steady", "automatic")
    return Stage("override", count, snapshot.override, "override", f"the count is held at {snapshot.override} by hand")


def bound(count: int, snapshot: Snapshot, rules: Rules) -> Stage:
    """The count between min and max, with 0 only where it is allowed."""
    if rules.min_replicas == 0 and snapshot.override is None:
        return _bound_near_zero(count, snapshot, rules)
    if count < rules.min_replicas:
        return Stage(
            "bounds", count, rules.min_replicas, "limited_by_min", f"min_replicas is {rules.min_replicas}{rules.min_why}"
        )
    return _bound_above(count, rules)


def _bound_near_zero(count: int, snapshot: Snapshot, rules: Rules) -> Stage:
    if need := _need(snapshot, rules):
        return _bound_above(count, rules) if count else Stage("bounds", 0, 1, "wake", need)
    if count <= 1 and _asleep(snapshot, rules):
        return Stage("bounds", count, 0, "idle", f"no request for {snapshot.idle_s:.0f} s")
    if count == 0:
        why = external.unknown(snapshot, rules) or "the service has not been idle for long enough"
        return Stage("bounds", 0, 1, "limited_by_min", f"the last replica stays: {why}")
    return _bound_above(count, rules)


def _need(snapshot: Snapshot, rules: Rules) -> str:
    """What a replica is needed for, in words; "" where nothing needs one."""
    if snapshot.waiting_now:
        return f"requests need a replica: {snapshot.waiting_now} waiting"
    return external.active(snapshot, rules)


def _asleep(snapshot: Snapshot, rules: Rules) -> bool:
    if rules.scale_to_zero is None:
        return False
    if snapshot.desired == 0:
        return True
    known = not blind(snapshot) and not external.unknown(snapshot, rules)
    return known and snapshot.idle_s >= rules.scale_to_zero.idle_after_s


def _bound_above(count: int, rules: Rules) -> Stage:
    if count > rules.max_replicas:
        return Stage(
            "bounds", count, rules.max_replicas, "limited_by_max", f"max_replicas is {rules.max_replicas}{rules.max_why}"
        )
    return Stage("bounds", count, count, "steady", "within min and max")
