"""A decision in the HPA's words: AbleToScale, ScalingActive and ScalingLimited, each true or not, with a reason and a message.

The words are those of `horizontal.go` in kubernetes pkg/controller/podautoscaler, so that whoever watches HPAs can watch this with the same
eyes; what the HPA does not know (a pause, a cluster that is full) has a word of its own in the same form. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from autoscaler.decision import Decision, Stage, name_of


class Type(StrEnum):
    """Whether the count can be changed now; whether there is something to decide on; whether a bound is in the way."""

    ABLE = "AbleToScale"
    ACTIVE = "ScalingActive"
    LIMITED = "ScalingLimited"


@dataclass(frozen=True, slots=True)
class Condition:
    """since_s: when it became so, by the clock of whoever keeps it; reason: a token; message: for people."""

    type: Type
    status: bool
    reason: str
    message: str
    since_s: float = 0.0


DISABLING: Final = ("override", "paused")
BLIND: Final = {"no_data", "fallback", "missing_samples"}
LIMITS: Final = {
    "limited_by_budget": "BudgetExhausted",  # ours: the HPA knows of none
    "limited_by_min": "TooFewReplicas",
    "limited_by_max": "TooManyReplicas",
}


def conditions(decision: Decision) -> tuple[Condition, Condition, Condition]:
    """The three of them, in the HPA's order."""
    return _able(decision), _active(decision), _limited(decision)


def followed(now: tuple[Condition, ...], before: tuple[Condition, ...], now_s: float) -> tuple[Condition, ...]:
    """The conditions of now, each with the moment since which its status has been so."""
    since = {each.type: (each.status, each.since_s) for each in before}
    return tuple(
        Condition(
            each.type,
            each.status,
            each.reason,
            each.message,
            since[each.type][1] if since.get(each.type, (None, 0.0))[0] is each.status else now_s,
        )
        for each in now
    )


def _able(decision: Decision) -> Condition:
    stages = {stage.name: stage for stage in decision.stages}
    full = stages.get("placement")
    if full and full.after != full.before:
        return Condition(Type.ABLE, False, "ClusterFull", full.why)
    if decision.desired != decision.previous and not decision.dry_run:
        return Condition(Type.ABLE, True, "SucceededRescale", f"the count was changed to {decision.desired}")
    stabilized = stages.get("stabilize")
    if stabilized and stabilized.reason == "stabilized":
        which = "ScaleDownStabilized" if stabilized.after > stabilized.before else "ScaleUpStabilized"
        return Condition(Type.ABLE, True, which, stabilized.why)
    return Condition(Type.ABLE, True, "ReadyForNewScale", "the recommended count is the present one")


def _active(decision: Decision) -> Condition:
    held = next((stage for stage in decision.stages if stage.reason in DISABLING), None)
    if held:
        return Condition(Type.ACTIVE, False, "ScalingDisabled", held.why)
    failed = [each for each in decision.recommended if each.replicas is None]
    valid = [each for each in decision.recommended if each.replicas is not None]
    if failed and not valid:
        return Condition(Type.ACTIVE, False, "FailedGetMetrics", failed[0].why)
    if decision.stages[0].reason in BLIND:
        return Condition(Type.ACTIVE, False, "FailedGetMetrics", decision.stages[0].why)
    chosen = max(valid, key=lambda each: each.replicas or 0, default=None)
    what = f"a replica count could be calculated from {name_of(chosen.metric)}" if chosen else "no metric is set"
    return Condition(Type.ACTIVE, True, "ValidMetricFound", what)


def _limited(decision: Decision) -> Condition:
    stages = {stage.reason: stage for stage in decision.stages}
    for reason, word in LIMITS.items():
        if reason in stages:
            return _is_limited(word, stages[reason])
    if "limited_by_policy" in stages:
        stage = stages["limited_by_policy"]
        return _is_limited("ScaleUpLimit" if stage.after < stage.before else "ScaleDownLimit", stage)
    return Condition(Type.LIMITED, False, "DesiredWithinRange", "the desired count is within the acceptable range")


def _is_limited(reason: str, stage: Stage) -> Condition:
    return Condition(Type.LIMITED, True, reason, stage.why)
