"""What holds for any service: bounds, determinism, more load never fewer replicas, a restart that changes nothing."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.decide import decide
from autoscaler.memory import Memory
from autoscaler.portable import from_json, shifted, to_json
from autoscaler.rules import (
    Behavior,
    Headroom,
    MetricRule,
    MetricType,
    PolicyType,
    Rules,
    ScaleToZero,
    ScalingPolicy,
    ScalingRules,
    Schedule,
    SelectPolicy,
)
from autoscaler.snapshot import Look, ReplicaSample, Sample, Snapshot
from balancer.table import ReplicaState
from tests.autoscaler.world import World, concurrency, scale_down_after

LOADS = st.floats(0, 200, allow_nan=False)
SAMPLES = st.builds(Sample, LOADS, LOADS)
METRICS = [MetricType.CONCURRENCY, MetricType.RPS, MetricType.CPU, MetricType.MEMORY]
POLICIES = st.builds(ScalingPolicy, st.sampled_from(PolicyType), st.integers(1, 200), st.floats(1, 100))
DIRECTIONS = st.builds(
    ScalingRules,
    st.sampled_from([0.0, 3.0, 30.0]),
    st.lists(POLICIES, max_size=3).map(tuple),
    st.sampled_from(SelectPolicy),
    st.floats(0, 0.5),
)
TARGETS = {
    MetricType.CONCURRENCY: 10.0,
    MetricType.RPS: 50.0,
    MetricType.LATENCY: 0.2,
    MetricType.CPU: 0.7,
    MetricType.MEMORY: 0.8,
}
RULES = st.builds(
    Rules,
    st.integers(0, 3),
    st.integers(3, 40),
    st.lists(st.sampled_from(list(TARGETS)), unique=True).map(
        lambda types: tuple(MetricRule(each, TARGETS[each]) for each in types)
    ),
    st.builds(Behavior, DIRECTIONS, DIRECTIONS),
    headroom=st.sampled_from([None, Headroom(1.0, 60.0)]),
    scale_to_zero=st.sampled_from([None, ScaleToZero(5.0)]),
    fallback_after_s=st.just(10.0),
    fallback_replicas=st.sampled_from([None, 0, 5]),
    dry_run=st.booleans(),
)
REPLICAS = st.builds(
    ReplicaSample, st.just("r"), st.sampled_from(ReplicaState), st.just(9.0), st.dictionaries(st.sampled_from(METRICS), SAMPLES)
)
SNAPSHOTS = st.builds(
    Snapshot,
    now_s=st.just(0.0),
    service=st.just("shop"),
    desired=st.integers(0, 40),
    replicas=st.lists(REPLICAS, max_size=6).map(tuple),
    waiting=SAMPLES,
    waiting_now=st.integers(0, 50),
    departed=st.dictionaries(st.sampled_from(METRICS), SAMPLES),
    looks=st.dictionaries(
        st.sampled_from(METRICS), st.builds(Look, st.just(1.0), LOADS, LOADS, st.floats(0, 9)).map(lambda look: (look,))
    ),
    latency_s=st.dictionaries(st.just(95.0), st.floats(0, 5)),
    attempts=SAMPLES,
    failures=SAMPLES,
    idle_s=st.floats(0, 20),
    data_age_s=st.one_of(st.none(), st.floats(0, 20)),
    override=st.one_of(st.none(), st.integers(0, 40)),
)
MANY = settings(max_examples=40, deadline=None, derandomize=True, database=None)  # the same each time, however busy the machine
FEW = settings(MANY, max_examples=9)  # of whole simulations
SECONDS = st.integers(3, 1280).map(lambda parts: parts / 64)  # sums are exact by every clock: none crosses the edge of a window
STEPS = st.lists(st.tuples(SECONDS, SNAPSHOTS), min_size=1, max_size=12)


def decide_all(rules: Rules, steps: list[tuple[float, Snapshot]], *, restarts: bool = False) -> list[int]:
    """The counts that follow from snapshots so many seconds apart, each acted upon. restarts: after each one, on another machine."""
    memory, now_s, desired, counts = Memory(), 0.0, steps[0][1].desired, []
    for number, (seconds, snapshot) in enumerate(steps):
        now_s += seconds
        decision, memory = decide(replace(snapshot, now_s=now_s, desired=desired), rules, memory)
        assert decision.stages[0].before == desired
        assert decision.stages[-1].after == decision.desired
        if restarts:
            later_s = 1000.0 * (-1) ** number
            memory, now_s = shifted(from_json(Memory, json.loads(json.dumps(to_json(memory)))), later_s), now_s + later_s
        desired = desired if decision.dry_run else decision.desired
        counts.append(decision.desired)
    return counts


@MANY
@given(RULES, STEPS)
def test_the_count_is_always_between_min_and_max(rules: Rules, steps: list[tuple[float, Snapshot]]) -> None:
    assert all(rules.min_replicas <= count <= rules.max_replicas for count in decide_all(rules, steps))


@MANY
@given(RULES, STEPS)
def test_a_restart_at_any_tick_and_with_any_clock_changes_no_decision(rules: Rules, steps: list[tuple[float, Snapshot]]) -> None:
    assert decide_all(rules, steps, restarts=True) == decide_all(rules, steps)


@FEW
@given(st.lists(st.tuples(LOADS, st.integers(1, 60)), min_size=1, max_size=5), st.sets(st.integers(0, 299), min_size=1))
def test_nor_does_one_in_virtual_time(steps: list[tuple[float, int]], restarts: set[int]) -> None:
    undisturbed, restarted = World(concurrency(), 3), World(concurrency(), 3)
    for load in (load for load, seconds in steps for _ in range(seconds)):
        if round(restarted.now_s) in restarts:
            restarted.remember()
        assert restarted.run(load, 1.0).last == undisturbed.run(load, 1.0).last


@MANY
@given(RULES, SNAPSHOTS)
def test_the_same_is_decided_the_same(rules: Rules, snapshot: Snapshot) -> None:
    assert decide(snapshot, rules, Memory()) == decide(snapshot, rules, Memory())


@MANY
@given(RULES, SNAPSHOTS)
def test_missing_data_never_ends_at_0(rules: Rules, snapshot: Snapshot) -> None:
    unknown = replace(snapshot, data_age_s=None, override=None, desired=max(1, snapshot.desired))
    assert decide(unknown, rules, Memory())[0].desired >= 1


@MANY
@given(RULES, SNAPSHOTS, st.floats(1, 20))
def test_more_load_never_asks_for_fewer(rules: Rules, snapshot: Snapshot, factor: float) -> None:
    """All else equal; latencies are left out, since they are not the load but what comes of it."""
    rules = replace(rules, metrics=tuple(metric for metric in rules.metrics if metric.type is not MetricType.LATENCY))
    less, _ = decide(snapshot, rules, Memory())
    more, _ = decide(_scaled(snapshot, factor), rules, Memory())
    assert more.desired >= less.desired


@FEW
@given(st.floats(0, 150), st.integers(1, 20), st.floats(8, 20), st.floats(0.3, 3), st.floats(0, 4))
def test_a_constant_load_moves_the_count_in_one_direction_and_then_no_more(
    load: float, replicas: int, target: float, tick_s: float, start_s: float
) -> None:
    world = World(concurrency(target), replicas, start_s=start_s, tick_s=tick_s).run(load, 60)
    directions = [later > earlier for earlier, later in zip([replicas, *_counts(world)], _counts(world), strict=False)]
    assert directions == sorted(directions)
    assert len(set(directions)) <= 1
    settled = len(world.path)
    world.run(load, 30)
    assert len(world.path) == settled


@FEW
@given(st.floats(0, 150), st.floats(8, 20))
def test_nor_does_headroom_move_it(load: float, target: float) -> None:
    """After the five minutes that it learns for, it may still come to see that there is no room for rounding."""
    world = World(concurrency(target, headroom=Headroom()), 20, start_s=1.0, tick_s=3.0).run(load, 900)
    settled = len(world.path)
    assert len(world.run(load, 900).path) == settled


@MANY
@given(
    st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    st.sampled_from([datetime(2026, *day, tzinfo=UTC) for day in ((3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1))]),
    st.lists(st.integers(0, 3 * 86_400), min_size=1, max_size=20).map(sorted),
)
def test_a_schedule_holds_between_its_local_times_whatever_the_clock_does(zone: str, day: datetime, moments: list[int]) -> None:
    office = Schedule("0 8 * * *", "0 18 * * *", timezone=zone, min_replicas=5)
    rules = concurrency(schedules=(office,), behavior=scale_down_after(0.0))
    memory, desired = Memory(), 1
    for seconds in moments:
        moment = day + timedelta(seconds=seconds)
        replicas = (ReplicaSample("a", ReplicaState.READY, 9.0, {MetricType.CONCURRENCY: Sample()}),)
        snapshot = Snapshot(float(seconds), "shop", desired, replicas, wall_s=moment.timestamp())
        decision, memory = decide(snapshot, rules, memory)
        desired = decision.desired
        assert (desired >= 5) == (8 <= moment.astimezone(ZoneInfo(zone)).hour < 18)


def _counts(world: World) -> list[int]:
    return [count for _, count in world.path]


def _scaled(snapshot: Snapshot, factor: float) -> Snapshot:
    def more(sample: Sample) -> Sample:
        return Sample(sample.stable * factor, sample.burst * factor)

    def louder(look: Look) -> Look:
        return replace(look, value=look.value * factor, usual=look.usual * factor, noise=look.noise * factor)

    return replace(
        snapshot,
        replicas=tuple(each._replace(samples={m: more(s) for m, s in each.samples.items()}) for each in snapshot.replicas),
        waiting=more(snapshot.waiting),
        departed={metric: more(sample) for metric, sample in snapshot.departed.items()},
        looks={metric: tuple(map(louder, looks)) for metric, looks in snapshot.looks.items()},
    )
