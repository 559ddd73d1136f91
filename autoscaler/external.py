"""The rules for a value that is told of the whole service: those of the HPA for external metrics.

`GetExternalMetricReplicas` (target `value`) and `GetExternalPerPodMetricReplicas` (`average_value`) in kubernetes
pkg/controller/podautoscaler/replica_calculator.go:
- value: ratio = value / target. Within the tolerance: keep. Else ceil(ratio x ready replicas).
- average value: ratio = value / (target x replicas). Within the tolerance: keep. Else ceil(value / target).
- With no replica: ceil(value / target), whatever the tolerance.

Two things differ. While some replicas are on their way, `value` never asks for fewer though the ratio points up, nor for more though it
points down, and with none ready it keeps: the HPA would take back what is still starting, and then more load would give fewer replicas.
And the replicas of an average are those asked for, so that the ones on their way count.

Activation is KEDA's: with `scale_to_zero`, a value that is not above it asks for nothing, and one above it wakes a service that
sleeps (`bounds`). Signals take no part in bursts and steps: they come too seldom to tell a step from noise.
"""

from collections.abc import Iterator

from autoscaler.decision import Recommendation, name_of, number
from autoscaler.ratio import replicas_for, tolerated
from autoscaler.rules import SIGNALS, MetricRule, MetricType, Rules, TargetType
from autoscaler.snapshot import Snapshot


def concerns(metric: MetricRule, snapshot: Snapshot) -> bool:
    """Whether the metric is told of the whole service; a JSON document may also be each replica's own."""
    if metric.type is MetricType.JSON:
        return metric.key in snapshot.values or metric.key in snapshot.missing
    return metric.type in SIGNALS


def recommend(snapshot: Snapshot, metric: MetricRule, rules: Rules) -> Recommendation:
    """What the value asks for."""
    name, target, value = name_of(metric), metric.effective_target, snapshot.values.get(metric.key)
    if value is None:
        why = f"{name} is not known: {snapshot.missing.get(metric.key, 'nothing tells it')}"
        return Recommendation(metric, None, target, None, None, "missing_samples", why)
    shared = _shared(metric, snapshot)
    ratio, replicas = value / target / shared, _replicas(snapshot, metric, rules, value)
    reason = _reason(name, ratio, replicas, snapshot.desired, rules)
    why = f"{name} is {_told(value, shared)} against a target of {number(target)} (ratio {ratio:.2f})"
    if _below_activation(metric, rules, value):
        replicas, reason = 0, f"{name}_below_activation"
        why = f"{name} is {number(value)}, not above its activation of {number(metric.activation)}, so it asks for nothing"
    return Recommendation(metric, value / shared, target, ratio, replicas, reason, why)


def active(snapshot: Snapshot, rules: Rules) -> str:
    """Which signal is above its activation, in words; "" where none is."""
    for metric, value in _values(snapshot, rules):
        if value is not None and value > metric.activation:
            return f"{name_of(metric)} is {number(value)}, above its activation of {number(metric.activation)}"
    return ""


def unknown(snapshot: Snapshot, rules: Rules) -> str:
    """Which signal is not known, in words; "" where all are."""
    return next((f"{name_of(metric)} is not known" for metric, value in _values(snapshot, rules) if value is None), "")


def _values(snapshot: Snapshot, rules: Rules) -> Iterator[tuple[MetricRule, float | None]]:
    """What each signal says, the largest of what the READY replicas say where each has its own; None while any of it is missing."""
    for metric in rules.metrics:
        if metric.type not in SIGNALS:
            continue
        if concerns(metric, snapshot):
            yield metric, snapshot.values.get(metric.key)
        else:
            samples = [replica.samples.get(metric.key) for replica in snapshot.serving]
            told = [sample.stable for sample in samples if sample is not None]
            yield metric, max(told) if told and (len(told) == len(samples) or max(told) > metric.activation) else None


def _shared(metric: MetricRule, snapshot: Snapshot) -> int:
    """By how many the value is divided before it is compared with the target."""
    return 1 if metric.target_type is TargetType.VALUE else max(1, snapshot.desired)


def _replicas(snapshot: Snapshot, metric: MetricRule, rules: Rules, value: float) -> int:
    desired, target = snapshot.desired, metric.effective_target
    if desired and tolerated(value / target / _shared(metric, snapshot), rules.behavior):
        return desired
    if not desired or metric.target_type is not TargetType.VALUE:
        return replicas_for(value, target)
    if not snapshot.ready:
        return desired
    needed = replicas_for(value * snapshot.ready, target)
    return max(needed, desired) if value > target else min(needed, desired)


def _below_activation(metric: MetricRule, rules: Rules, value: float) -> bool:
    return rules.min_replicas == 0 and rules.scale_to_zero is not None and value <= metric.activation


def _told(value: float, shared: int) -> str:
    return number(value) if shared == 1 else f"{number(value)} over {shared} replicas, {number(value / shared)} each"


def _reason(name: str, ratio: float, replicas: int, desired: int, rules: Rules) -> str:
    if replicas != desired:
        return f"{name}_{'above' if replicas > desired else 'below'}_target"
    return "within_tolerance" if tolerated(ratio, rules.behavior) else "steady"
