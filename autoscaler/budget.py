"""What all services share: how many replicas a budget leaves to each, by priority, with guaranteed minimums. Pure."""

from autoscaler.decision import Stage
from autoscaler.snapshot import Snapshot


def within(count: int, snapshot: Snapshot) -> Stage:
    """The count, no higher than what the budget leaves."""
    return Stage("budget", count, count, "steady", "no budget is shared")
