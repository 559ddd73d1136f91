"""Decisions, scalers and events for what is kept, made up."""

from typing import Any

from autoscaler.decision import Decision, Stage
from autoscaler.rules import MetricRule, MetricType, Rules
from autoscaler.sampling import Sampler
from autoscaler.scaler import Scaler

RULES = Rules(min_replicas=1, max_replicas=9, metrics=(MetricRule(MetricType.CONCURRENCY, 10.0),))


def decision(desired: int = 1, why: str = "10 requests at once", reason: str = "above_target", dry_run: bool = False) -> Decision:
    """One that goes from 1 replica to `desired`."""
    return Decision(0.0, "web", 1, 1, 1, desired, (), (Stage("recommend", 1, desired, reason, why),), dry_run)


def scaler(service: str = "web", wanted: int = 1) -> Scaler:
    """One that wants so many."""
    made = Scaler(service, RULES, Sampler(RULES))
    made.wanted = wanted
    return made


def event(number: int, message: str = "answered 200") -> dict[str, Any]:
    return {"id": number, "at": 1.0, "kind": "ready", "service": "web", "replica": "web-1", "message": message}


class Clock:
    """The wall clock and the machine's own, in a test's hands."""

    def __init__(self, wall_s: float = 1_790_000_000.0, up_s: float = 5_000.0) -> None:
        self.wall_s, self.up_s = wall_s, up_s

    def wall(self) -> float:
        return self.wall_s

    def up(self) -> float:
        return self.up_s

    def passes(self, seconds: float) -> None:
        self.wall_s += seconds
        self.up_s += seconds
