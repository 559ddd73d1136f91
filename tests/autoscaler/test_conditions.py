"""Decisions in the HPA's words, beside what its controller says in the same place (pkg/controller/podautoscaler/horizontal.go)."""

from dataclasses import replace

import pytest

from autoscaler.conditions import Condition, Type, conditions, followed
from autoscaler.decide import decide
from autoscaler.memory import Memory
from autoscaler.rules import MetricRule, MetricType, Pause, Rules
from autoscaler.snapshot import ReplicaSample, Sample, Snapshot
from balancer.table import ReplicaState

RULES = Rules(1, 10, (MetricRule(MetricType.CONCURRENCY, 10.0),))


def snapshot(load: float, replicas: int = 3, measured: bool = True) -> Snapshot:
    samples = {"concurrency": Sample(load / replicas, load / replicas)} if measured else {}
    serving = tuple(ReplicaSample(f"r{n}", ReplicaState.READY, 1e6, samples) for n in range(replicas))
    return Snapshot(1000.0, "shop", replicas, serving)


def found(known: Snapshot, rules: Rules = RULES, memory: Memory | None = None) -> dict[Type, Condition]:
    decision, _ = decide(known, rules, memory or Memory(since_s=0.0))
    return {each.type: each for each in conditions(decision)}


@pytest.mark.parametrize(
    ("known", "rules", "which", "status", "reason"),
    [
        pytest.param(snapshot(30), RULES, Type.ABLE, True, "ReadyForNewScale", id="as many as are needed"),
        pytest.param(snapshot(60), RULES, Type.ABLE, True, "SucceededRescale", id="a change that was made"),
        pytest.param(replace(snapshot(60), full="no memory"), RULES, Type.ABLE, False, "ClusterFull", id="no place for more"),
        pytest.param(snapshot(30), RULES, Type.ACTIVE, True, "ValidMetricFound", id="a metric that tells"),
        pytest.param(snapshot(30, measured=False), RULES, Type.ACTIVE, False, "FailedGetMetrics", id="none that tells"),
        pytest.param(replace(snapshot(30), data_age_s=60.0), RULES, Type.ACTIVE, False, "FailedGetMetrics", id="no data at all"),
        pytest.param(replace(snapshot(30), override=3), RULES, Type.ACTIVE, False, "ScalingDisabled", id="held by hand"),
        pytest.param(replace(snapshot(60), pause=Pause.ALL), RULES, Type.ACTIVE, False, "ScalingDisabled", id="paused"),
        pytest.param(snapshot(30), RULES, Type.LIMITED, False, "DesiredWithinRange", id="nothing is in the way"),
        pytest.param(snapshot(60), replace(RULES, max_replicas=4), Type.LIMITED, True, "TooManyReplicas", id="the maximum"),
        pytest.param(snapshot(5), replace(RULES, min_replicas=2), Type.LIMITED, True, "TooFewReplicas", id="the minimum"),
        pytest.param(snapshot(90), RULES, Type.LIMITED, True, "ScaleUpLimit", id="the policies for going up"),
    ],
)
def test_conditions_are_the_hpas(known: Snapshot, rules: Rules, which: Type, status: bool, reason: str) -> None:
    condition = found(known, rules)[which]
    assert (condition.status, condition.reason) == (status, reason)
    assert condition.message


def test_going_down_that_waits_for_its_window_is_stabilized() -> None:
    _, memory = decide(snapshot(30), RULES, Memory())
    assert found(replace(snapshot(5), now_s=1010.0), memory=memory)[Type.ABLE].reason == "ScaleDownStabilized"


def test_a_condition_is_as_old_as_its_status() -> None:
    decision, _ = decide(snapshot(30), RULES, Memory())
    first = followed(conditions(decision), (), 5.0)
    assert [each.since_s for each in first] == [5.0, 5.0, 5.0]
    held, _ = decide(replace(snapshot(30), override=3), RULES, Memory())
    later = followed(conditions(held), first, 9.0)
    assert [each.since_s for each in later] == [5.0, 9.0, 5.0]
