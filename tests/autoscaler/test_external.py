"""Values told of the whole service, case by case: what they ask for with the target 10, as in the HPA's `replica_calculator.go`.

Each case: the value, READY replicas, the count asked for, what is asked for then.
"""

from dataclasses import replace

import pytest

from autoscaler import external, signalled
from autoscaler.decide import decide
from autoscaler.decision import Recommendation
from autoscaler.memory import Memory
from autoscaler.rules import Behavior, MetricRule, MetricType, Rules, ScaleToZero, ScalingRules, TargetType
from autoscaler.snapshot import ReplicaSample, Sample, Snapshot
from balancer.table import ReplicaState
from probes.signals.source import Reading

AVERAGE = MetricRule(MetricType.PROMETHEUS, 10.0, name="jobs")
VALUE = replace(AVERAGE, target_type=TargetType.VALUE)
TO_ZERO = Rules(0, 9, (replace(AVERAGE, activation=5.0),), scale_to_zero=ScaleToZero(60.0))
IMPATIENT = Behavior(scale_down=ScalingRules(0, ()))


def snapshot(value: float | None, ready: int, desired: int, why: str = "", **more: object) -> Snapshot:
    replicas = [ReplicaSample(f"r{n}", ReplicaState.READY, 60.0) for n in range(ready)]
    replicas += [ReplicaSample(f"s{n}", ReplicaState.STARTING) for n in range(desired - ready)]
    given = Snapshot(100.0, "shop", desired, tuple(replicas), **more)  # type: ignore[arg-type]
    return signalled.add(given, {"jobs": {signalled.SERVICE: Reading(value, 1.0, why)}})


def asked(metric: MetricRule, value: float, ready: int, desired: int, behavior: Behavior | None = None) -> Recommendation:
    return external.recommend(snapshot(value, ready, desired), metric, Rules(0, 99, (metric,), behavior or Behavior()))


AVERAGES = {
    "what each is to carry divides it": (60, 4, 4, 6),
    "the result is rounded up": (41, 2, 2, 5),
    "10 % above is tolerated": (44, 4, 4, 4),
    "10 % below is tolerated": (36, 4, 4, 4),
    "just beyond the tolerance is not": (45, 4, 4, 5),
    "less asks for fewer": (20, 4, 4, 2),
    "nothing asks for none": (0, 4, 4, 0),
    "replicas on their way count": (40, 1, 4, 4),
    "with none, it asks for all that it needs": (35, 0, 0, 4),
    "with none, the tolerance says nothing": (1, 0, 0, 1),
    "a value below nothing asks for none": (-5, 2, 2, 0),
}
VALUES = {
    "twice the target doubles the ready ones": (20, 3, 3, 6),
    "half the target halves them": (5, 4, 4, 2),
    "the result is rounded up": (15, 3, 3, 5),
    "10 % above is tolerated": (11, 4, 4, 4),
    "10 % below is tolerated": (9, 4, 4, 4),
    "with none, it asks for the ratio": (25, 0, 0, 3),
    "those on their way are not taken back while it points up": (15, 2, 4, 4),
    "with none ready the count is kept": (5, 0, 4, 4),
}


@pytest.mark.parametrize("name", AVERAGES)
def test_an_average_value(name: str) -> None:
    value, ready, desired, expected = AVERAGES[name]
    assert asked(AVERAGE, value, ready, desired).replicas == expected


@pytest.mark.parametrize("name", VALUES)
def test_a_value(name: str) -> None:
    value, ready, desired, expected = VALUES[name]
    assert asked(VALUE, value, ready, desired).replicas == expected


@pytest.mark.parametrize("metric", [AVERAGE, VALUE], ids=["average_value", "value"])
@pytest.mark.parametrize(("share", "changes"), [(1.24, False), (1.26, True), (0.96, False), (0.94, True)])
def test_each_direction_has_its_own_tolerance(metric: MetricRule, share: float, changes: bool) -> None:
    behavior = Behavior(ScalingRules(0, (), tolerance=0.25), ScalingRules(0, (), tolerance=0.05))
    whole = 10.0 * share * (1 if metric is VALUE else 20)
    assert (asked(metric, whole, 20, 20, behavior).replicas != 20) is changes


@pytest.mark.parametrize("metric", [AVERAGE, VALUE], ids=["average_value", "value"])
@pytest.mark.parametrize(("ready", "desired"), [(0, 0), (0, 3), (1, 4), (4, 4)])
def test_more_never_asks_for_fewer(metric: MetricRule, ready: int, desired: int) -> None:
    counts = [asked(metric, value, ready, desired).replicas or 0 for value in range(0, 120)]
    assert counts == sorted(counts)


def test_reasons_name_the_metric() -> None:
    above, below = asked(AVERAGE, 60, 4, 4), asked(AVERAGE, 20, 4, 4)
    assert (above.reason, below.reason) == ("jobs_above_target", "jobs_below_target")
    assert above.why == "jobs is 60 over 4 replicas, 15 each against a target of 10 (ratio 1.50)"


def test_one_that_is_missing_says_why_and_lets_nothing_go_down() -> None:
    rules = Rules(1, 9, (AVERAGE, MetricRule(MetricType.CONCURRENCY, 10.0)), IMPATIENT)
    given = snapshot(None, 4, 4, why="nothing listens on prometheus:9090")
    idle = tuple(each._replace(samples={"concurrency": Sample()}) for each in given.replicas)
    decision, _ = decide(replace(given, replicas=idle), rules, Memory())
    assert (decision.desired, decision.reason) == (4, "missing_samples")
    assert decision.recommended[0].why == "jobs is not known: nothing listens on prometheus:9090"


# What the signal says, the count asked for, seconds without a request, what is decided, why. Activation is at 5.
NEAR_ZERO = {
    "above its activation it wakes": (31.0, 0, 900.0, 4, "jobs_above_target"),
    "at its activation the service sleeps on": (5.0, 0, 900.0, 0, "idle"),
    "above its activation the last replica stays": (6.0, 1, 900.0, 1, "steady"),
    "at its activation the service goes to sleep": (5.0, 1, 900.0, 0, "idle"),
    "not before it has been idle for long enough": (0.0, 1, 30.0, 1, "limited_by_min"),
    "while it is not known the last replica stays": (None, 1, 900.0, 1, "missing_samples"),
    "while it is not known the service sleeps on": (None, 0, 900.0, 0, "idle"),
}


@pytest.mark.parametrize("name", NEAR_ZERO)
def test_near_zero(name: str) -> None:
    value, desired, idle_s, expected, reason = NEAR_ZERO[name]
    rules = replace(TO_ZERO, behavior=IMPATIENT)
    decision, _ = decide(snapshot(value, desired, desired, idle_s=idle_s), rules, Memory())
    assert decision.desired == expected
    assert reason in {decision.reason, *(each.reason for each in decision.recommended), *(s.reason for s in decision.stages)}


def each_its_own(*values: float | None) -> Snapshot:
    """READY replicas that each tell a value of their own."""
    replicas = tuple(ReplicaSample(f"r{n}", ReplicaState.READY, 60.0) for n in range(len(values)))
    given = Snapshot(100.0, "shop", len(values), replicas)
    return signalled.add(given, {"depth": {f"r{n}": Reading(value, 1.0, "answered 500") for n, value in enumerate(values)}})


@pytest.mark.parametrize(
    ("values", "expected", "reason"),
    [
        pytest.param((20.0, 20.0), 4, "depth_above_target", id="their mean is held against the target"),
        pytest.param((30.0, None), 3, "depth_above_target", id="one that says nothing counts as 0 when the ratio points up"),
        pytest.param((5.0, 5.0, None), 2, "depth_below_target", id="and as the target when it points down"),
        pytest.param((None, None), 2, "missing_samples", id="when none says anything the metric is missing"),
    ],
)
def test_values_of_each_replica_go_by_the_ratio_rule(values: tuple[float | None, ...], expected: int, reason: str) -> None:
    rules = Rules(1, 9, (MetricRule(MetricType.JSON, 10.0, name="depth"),), IMPATIENT)
    decision, _ = decide(each_its_own(*values), rules, Memory())
    assert (decision.desired, decision.recommended[0].reason) == (expected, reason)
