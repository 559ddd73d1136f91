"""The ratio rule of the Kubernetes HPA (v2): how many replicas a load that adds up over the replicas asks for.

ratio = mean sample of the ready replicas / target. Within the tolerance: keep. Else ceil(ratio x replicas that count). Where
something is not known, the rule leans towards keeping: a missing sample counts as exactly the target when the ratio points down
and as 0 when it points up, a replica that is not ready yet as 0 when it points up; when that turns the ratio round or brings it
inside the tolerance, keep. (`GetMetricReplicas` in kubernetes pkg/controller/podautoscaler/replica_calculator.go.)

Shares of what a replica may use (cpu, memory) add up in the same way: two replicas at 70 % are 1.4 replicas' worth.

Two things differ, since we see the whole load ourselves: what waits, and what replicas carried that have left since, is part of
the sum; and with no replica ready, what waits is divided among those on their way instead of being an error.
"""

import math
from dataclasses import dataclass
from typing import Final

from autoscaler.decision import Recommendation, amount, name_of, number
from autoscaler.rules import SIGNALS, USAGES, Behavior, MetricRule, MetricType, TargetType
from autoscaler.snapshot import Snapshot

NOT_MEASURED: Final = "no_ready_replica"
FUZZ: Final = 1e-6  # of a replica: what floating point may add to a load that fits exactly


@dataclass(frozen=True, slots=True)
class Counts:
    """The replicas, by what is known of them. unready includes those that were asked for and are not to be seen yet."""

    measured: int
    missing: int
    unready: int


def counts(snapshot: Snapshot, metric: MetricRule) -> Counts:
    """The replicas that count, sorted for one metric. What waits is the service's, so that there is nothing of it to miss in a replica."""
    key, ready = metric.key, snapshot.serving
    measured = len(ready) if metric.type is MetricType.QUEUE else sum([key in replica.samples for replica in ready])
    return Counts(measured, len(ready) - measured, max(snapshot.current, snapshot.desired) - len(ready))


def replicas_for(load: float, target: float) -> int:
    """How many replicas carry the load with none above its target."""
    return max(0, math.ceil(load / target - FUZZ))


def tolerated(ratio: float, behavior: Behavior) -> bool:
    """Whether the ratio is too close to 1 to act on. The edges are inside, as in the HPA."""
    return 1 - behavior.scale_down.tolerance - FUZZ <= ratio <= 1 + behavior.scale_up.tolerance + FUZZ


def recommend(snapshot: Snapshot, metric: MetricRule, behavior: Behavior) -> Recommendation:
    """What the stable window of one metric asks for."""
    found = counts(snapshot, metric)
    load, target = snapshot.load(metric.key).stable, metric.effective_target
    if not found.measured:
        return _unmeasured(snapshot, metric, found, load)
    ratio = load / target / found.measured
    replicas = _replicas(load, target, found, behavior, snapshot.desired)
    why = f"{_measured(snapshot, metric, load, found.measured)} against a target of {amount(metric, target)} (ratio {ratio:.2f})"
    reason = _reason(metric, ratio, replicas, snapshot.desired, behavior)
    return Recommendation(metric, load / found.measured, target, ratio, replicas, reason, why)


def _measured(snapshot: Snapshot, metric: MetricRule, load: float, ready: int) -> str:
    each = amount(metric, load / ready)
    if metric.type in USAGES and metric.target_type is not TargetType.AVERAGE_VALUE:
        return f"{name_of(metric)} is {each}, the mean of {ready} ready,"
    return f"{name_of(metric)} is {amount(metric, load)} over {ready} ready, {each} each{_behind(metric, snapshot)}"


def _behind(metric: MetricRule, snapshot: Snapshot) -> str:
    """What is left out of the load, in words."""
    if metric.type is not MetricType.CONCURRENCY or snapshot.backlog.stable < 1:
        return ""
    return f" and a backlog of {number(snapshot.backlog.stable)} that is only to be caught up with,"


def _replicas(load: float, target: float, found: Counts, behavior: Behavior, desired: int) -> int:
    ratio = load / target / found.measured
    up = ratio > 1
    counted = found.measured + found.missing + (found.unready if up else 0)
    assumed = 0.0 if up else found.missing * target
    second = (load + assumed) / target / counted
    if tolerated(second, behavior) or (second > 1) != up:
        return desired
    needed = replicas_for(load + assumed, target)
    return max(needed, desired) if up else min(needed, desired)


def _unmeasured(snapshot: Snapshot, metric: MetricRule, found: Counts, load: float) -> Recommendation:
    """No ready replica has a sample: the metric failed if there is a ready one, else only what waits can be judged."""
    name, target, desired = name_of(metric), metric.effective_target, snapshot.desired
    if found.missing:
        return Recommendation(metric, None, target, None, None, "missing_samples", f"no ready replica has a sample of {name}")
    needed = max(desired, replicas_for(load, target))
    if needed > desired:
        why = _why_to_wake(snapshot, f"{name} is already {number(load)} against a target of {number(target)}", needed)
        return Recommendation(metric, load, target, None, needed, f"{metric.type}_above_target", why)
    return Recommendation(metric, None, target, None, desired, NOT_MEASURED, "no replica is ready to be measured")


def _why_to_wake(snapshot: Snapshot, load: str, needed: int) -> str:
    """For the first replica the mean of what waited says nothing: one request that waits is enough."""
    if needed > 1:
        return f"no replica is ready and {load}"
    return f"a request {'is' if snapshot.waiting_now else 'was'} waiting and no replica is ready"


def _reason(metric: MetricRule, ratio: float, replicas: int, desired: int, behavior: Behavior) -> str:
    if replicas != desired:
        name = metric.name if metric.type in SIGNALS else metric.type
        return f"{name}_{'above' if replicas > desired else 'below'}_target"
    return "within_tolerance" if tolerated(ratio, behavior) else "steady"
