"""What a decision gives as its reason, stage by stage: errors, missing data, zero, overrides, dry runs, bursts."""

import json
from dataclasses import replace

import pytest

from autoscaler.decide import decide
from autoscaler.explanation import as_json
from autoscaler.rules import Burst, ErrorGuard, MetricRule, MetricType, ScaleToZero
from autoscaler.snapshot import ReplicaSample, Sample
from balancer.table import ReplicaState
from tests.autoscaler.world import World, concurrency, scale_down_after, usage

SLEEPY = concurrency(min_replicas=0, scale_to_zero=ScaleToZero(120.0), behavior=scale_down_after(30.0), stable_window_s=20.0)
EAGER = concurrency(behavior=scale_down_after(0.0))


def test_failing_fast_forbids_going_down() -> None:
    world = World(EAGER, 4).run(40, 60)
    world.failing = 0.5
    world.run(4, 120)
    assert (world.desired, world.last.reason) == (4, "errors")
    assert "50% of the requests failed" in world.last.sentence


def test_when_the_errors_are_over_it_goes_down() -> None:
    world = World(EAGER, 4).run(40, 60)
    world.failing = 0.5
    world.run(4, 60)
    world.failing = 0.0
    world.run(4, 120)
    assert world.desired == 1


def test_a_few_errors_among_many_answers_do_not_matter() -> None:
    world = World(EAGER, 4)
    world.failing = 0.05
    world.run(4, 120)
    assert world.desired == 1


@pytest.mark.parametrize(
    ("guard", "desired"),
    [
        pytest.param(ErrorGuard(), 4, id="by default a tenth is too many"),
        pytest.param(ErrorGuard(share=0.6), 1, id="unless more is allowed"),
        pytest.param(ErrorGuard(least=10**6), 1, id="of few failures nothing is concluded"),
        pytest.param(None, 1, id="no guard, no objection"),
    ],
)
def test_the_error_guard(guard: ErrorGuard | None, desired: int) -> None:
    world = World(replace(EAGER, error_guard=guard), 4).run(40, 60)
    world.failing = 0.5
    assert world.run(4, 120).desired == desired


def test_errors_do_not_forbid_going_up() -> None:
    world = World(EAGER, 2).run(20, 60)
    world.failing = 0.5
    world.run(40, 3)
    assert world.desired == 4


def test_old_data_holds_the_count_and_says_so() -> None:
    world = World(EAGER, 4).run(40, 30).run(0, 10, ticks=False)
    decision = world.decide()
    assert (decision.desired, decision.reason) == (4, "no_data")
    assert decision.sentence == "shop stays at 4 replicas: there has been no data for 10 s, so the count is held."


def test_without_any_data_the_count_is_held() -> None:
    world = World(EAGER, 4)
    assert (world.decide().desired, world.last.reason) == (4, "no_data")


@pytest.mark.parametrize(("fallback", "expected"), [(None, 4), (6, 6), (2, 2), (0, 1)])
def test_after_a_minute_without_data_the_fallback_applies(fallback: int | None, expected: int) -> None:
    world = World(replace(SLEEPY, fallback_replicas=fallback), 4).run(40, 30)
    for _ in range(120):
        world.run(0, 1, ticks=False)
        world.decide()
        assert world.now_s >= 90 or world.desired == 4
    assert (world.desired, world.last.previous) == (expected, expected)


def test_no_data_is_never_taken_for_idle() -> None:
    world = World(replace(SLEEPY, fallback_replicas=None), 1).run(0, 30)
    for _ in range(400):
        world.run(0, 1, ticks=False)
        world.decide()
    assert world.desired == 1


def test_an_idle_service_sleeps_after_idle_after_and_not_before() -> None:
    world = World(SLEEPY, 3).run(30, 60).run(0, 119)
    assert world.desired == 1
    world.run(0, 1)
    assert (world.desired, world.last.reason) == (0, "idle")
    assert world.last.sentence.startswith("shop goes from 1 to 0 replicas: ")


def test_one_request_in_flight_keeps_the_last_replica() -> None:
    assert World(SLEEPY, 1).run(0.6, 400).desired == 1


def test_a_sleeping_service_wakes_for_a_waiting_request() -> None:
    world = World(SLEEPY, 1, start_s=5.0).run(0, 300)
    assert world.desired == 0
    world.run(1, 1)
    assert (world.desired, world.last.reason) == (1, "concurrency_above_target")
    world.run(1, 300)
    assert world.desired == 1


def test_a_request_that_waits_since_this_moment_is_enough_to_wake() -> None:
    world = World(SLEEPY, 1).run(0, 300)
    world.waiting = 1.0
    world.now_s += 0.01
    assert (world.tick().desired, world.last.reason) == (1, "wake")


def test_many_waiting_requests_wake_as_many_replicas_as_they_need() -> None:
    assert World(SLEEPY, 1, start_s=10.0).run(0, 300).run(38, 3).desired == 4


def test_a_sleeping_service_goes_on_sleeping() -> None:
    assert World(SLEEPY, 1).run(0, 600).path == [(120.0, 0)]


def test_without_scale_to_zero_a_minimum_of_0_keeps_one() -> None:
    assert World(replace(SLEEPY, scale_to_zero=None), 1).run(0, 600).desired == 1


def test_with_a_minimum_of_1_scale_to_zero_keeps_one() -> None:
    assert World(replace(SLEEPY, min_replicas=1), 1).run(0, 600).desired == 1


@pytest.mark.parametrize(("override", "expected"), [(7, 7), (1, 1), (500, 100)])
def test_a_count_set_by_hand_holds_within_the_bounds(override: int, expected: int) -> None:
    world = World(concurrency(), 2).run(20, 60)
    world.override = override
    world.run(20, 60)
    assert world.desired == expected
    assert {stage.name: stage.reason for stage in world.last.stages}["override"] == "override"


def test_automatic_again_goes_back_to_what_the_load_needs() -> None:
    world = World(concurrency(), 2).run(20, 400)
    world.override = 7
    world.run(20, 10)
    world.override = None
    world.run(20, 310)
    assert world.desired == 2


def test_a_service_set_to_0_by_hand_stays_there() -> None:
    world = World(SLEEPY, 2)
    world.override = 0
    assert world.run(10, 60).desired == 0


def test_a_dry_run_says_what_it_would_do_and_goes_on_saying_it() -> None:
    world = World(concurrency(dry_run=True), 2).run(20, 60).run(40, 30)
    assert (world.desired, world.last.desired, world.last.dry_run) == (2, 4, True)
    assert world.last.sentence.startswith("shop would go from 2 to 4 replicas: ")


def test_a_count_set_by_hand_is_no_dry_run() -> None:
    world = World(concurrency(dry_run=True), 2).run(20, 60)
    world.override = 5
    world.run(20, 2)
    assert world.desired == 5


# Knative's panic mode: ready replicas, requests at once in the last 6 s and in the last 60 s, what is asked for. Target 10.
PANICS = {
    "twice what is ready is a burst": (5, 100.0, 40.0, 10, "burst"),
    "more than twice is followed all the way": (5, 99.0 + 51.0, 40.0, 15, "burst"),
    "just below twice is not": (5, 99.0, 50.0, 5, "within_tolerance"),
    "a single replica is not in panic just above its target": (1, 10.5, 10.0, 1, "within_tolerance"),
    "the stable window wins where it asks for more": (5, 100.0, 120.0, 12, "concurrency_above_target"),
}


@pytest.mark.parametrize("name", PANICS)
def test_panic(name: str) -> None:
    ready, burst, stable, expected, reason = PANICS[name]
    world = World(concurrency(burst=Burst(6.0, 2.0), behavior=scale_down_after(0.0)), ready)
    share = {MetricType.CONCURRENCY: Sample(stable / ready, burst / ready)}
    replicas = tuple(ReplicaSample(f"r{n}", ReplicaState.READY, 99.0, share) for n in range(ready))
    snapshot = replace(
        world.run(0, 2).sampler.snapshot(2.0, "shop", [], ready, None), replicas=replicas, departed={}, looks={}, seen_s=60.0
    )
    decision, _ = decide(snapshot, world.rules, world.memory)
    assert (decision.desired, decision.reason) == (expected, reason)


def test_in_a_burst_nothing_goes_down_until_a_stable_window_has_passed_without_it() -> None:
    world = World(EAGER, 2).run(20, 60).run(90, 10).run(5, 30)
    assert (world.desired, world.last.reason) == (9, "burst")
    world.run(5, 60)
    assert world.desired == 1


def test_without_a_burst_window_there_is_no_step_either() -> None:
    world = World(concurrency(burst=None), 2).run(20, 60).run(90, 3)
    assert all(decision.stages[1].reason == "steady" for decision in world.decisions)


def test_every_stage_is_told_whether_it_changed_anything_or_not() -> None:
    decision = World(concurrency(max_replicas=3), 2).run(20, 60).run(80, 2).last
    assert [stage.name for stage in decision.stages] == [
        "recommend",
        "burst",
        "headroom",
        "forecast",
        "hold",
        "stabilize",
        "policies",
        "placement",
        "pause",
        "override",
        "bounds",
        "budget",
    ]
    assert all(stage.reason and stage.why for stage in decision.stages)
    assert [stage.before for stage in decision.stages[1:]] == [stage.after for stage in decision.stages[:-1]]


def test_the_sentence_tells_the_whole_way() -> None:
    decision = World(concurrency(max_replicas=3), 2).run(20, 60).run(80, 1).last
    assert decision.reason == "limited_by_max"
    assert decision.sentence == (
        "shop goes from 2 to 3 replicas: concurrency is 21 over 2 ready, 10.5 each against a target of 10 (ratio 1.05); "
        "concurrency stepped from 20 to 80 in the last 1 s: 8 needed; the scale-up policies allow only 6 for now; max_replicas is 3."
    )


def test_cpu_is_told_in_per_cent_of_what_a_replica_may_use() -> None:
    decision = World(usage(MetricType.CPU, 0.7), 2).run(25.2, 60).last
    assert decision.sentence == (
        "shop stays at 2 replicas: cpu is 63%, the mean of 2 ready, against a target of 70% (ratio 0.90)."
    )
    assert decision.recommended[0].sample == pytest.approx(0.63)


def test_while_the_engine_tells_nothing_the_count_is_held() -> None:
    world = World(usage(MetricType.CPU, 0.7, behavior=scale_down_after(0.0)), 4)
    world.measured = False
    world.run(1, 60)
    assert (world.desired, world.last.reason) == (4, "missing_samples")
    assert "no ready replica has a sample of cpu" in world.last.sentence


def test_when_the_readings_stop_the_count_is_held_within_seconds() -> None:
    world = World(usage(MetricType.CPU, 0.7), 2).run(28, 60)
    world.measured = False
    world.run(28, 7)
    assert (world.desired, world.last.reason) == (2, "missing_samples")


def test_other_metrics_may_ask_for_more_while_cpu_is_unknown() -> None:
    rules = usage(MetricType.CPU, 0.7)
    world = World(replace(rules, metrics=(*rules.metrics, MetricRule(MetricType.CONCURRENCY, 10.0))), 2)
    world.measured = False
    assert world.run(20, 60).run(40, 10).desired == 4
    assert world.run(5, 400).desired == 4


@pytest.mark.parametrize("metric", [MetricType.CPU, MetricType.MEMORY])
def test_cpu_and_memory_make_no_burst_and_no_step(metric: MetricType) -> None:
    world = World(usage(metric, 0.3), 2).run(2, 60)
    world.stored = 2.0
    world.run(100, 5)
    assert all(decision.stages[1].reason == "steady" for decision in world.decisions)


def test_a_service_that_is_scaled_by_cpu_wakes_for_a_waiting_request() -> None:
    world = World(usage(MetricType.CPU, 0.7, min_replicas=0, scale_to_zero=ScaleToZero(60.0)), 1, start_s=5.0).run(0, 400)
    assert world.desired == 0
    world.run(1, 1)
    assert (world.desired, world.last.reason) == (1, "wake")
    assert world.run(1, 60).desired == 1


def test_a_decision_is_ready_for_json() -> None:
    rules = replace(
        concurrency(), metrics=(MetricRule(MetricType.CONCURRENCY, 10.0), MetricRule(MetricType.LATENCY, 0.3, 1.0, 99.0))
    )
    told = json.loads(json.dumps(as_json(World(rules, 2).run(20, 60).last)))
    assert [each["metric"] for each in told["recommended"]] == ["concurrency", "latency_p99"]
    assert (told["reason"], told["desired"]) == ("within_tolerance", 2)
    assert told["sentence"].startswith("shop stays at 2 replicas: concurrency is 20 over 2 ready, 10 each against a target of 10")
