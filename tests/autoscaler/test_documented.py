"""What the documentation of the Kubernetes HPA, Knative and KEDA says that they do, as stories: each with the place that says so.

The numbers are theirs where they give any. Where Écluse differs on purpose, the story's claim says how.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from autoscaler.decide import decide
from autoscaler.memory import Mark, Memory
from autoscaler.rules import (
    Behavior,
    Burst,
    ErrorGuard,
    MetricRule,
    MetricType,
    Pause,
    PolicyType,
    Rules,
    ScaleToZero,
    ScalingPolicy,
    ScalingRules,
    SelectPolicy,
    TargetType,
)
from autoscaler.snapshot import ReplicaSample, Sample, Snapshot
from balancer.table import ReplicaState
from tests.autoscaler.world import World, play, scale_down_after

ALGORITHM = "Kubernetes docs, Horizontal Pod Autoscaling, Algorithm details"
BEHAVIOR = "Kubernetes docs, Horizontal Pod Autoscaling, Configurable scaling behavior"
CALCULATOR = "kubernetes pkg/controller/podautoscaler/replica_calculator_test.go"
CONTROLLER = "kubernetes pkg/controller/podautoscaler/horizontal.go"
KNATIVE_WINDOWS = "Knative docs, Additional autoscaling configuration for Knative Pod Autoscaler"
KNATIVE_TARGETS = "Knative docs, Configuring concurrency"
KNATIVE_BOUNDS = "Knative docs, Configuring scale bounds"
KNATIVE_ZERO = "Knative docs, Configuring scale to zero"
KNATIVE_SCALER = "knative.dev/serving pkg/autoscaler/scaling/autoscaler.go"
KEDA_SCALING = "KEDA docs, Scaling Deployments, Activating and scaling thresholds"
KEDA_FALLBACK = "KEDA docs, ScaledObject specification, fallback"
KEDA_PAUSE = "KEDA docs, Scaling Deployments, Pause autoscaling"

NOW = Behavior(scale_down=ScalingRules(0.0, (ScalingPolicy(PolicyType.PERCENT, 100, 15.0),)))
CPU, CONCURRENCY, SIGNAL = MetricType.CPU, MetricType.CONCURRENCY, MetricType.EXTERNAL


@dataclass(frozen=True)
class Moment:
    """One decision. ready: the samples of the READY replicas by metric, None is missing. unready: so many more have no sample yet.
    seen: how many replicas earlier changes added (below 0: removed) within the last second."""

    source: str
    rules: Rules
    expected: int
    ready: Sequence[float | None] = ()
    metric: str = "cpu"
    unready: int = 0
    desired: int | None = None
    more: Sequence[tuple[str, float]] = ()
    values: Sequence[tuple[str, float]] = ()
    missing: Sequence[str] = ()
    seen: int = 0
    pause: Pause = Pause.NONE
    wanted: Sequence[int] = ()  # recommendations of the last second

    def snapshot(self) -> Snapshot:
        found = [
            ReplicaSample(
                f"r{number}",
                ReplicaState.READY,
                300.0,
                {name: Sample(value, value) for name, value in ((self.metric, sample), *self.more) if value is not None},
            )
            for number, sample in enumerate(self.ready)
        ]
        coming = [ReplicaSample(f"u{number}", ReplicaState.STARTING, 3.0) for number in range(self.unready)]
        desired = len(self.ready) + self.unready if self.desired is None else self.desired
        why = dict.fromkeys(self.missing, "it does not answer")
        return Snapshot(
            100.0, "shop", desired, (*found, *coming), values=dict(self.values), missing=why, pause=self.pause, idle_s=0.0
        )

    def decide(self) -> int:
        marks = tuple(Mark(99.0, count) for count in self.wanted)
        memory = Memory(since_s=0.0, changes=(Mark(99.0, self.seen),) if self.seen else (), highs=marks, lows=marks)
        return decide(self.snapshot(), self.rules, memory)[0].desired


def cpu(target: float, behavior: Behavior = NOW, **more: object) -> Rules:
    return replace(Rules(1, 100, (MetricRule(CPU, target),), behavior, burst=None), **more)  # type: ignore[arg-type]  # by name


def pods(target: float, **more: object) -> Rules:
    """As the HPA's metric of type Pods: a mean over the replicas."""
    return replace(cpu(1.0), metrics=(MetricRule(CONCURRENCY, target),), **more)  # type: ignore[arg-type]  # by name


def external(target: float, kind: TargetType, **more: object) -> Rules:
    rule = MetricRule(SIGNAL, target, target_type=kind, name="queue")
    return replace(cpu(1.0), metrics=(rule,), **more)  # type: ignore[arg-type]  # by name


def scaling(
    *policies: ScalingPolicy, up: bool = False, select: SelectPolicy = SelectPolicy.MAX, window_s: float = 0.0
) -> Behavior:
    one = ScalingRules(window_s, policies, select)
    return Behavior(scale_up=one, scale_down=NOW.scale_down) if up else Behavior(scale_down=one)


TWO = cpu(0.5, metrics=(MetricRule(CPU, 0.5), MetricRule(CONCURRENCY, 10.0)))
FOUR_OR_TENTH = scaling(ScalingPolicy(PolicyType.REPLICAS, 4, 60.0), ScalingPolicy(PolicyType.PERCENT, 10, 60.0))
LEAST = scaling(ScalingPolicy(PolicyType.REPLICAS, 4, 60.0), ScalingPolicy(PolicyType.PERCENT, 10, 60.0), select=SelectPolicy.MIN)
NEVER_DOWN = scaling(ScalingPolicy(PolicyType.PERCENT, 100, 15.0), select=SelectPolicy.DISABLED)
NEVER_UP = scaling(ScalingPolicy(PolicyType.PERCENT, 100, 15.0), up=True, select=SelectPolicy.DISABLED)
HALF, EACH = TargetType.VALUE, TargetType.AVERAGE_VALUE

HPA = {
    "a metric of twice its target doubles the replicas": Moment(ALGORITHM, pods(100.0), 2, [200.0], CONCURRENCY),
    "a metric of half its target halves them": Moment(ALGORITHM, pods(100.0), 1, [50.0, 50.0], CONCURRENCY),
    "what is needed is rounded up": Moment(ALGORITHM, pods(100.0), 4, [110.0, 111.0, 112.0], CONCURRENCY),
    "a ratio within 0.1 of 1 changes nothing upwards": Moment(ALGORITHM, pods(100.0), 2, [109.0, 110.0], CONCURRENCY),
    "nor downwards": Moment(ALGORITHM, pods(100.0), 3, [91.0, 90.0, 92.0], CONCURRENCY),
    "a missing sample counts as the target on the way down": Moment(
        ALGORITHM, pods(100.0), 3, [40.0, 50.0, None, None], CONCURRENCY
    ),
    "and as nothing on the way up": Moment(ALGORITHM, pods(100.0), 4, [200.0, 200.0, None], CONCURRENCY),
    "where that turns the direction round, nothing changes": Moment(ALGORITHM, pods(100.0), 3, [150.0, None, None], CONCURRENCY),
    "one that is not ready counts as nothing on the way up": Moment(ALGORITHM, pods(100.0), 4, [200.0, 200.0], CONCURRENCY, 1),
    "of several metrics the one that asks for the most counts": Moment(ALGORITHM, TWO, 4, [0.5, 0.5], more=[(CONCURRENCY, 20.0)]),
    "with one that cannot be had the others may scale up": Moment(ALGORITHM, TWO, 4, [1.0, 1.0], missing=["concurrency"]),
    "but not down": Moment(ALGORITHM, TWO, 2, [0.1, 0.1], missing=["concurrency"]),
    "without any metric to be had nothing changes": Moment(ALGORITHM, cpu(0.5), 2, [None, None]),
    "3 at 30, 50 and 70 % with a target of 30 %: 5": Moment(CALCULATOR, cpu(0.3), 5, [0.3, 0.5, 0.7]),
    "the same with the first unready: 4": Moment(CALCULATOR, cpu(0.3), 4, [0.5, 0.7], unready=1),
    "40 % ready, two unready, a target of 40 %: 3": Moment(CALCULATOR, cpu(0.4), 3, [0.4], unready=2),
    "20, 10 and 30 with a target of 15: 4": Moment(CALCULATOR, pods(15.0), 4, [20.0, 10.0, 30.0], CONCURRENCY),
    "20, 10 with one unready and a target of 15: 3": Moment(CALCULATOR, pods(15.0), 3, [20.0, 10.0], CONCURRENCY, 1),
    "5 at 28 % with a target of 50 %: 3": Moment(CALCULATOR, cpu(0.5), 3, [0.1, 0.3, 0.5, 0.25, 0.25]),
    "5 at 12 with a target of 20: 3": Moment(CALCULATOR, pods(20.0), 3, [12.0] * 5, CONCURRENCY),
    "3 ready at 30 %, two unready, a target of 50 %: 2": Moment(CALCULATOR, cpu(0.5), 2, [0.1, 0.3, 0.5], unready=2),
    "101, 103 and 104 % of the target: 3": Moment(CALCULATOR, cpu(1.0), 3, [1.01, 1.03, 1.04]),
    "20, 21 and 21 with a target of 20: 3": Moment(CALCULATOR, pods(20.0), 3, [20.0, 21.0, 21.0], CONCURRENCY),
    "a value of 20 with a target of 15, 3 replicas: 4": Moment(
        CALCULATOR, external(15.0, HALF), 4, [0.0] * 3, values=[("queue", 20.0)]
    ),
    "a value of 12 with a target of 20, 5 replicas: 3": Moment(
        CALCULATOR, external(20.0, HALF), 3, [0.0] * 5, values=[("queue", 12.0)]
    ),
    "8600 in all with 2150 for each, 3 replicas: 4": Moment(
        CALCULATOR, external(2150.0, EACH), 4, [0.0] * 3, values=[("queue", 8600.0)]
    ),
    "8600 in all with 2867 for each, 5 replicas: 3": Moment(
        CALCULATOR, external(2867.0, EACH), 3, [0.0] * 5, values=[("queue", 8600.0)]
    ),
    "never fewer than the minimum": Moment(ALGORITHM, cpu(0.5, min_replicas=3), 3, [0.0] * 4),
    "never more than the maximum": Moment(ALGORITHM, cpu(0.5, max_replicas=3), 3, [2.0] * 2),
    "a tolerance of its own for each direction": Moment(
        BEHAVIOR,
        pods(100.0, behavior=Behavior(replace(NOW.scale_up, tolerance=0.0), NOW.scale_down)),
        4,
        [105.0] * 3,
        CONCURRENCY,
    ),
    "the other direction keeps its 10 %": Moment(
        BEHAVIOR, pods(100.0, behavior=Behavior(replace(NOW.scale_up, tolerance=0.0), NOW.scale_down)), 3, [95.0] * 3, CONCURRENCY
    ),
    "by default up by 4 within 15 s": Moment(BEHAVIOR, cpu(0.1), 6, [1.0] * 2),
    "or twice as many, where that is more": Moment(BEHAVIOR, cpu(0.1), 20, [1.0] * 10),
    "what was added within the period counts against it": Moment(BEHAVIOR, cpu(0.1), 20, [1.0] * 10, unready=6, seen=6),
    "80 replicas lose 10 %, 8, at once": Moment(BEHAVIOR, cpu(0.5, FOUR_OR_TENTH), 72, [0.01] * 80),
    "72 replicas lose 7.2, rounded up to 8": Moment(BEHAVIOR, cpu(0.5, FOUR_OR_TENTH), 64, [0.01] * 72),
    "below 40 replicas 4 go at a time": Moment(BEHAVIOR, cpu(0.5, FOUR_OR_TENTH), 26, [0.01] * 30),
    "with Min the smaller change counts": Moment(BEHAVIOR, cpu(0.5, LEAST), 76, [0.01] * 80),
    "with Disabled nothing goes down": Moment(BEHAVIOR, cpu(0.5, NEVER_DOWN), 80, [0.01] * 80),
    "with Disabled nothing goes up": Moment(BEHAVIOR, cpu(0.5, NEVER_UP), 2, [5.0] * 2),
    "a window downwards takes the largest of its recommendations": Moment(
        BEHAVIOR, cpu(0.5, scaling(*NOW.scale_down.policies, window_s=60.0)), 4, [0.1] * 5, wanted=[4, 2]
    ),
    "a window upwards takes the smallest": Moment(
        BEHAVIOR, cpu(0.5, scaling(*NOW.scale_up.policies, up=True, window_s=60.0)), 4, [1.0] * 3, wanted=[4, 6]
    ),
    "the count it has is the first recommendation, so a restart removes nothing": Moment(
        CONTROLLER, cpu(0.5, Behavior()), 4, [0.0] * 4, wanted=[4]
    ),
    "differs: with no replica ready, what waits is divided among those on the way": Moment(
        ALGORITHM, pods(10.0), 2, [], CONCURRENCY, 2
    ),
    "differs: nothing goes down while requests fail": Moment(ALGORITHM, cpu(0.5, error_guard=ErrorGuard()), 2, [0.5] * 2),
}


@pytest.mark.parametrize("claim", HPA)
def test_hpa(claim: str) -> None:
    assert HPA[claim].decide() == HPA[claim].expected, HPA[claim].source


@dataclass(frozen=True)
class Story:
    """Load over time: `expected` by second."""

    source: str
    rules: Rules
    story: str
    expected: dict[int, int]
    replicas: int = 1
    start_s: float = 1.0


def knative(target: float = 10.0, utilization: float = 1.0, down_rate: int = 50, **more: object) -> Rules:
    """Neither stabilization nor tolerance; a hundredfold at once upwards, downwards at most half in each period of two seconds."""
    up = ScalingRules(0.0, (ScalingPolicy(PolicyType.PERCENT, 10_000, 2.0),), tolerance=0.0)
    down = ScalingRules(0.0, (ScalingPolicy(PolicyType.PERCENT, down_rate, 2.0),), tolerance=0.0)
    rules = Rules(1, 100, (MetricRule(CONCURRENCY, target, utilization),), Behavior(up, down), burst=Burst(6.0, 2.0))
    return replace(rules, **more)  # type: ignore[arg-type]  # by name


ZERO = knative(min_replicas=0, scale_to_zero=ScaleToZero(30.0))

KNATIVE = {
    "a replica is meant to carry 70 % of its target": Story(KNATIVE_TARGETS, knative(10, 0.7), "28 for 70", {70: 4}),
    "with a utilization of 100 % all of it": Story(KNATIVE_TARGETS, knative(10), "28 for 70", {70: 3}),
    "what is needed is rounded up": Story(KNATIVE_SCALER, knative(10), "31 for 70", {70: 4}),
    "the mean of a minute decides while it is calm": Story(
        KNATIVE_WINDOWS, knative(burst=None), "20 for 60, 28 for 60", {60: 2, 63: 3, 120: 3}, 2
    ),
    "twice the load within six seconds is panic": Story(KNATIVE_WINDOWS, knative(), "10 for 60, 40 for 8", {60: 1, 68: 4}),
    "less than that is not": Story(KNATIVE_WINDOWS, knative(), "40 for 60, 44 for 8", {60: 4, 62: 5}, 4),
    "in panic nothing is scaled down": Story(
        KNATIVE_WINDOWS, knative(), "10 for 60, 60 for 20, 5 for 50", {80: 6, 100: 6, 118: 6}
    ),
    "panic ends when a stable window has passed without it": Story(
        KNATIVE_WINDOWS, knative(), "10 for 60, 60 for 20, 5 for 90", {80: 6, 165: 1}
    ),
    "in panic the count may rise again": Story(KNATIVE_SCALER, knative(), "10 for 60, 30 for 10, 90 for 10", {70: 3, 80: 9}),
    "at most half go at a time": Story(KNATIVE_WINDOWS, knative(burst=None), "80 for 60, 0.1 for 90", {60: 8, 140: 1}, 8),
    "a scale-down delay keeps what was needed": Story(
        KNATIVE_BOUNDS, knative(behavior=scale_down_after(120.0), burst=None), "40 for 60, 5 for 100", {60: 4, 150: 4}, 4
    ),
    "never fewer than min-scale": Story(KNATIVE_BOUNDS, knative(min_replicas=2), "0.5 for 200", {200: 2}, 4),
    "never more than max-scale": Story(KNATIVE_BOUNDS, knative(max_replicas=3), "10 for 60, 90 for 20", {80: 3}),
    "without requests the last one goes": Story(KNATIVE_ZERO, ZERO, "10 for 10, 0 for 130", {10: 1, 130: 0}),
    "not before the time for it has passed": Story(KNATIVE_ZERO, ZERO, "10 for 10, 0 for 25", {35: 1}),
    "the first request wakes the first replica": Story(KNATIVE_ZERO, ZERO, "1 for 3", {2: 1}, 0),
    "requests that wait while it starts are load": Story(
        KNATIVE_SCALER, replace(ZERO, count_backlog=True), "40 for 12", {12: 4}, 0, 20.0
    ),
    "differs: panic is told from the load itself, so one replica just above its target is calm": Story(
        KNATIVE_SCALER, knative(behavior=NOW), "10 for 60, 10.9 for 8", {60: 1, 68: 1}
    ),
    "differs: a doubling of a steady load is a step, and needs no six seconds": Story(
        KNATIVE_WINDOWS, knative(), "40 for 60, 80 for 4", {62: 8}, 4
    ),
}


@pytest.mark.parametrize("claim", KNATIVE)
def test_knative(claim: str) -> None:
    told = KNATIVE[claim]
    counts = play(told.story, World(told.rules, told.replicas, told.start_s))
    assert {second: counts[second] for second in told.expected} == told.expected, told.source


def keda(activation: float = 0.0, **more: object) -> Rules:
    rule = MetricRule(SIGNAL, 10.0, target_type=EACH, name="queue", activation=activation)
    return replace(Rules(0, 100, (rule,), NOW, burst=None, scale_to_zero=ScaleToZero(5.0)), **more)  # type: ignore[arg-type]  # by name


ONE = [0.0]
KEDA = {
    "a value above the activation threshold starts the first replica": Moment(
        KEDA_SCALING, keda(5.0), 1, desired=0, values=[("queue", 6.0)]
    ),
    "one that is just the threshold does not": Moment(KEDA_SCALING, keda(5.0), 0, desired=0, values=[("queue", 5.0)]),
    "from then on the target decides": Moment(KEDA_SCALING, keda(5.0), 4, ONE, values=[("queue", 40.0)]),
    "without a threshold anything above 0 is activity": Moment(KEDA_SCALING, keda(), 1, desired=0, values=[("queue", 0.5)]),
    "while it is above the threshold the last one stays": Moment(KEDA_SCALING, keda(5.0), 1, ONE, values=[("queue", 6.0)]),
    "paused, nothing changes": Moment(KEDA_PAUSE, keda(), 1, ONE, values=[("queue", 90.0)], pause=Pause.ALL),
    "paused scale-in lets it rise": Moment(KEDA_PAUSE, keda(), 5, ONE, values=[("queue", 50.0)], pause=Pause.DOWN),
    "paused scale-in keeps what there is": Moment(KEDA_PAUSE, keda(), 3, ONE * 3, values=[("queue", 1.0)], pause=Pause.DOWN),
    "a scaler that fails holds the count": Moment(KEDA_FALLBACK, keda(), 3, ONE * 3, missing=["queue"]),
    "a signal that is not known never ends at 0": Moment(KEDA_SCALING, keda(), 1, ONE, missing=["queue"]),
}


@pytest.mark.parametrize("claim", KEDA)
def test_keda(claim: str) -> None:
    assert KEDA[claim].decide() == KEDA[claim].expected, KEDA[claim].source


def test_keda_goes_to_its_fallback_when_there_is_no_data_for_long() -> None:
    rules = keda(fallback_after_s=30.0, fallback_replicas=6)
    memory = Memory(since_s=0.0, blind_since_s=60.0)
    blind = replace(Moment(KEDA_FALLBACK, rules, 6, ONE).snapshot(), data_age_s=40.0)
    assert decide(blind, rules, memory)[0].desired == 5  # the policies let four come at once
