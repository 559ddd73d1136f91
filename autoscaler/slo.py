"""`slo` mode: only a latency objective is given, and the concurrency per replica that meets it is learned."""

from autoscaler.memory import Learned
from autoscaler.rules import Rules
from autoscaler.snapshot import Snapshot


def apply(rules: Rules, learned: Learned | None) -> Rules:
    """The rules with a concurrency metric more, whose target is what was learned."""
    return rules


def learn(learned: Learned | None, snapshot: Snapshot, rules: Rules) -> Learned | None:
    """What is known after this snapshot."""
    return learned
