"""The HPA's ratio rule, case by case: with the target 10, what do these samples ask for?

`ready` are samples of READY replicas, None where one is missing; `starting` is how many are not ready yet; the asked count is all of
them unless `desired` says more. The cases are those of the Kubernetes documentation and of what `replica_calculator.go` does.
"""

import pytest

from autoscaler import ratio
from autoscaler.decide import decide
from autoscaler.memory import Memory
from autoscaler.rules import Behavior, MetricRule, MetricType, Rules, ScalingRules, TargetType
from autoscaler.snapshot import ReplicaSample, Sample, Snapshot
from balancer.table import ReplicaState

METRIC = MetricRule(MetricType.CONCURRENCY, 10.0)


def snapshot(ready: list[float | None], starting: int = 0, desired: int | None = None, waiting: float = 0.0) -> Snapshot:
    """Replicas with these mean samples."""
    samples = [{} if value is None else {MetricType.CONCURRENCY: Sample(value, value)} for value in ready]
    replicas = [ReplicaSample(f"r{n}", ReplicaState.READY, 60.0, each) for n, each in enumerate(samples)]
    replicas += [ReplicaSample(f"s{n}", ReplicaState.STARTING) for n in range(starting)]
    asked = len(replicas) if desired is None else desired
    return Snapshot(100.0, "shop", asked, tuple(replicas), waiting=Sample(waiting, waiting))


CASES = {
    "twice the target doubles": (snapshot([20, 20]), 4),
    "half the target halves": (snapshot([5, 5, 5, 5]), 2),
    "the result is rounded up": (snapshot([12.5, 12.5]), 3),
    "10 % above is tolerated": (snapshot([11, 11]), 2),
    "10 % below is tolerated": (snapshot([9] * 20), 20),
    "a load that fits exactly is not rounded up": (snapshot([30.000001]), 3),
    "an uneven load counts by its mean": (snapshot([60, 0, 0]), 6),
    "a missing sample is the target when the ratio points down": (snapshot([5, 5, None]), 2),
    "a missing sample that makes the ratio tolerable keeps": (snapshot([8.5, None]), 2),
    "a missing sample is 0 when the ratio points up": (snapshot([30, 30, None]), 6),
    "a missing sample that turns the ratio round keeps": (snapshot([15, None]), 2),
    "an unready replica is 0 when the ratio points up": (snapshot([30], starting=2), 3),
    "an unready replica that turns the ratio round keeps": (snapshot([15], starting=2), 3),
    "unready replicas are left out when the ratio points down": (snapshot([5, 5], starting=2), 1),
    "unready and missing ones count together": (snapshot([60, None], starting=1), 6),
    "replicas asked for and not seen yet are unready ones": (snapshot([20, 20], desired=4), 4),
    "waiting requests are part of the load": (snapshot([10, 10], waiting=20), 4),
    "with none ready, what waits is divided among those on their way": (snapshot([], starting=1, waiting=35), 4),
    "with none ready and nothing waiting the count is kept": (snapshot([], starting=3), 3),
    "nothing to do asks for nothing": (snapshot([0, 0]), 0),
}


@pytest.mark.parametrize("name", CASES)
def test_ratio(name: str) -> None:
    given, expected = CASES[name]
    assert ratio.recommend(given, METRIC, Behavior()).replicas == expected


def test_a_metric_without_any_sample_of_a_ready_replica_has_failed() -> None:
    assert ratio.recommend(snapshot([None, None]), METRIC, Behavior()).replicas is None


@pytest.mark.parametrize(("sample", "expected"), [(12.4, 4), (12.6, 6), (9.6, 4), (9.4, 4), (7.4, 3)])
def test_each_direction_has_its_own_tolerance(sample: float, expected: int) -> None:
    behavior = Behavior(ScalingRules(0, (), tolerance=0.25), ScalingRules(0, (), tolerance=0.05))
    assert ratio.recommend(snapshot([sample] * 4), METRIC, behavior).replicas == expected


def test_the_target_is_what_its_utilization_leaves() -> None:
    metric = MetricRule(MetricType.CONCURRENCY, 20.0, target_utilization=0.7)
    assert ratio.recommend(snapshot([28.0]), metric, Behavior()).replicas == 2


# cpu, with a target of 70 %: samples of READY replicas, how many are not ready, what those that left did, what is asked for.
SHARES = {
    "twice the target doubles": ([1.4, 1.4], 0, 0.0, 4),
    "two at 100 % need three": ([1.0, 1.0], 0, 0.0, 3),
    "63 % is near enough": ([0.63, 0.63], 0, 0.0, 2),
    "35 % halves": ([0.35] * 4, 0, 0.0, 2),
    "work of those that left is work of those that stay": ([0.35] * 4, 0, 1.4, 4),
    "a stale one counts as 70 % when the ratio points down": ([0.2, 0.2, None], 0, 0.0, 2),
    "a stale one that was as busy as the others changes nothing": ([0.6, None], 0, 0.0, 2),
    "a stale one counts as 0 when the ratio points up": ([1.0, None], 0, 0.0, 2),
    "one that starts counts as 0 when the ratio points up": ([1.0, 1.0], 1, 0.0, 3),
    "one that starts is left out when the ratio points down": ([0.35, 0.35], 2, 0.0, 1),
}


@pytest.mark.parametrize("name", SHARES)
def test_shares_of_what_a_replica_may_use(name: str) -> None:
    ready, starting, departed, expected = SHARES[name]
    samples = [{} if value is None else {MetricType.CPU: Sample(value, value)} for value in ready]
    replicas = [ReplicaSample(f"r{n}", ReplicaState.READY, 60.0, each) for n, each in enumerate(samples)]
    replicas += [ReplicaSample(f"s{n}", ReplicaState.STARTING) for n in range(starting)]
    left = {MetricType.CPU: Sample(departed, departed)}
    given = Snapshot(100.0, "shop", len(replicas), tuple(replicas), departed=left)
    assert ratio.recommend(given, MetricRule(MetricType.CPU, 0.7), Behavior()).replicas == expected


CORES = MetricRule(MetricType.CPU, 0.5, target_type=TargetType.AVERAGE_VALUE)
OCTETS = MetricRule(MetricType.MEMORY, 2.0**28, target_type=TargetType.AVERAGE_VALUE)


@pytest.mark.parametrize(
    ("metric", "sample", "replicas", "why"),
    [
        pytest.param(CORES, 1.0, 4, "cpu is 2 cores over 2 ready, 1 cores each against a target of 0.5 cores", id="cores"),
        pytest.param(
            OCTETS, 2.0**29, 4, "memory is 1024 MiB over 2 ready, 512 MiB each against a target of 256 MiB", id="octets"
        ),
    ],
)
def test_average_values_of_cpu_and_memory(metric: MetricRule, sample: float, replicas: int, why: str) -> None:
    ready = [ReplicaSample(f"r{n}", ReplicaState.READY, 60.0, {metric.key: Sample(sample, sample)}) for n in range(2)]
    found = ratio.recommend(Snapshot(100.0, "shop", 2, tuple(ready)), metric, Behavior())
    assert (found.replicas, found.why) == (replicas, f"{why} (ratio 2.00)")


QUEUES = {
    "what waits is the whole service's": (snapshot([0, 0], waiting=40), 4),
    "an empty queue asks for nothing": (snapshot([50, 50]), 0),
    "a queue as long as it may be is right": (snapshot([1, 1], waiting=20), 2),
    "those on their way count when it points up": (snapshot([1], starting=3, waiting=30), 4),
    "with none ready one waiting request wakes": (snapshot([], desired=0, waiting=0.1), 1),
}


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_of_ten_for_each_replica(name: str) -> None:
    given, expected = QUEUES[name]
    assert ratio.recommend(given, MetricRule(MetricType.QUEUE, 10.0), Behavior()).replicas == expected


RPS = MetricRule(MetricType.RPS, 10.0)


def test_the_largest_recommendation_wins() -> None:
    given = Snapshot(0.0, "shop", 1, (ReplicaSample("r", ReplicaState.READY, 9.0, {m.type: Sample(v, v) for m, v in LARGEST}),))
    decision, _ = decide(given, Rules(1, 9, (METRIC, RPS)), Memory())
    assert (decision.desired, decision.reason) == (4, "rps_above_target")


LARGEST = ((METRIC, 20.0), (RPS, 40.0))


@pytest.mark.parametrize(("sample", "desired", "reason"), [(20.0, 4, "concurrency_above_target"), (1.0, 2, "missing_samples")])
def test_with_a_failed_metric_the_others_scale_up_but_not_down(sample: float, desired: int, reason: str) -> None:
    quick = Behavior(scale_down=ScalingRules(0, ()))
    decision, _ = decide(snapshot([sample, sample]), Rules(1, 9, (METRIC, RPS), quick), Memory())
    assert (decision.desired, decision.reason) == (desired, reason)
