"""What is held by hand or by the rules: nothing goes down, or nothing changes."""

from autoscaler.decision import Stage
from autoscaler.rules import Rules
from autoscaler.snapshot import Snapshot


def pause(count: int, snapshot: Snapshot, rules: Rules) -> Stage:
    """The count as far as it may change."""
    return Stage("pause", count, count, "steady", "nothing is paused")
