"""The latency rule: up where more replicas can help, on trial, and down one by one. The target is 300 ms at the 95th percentile."""

from dataclasses import replace

import pytest

from autoscaler.rules import MetricRule, MetricType, Rules
from tests.autoscaler.world import World, scale_down_after

RULES = Rules(1, 50, (MetricRule(MetricType.LATENCY, 0.3),), scale_down_after(30.0), stable_window_s=30.0)


def slow(load: float, seconds: float, service_s: float = 0.5, replicas: int = 2) -> World:
    """A service that takes longer than it should."""
    return World(RULES, replicas, service_s=service_s).run(load, seconds)


def test_a_slow_busy_service_gets_more_replicas() -> None:
    world = slow(8, 5)
    assert world.desired == 4
    assert "latency_above_target" in [decision.reason for decision in world.decisions]


def test_a_slow_service_on_which_nothing_competes_does_not() -> None:
    world = slow(0.5, 60)
    assert (world.desired, world.last.reason) == (2, "latency_not_from_load")
    assert "more would not help" in world.last.sentence


def test_requests_that_wait_say_that_more_can_help() -> None:
    world = World(RULES, 2, service_s=0.5, cap=0.5).run(1.5, 5)
    assert world.desired > 2


def test_another_metric_at_half_its_target_says_so_too() -> None:
    rules = replace(RULES, metrics=(MetricRule(MetricType.RPS, 1.0), *RULES.metrics))
    assert World(rules, 2, service_s=0.5).run(0.8, 10).desired > 2


@pytest.mark.parametrize(("metric", "more"), [(MetricType.CPU, True), (MetricType.MEMORY, False)])
def test_a_busy_processor_says_so_and_full_memory_does_not(metric: MetricType, more: bool) -> None:
    """Either stands at more than half its target: cpu at 4.5 %, memory at 50 %."""
    rules = replace(RULES, metrics=(MetricRule(metric, 0.08 if metric is MetricType.CPU else 0.8), *RULES.metrics))
    assert (World(rules, 2, service_s=0.5).run(1.8, 60).desired > 2) is more


def test_it_doubles_at_most_at_a_time() -> None:
    assert slow(8, 5, service_s=30 * 0.3).desired == 4


def test_it_stops_where_more_does_not_help() -> None:
    """The application is slow whatever the count, as when its database is."""
    world = slow(20, 60)
    assert (world.desired, world.last.recommended[0].reason) == (4, "latency_not_helped")
    assert "going to 4 did not lower it" in world.last.sentence


def test_it_gives_back_what_did_not_help_and_does_not_ask_again() -> None:
    world = slow(20, 1200)
    assert (world.desired, world.last.reason) == (2, "latency_not_helped")
    assert [count for _, count in world.path] == [4, 2]


def test_what_did_not_help_stays_where_another_metric_needs_it() -> None:
    rules = replace(RULES, metrics=(*RULES.metrics, MetricRule(MetricType.CONCURRENCY, 7.0)))
    assert World(rules, 2, service_s=0.5).run(20, 300).desired == 3


def test_of_a_load_that_has_grown_by_half_nothing_was_tried() -> None:
    world = slow(20, 300).run(29, 100)
    assert world.desired == 2
    assert world.run(31, 40).desired == 4


def test_until_a_stable_window_has_passed_it_waits_for_the_result() -> None:
    world = slow(20, 25)
    assert (world.desired, world.last.reason) == (4, "latency_on_trial")


def test_the_trial_starts_when_its_replicas_are_ready() -> None:
    world = World(RULES, 2, start_s=60.0, service_s=0.5).run(20, 80)
    assert (world.desired, world.last.reason) == (4, "latency_on_trial")


def test_it_goes_on_where_more_does_help() -> None:
    world = slow(20, 2, service_s=1.2)
    world.service_s = 0.6
    while world.desired < 8 and world.now_s < 60:
        world.run(20, 1)
    world.service_s = 0.3
    world.run(20, 60)
    assert (world.desired, world.last.reason) == (8, "within_tolerance")


def test_once_back_at_its_target_it_may_ask_again() -> None:
    world = slow(20, 200)
    assert world.last.reason == "latency_not_helped"
    world.service_s = 0.3
    world.run(20, 40)
    assert world.desired == 2
    world.service_s = 0.9
    world.run(20, 20)
    assert world.desired == 4


def test_other_metrics_are_free_while_latency_is_on_trial() -> None:
    rules = replace(RULES, metrics=(*RULES.metrics, MetricRule(MetricType.CONCURRENCY, 5.0)))
    world = World(rules, 2, service_s=0.5).run(20, 30).run(28, 70)
    assert world.desired == 6


def test_a_quick_service_gives_back_one_replica_at_a_time() -> None:
    world = World(RULES, 5, service_s=0.01).run(5, 100)
    counts = [count for _, count in world.path]
    assert counts == [4, 3, 2][: len(counts)]
    assert len(counts) == 3
    assert all(later - earlier >= 30 for (earlier, _), (later, _) in zip(world.path, world.path[1:], strict=False))


def test_requests_without_any_answer_yet_are_no_reason_to_go_down() -> None:
    world = World(RULES, 3, service_s=1e6).run(5, 120)
    assert (world.desired, world.last.reason) == (3, "missing_samples")
