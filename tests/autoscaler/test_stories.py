"""Load over time, and the count that it leads to: `{second: desired}`. The target is 10 requests at once unless a story says more."""

from dataclasses import replace

import pytest

from autoscaler.rules import Behavior, MetricRule, MetricType, PolicyType, Rules, ScalingPolicy, ScalingRules
from tests.autoscaler.world import World, concurrency, play, scale_down_after, usage

QUICK = concurrency(behavior=scale_down_after(30.0), stable_window_s=20.0)
RPS = replace(concurrency(), metrics=(MetricRule(MetricType.RPS, 100.0),))
ONE_BY_ONE = Behavior(
    scale_up=ScalingRules(0.0, (ScalingPolicy(PolicyType.REPLICAS, 1, 10.0),)),
    scale_down=ScalingRules(0.0, (ScalingPolicy(PolicyType.REPLICAS, 1, 10.0),)),
)

STORIES = {
    "a steady load that fits keeps its count": (World(concurrency(), 2), "20 for 400", {1: 2, 60: 2, 400: 2}),
    "a load within the tolerance keeps its count": (World(concurrency(), 2), "21.9 for 400", {1: 2, 60: 2, 400: 2}),
    "a load just above the tolerance adds a replica": (World(concurrency(), 2), "22.1 for 60", {60: 3}),
    "a doubling is followed within two seconds": (World(concurrency(), 2), "20 for 60, 40 for 60", {60: 2, 62: 4, 120: 4}),
    "a doubling with room to spare is followed too": (World(concurrency(), 4), "32 for 60, 64 for 60", {60: 4, 62: 7, 120: 7}),
    "a doubling of answers per second is followed": (World(RPS, 2), "20 for 60, 40 for 60", {60: 2, 62: 4, 120: 4}),
    "a second doubling half a minute later is followed too": (
        World(concurrency(), 2),
        "20 for 60, 40 for 30, 80 for 30",
        {62: 4, 92: 8, 120: 8},
    ),
    "a rise by a third is followed once the window shows it": (World(concurrency(), 10), "100 for 60, 130 for 60", {62: 13}),
    "a slow rise is followed all the way": (
        World(concurrency(), 2),
        "20 for 60, 24 for 30, 28 for 30, 32 for 30, 36 for 60",
        {60: 2, 90: 3, 210: 4},
    ),
    "a load that halves is followed after five minutes": (
        World(concurrency(), 4),
        "40 for 400, 20 for 400",
        {400: 4, 460: 4, 700: 4, 800: 2},
    ),
    "a dip shorter than five minutes changes nothing": (World(concurrency(), 4), "40 for 400, 5 for 290, 40 for 100", {700: 4}),
    "a restart never scales down at once": (World(concurrency(), 8), "10 for 400", {1: 8, 299: 8, 310: 1}),
    "a spike of one second is answered, and kept for five minutes": (
        World(concurrency(), 2),
        "20 for 60, 60 for 1, 20 for 400",
        {61: 6, 361: 6, 425: 2},
    ),
    "replicas on their way are counted, so the same load asks once": (
        World(concurrency(), 2, start_s=30.0),
        "20 for 60, 40 for 29, 40 for 60",
        {62: 4, 89: 4, 149: 4},
    ),
    "a hundredfold rise is limited to a doubling or four every 15 s": (
        World(concurrency(), 1),
        "10 for 60, 900 for 80",
        {60: 1, 62: 5, 77: 10, 92: 20, 107: 40, 122: 80, 137: 90},
    ),
    "more than max_replicas is never asked for": (World(concurrency(max_replicas=3), 2), "20 for 60, 90 for 60", {120: 3}),
    "fewer than min_replicas are never asked for": (World(concurrency(min_replicas=2), 2), "0 for 700", {700: 2}),
    "policies let the count go by one replica every ten seconds": (
        World(concurrency(behavior=ONE_BY_ONE), 1),
        "10 for 60, 30 for 25, 30 for 60, 10 for 120",
        {61: 2, 70: 2, 71: 3, 145: 3, 265: 1},
    ),
    "without a burst window only the stable one counts": (
        World(concurrency(burst=None), 2),
        "20 for 60, 40 for 60",
        {62: 2, 70: 3, 120: 4},
    ),
    "shorter windows come down sooner": (World(QUICK, 4), "40 for 60, 10 for 60", {60: 4, 85: 4, 115: 1}),
    "a short window to go down does not undo a step that has just been taken": (
        World(concurrency(behavior=scale_down_after(0.0)), 2),
        "20 for 60, 40 for 120",
        {62: 4, 63: 4, 70: 4, 80: 4, 100: 4, 122: 4, 180: 4},
    ),
    "a busy processor is followed once the window shows it": (
        World(usage(MetricType.CPU, 0.7), 2),
        "20 for 60, 40 for 90",
        {60: 2, 62: 2, 75: 2, 100: 3, 150: 3},
    ),
    "cpu within the tolerance keeps its count": (World(usage(MetricType.CPU, 0.7), 2), "30 for 400", {60: 2, 400: 2}),
    "more than a replica can use is followed step by step": (
        World(usage(MetricType.CPU, 0.7), 2),
        "20 for 60, 90 for 300",
        {60: 2, 120: 4, 360: 6},
    ),
    "an idle processor goes down after five minutes": (
        World(usage(MetricType.CPU, 0.7), 4),
        "40 for 60, 1 for 500",
        {300: 4, 500: 1},
    ),
    "what starting takes is not load": (
        World(usage(MetricType.CPU, 0.7), 2, start_s=40.0),
        "20 for 60, 40 for 240",
        {60: 2, 120: 3, 300: 3},
    ),
    "queued requests are load": (World(concurrency(), 2, cap=10.0), "20 for 60, 40 for 10", {62: 4}),
    "ticks three seconds apart see the same": (World(concurrency(), 2, tick_s=3.0), "20 for 60, 40 for 60", {63: 4, 120: 4}),
    "ticks five times a second see the same": (World(concurrency(), 2, tick_s=0.2), "20 for 60, 40 for 60", {62: 4, 120: 4}),
}


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    world, story, expected = STORIES[name]
    counts = play(story, world)
    assert {second: counts[second] for second in expected} == expected


@pytest.mark.parametrize("phase_s", [0.01, 0.5, 0.99])
@pytest.mark.parametrize(("load", "replicas"), [(4.0, 1), (10.0, 1), (28.0, 4), (300.0, 30)])
def test_a_doubling_at_any_moment_is_a_decision_within_two_seconds(phase_s: float, load: float, replicas: int) -> None:
    world = World(concurrency(load / replicas), replicas)
    world.run(load, 60 + phase_s).run(2 * load, 10)
    went_up_at_s, _ = world.path[0]
    assert 60 + phase_s < went_up_at_s <= 62 + phase_s
    assert world.desired == 2 * replicas


# Requests at once, the target, seconds per request.
STEADY = [(5.0, 6.0, 0.05), (10.0, 10.0, 0.3), (10.0, 10.0, 5.0), (40.0, 10.0, 1.0)]


@pytest.mark.parametrize("since_s", [10, 20, 30, 60, 85])
@pytest.mark.parametrize(("load", "target", "service_s"), STEADY)
def test_the_beginning_of_the_load_does_not_hide_a_doubling(load: float, target: float, service_s: float, since_s: int) -> None:
    for phase_s in (0.01, 0.4, 0.7, 0.99):
        world = (
            World(concurrency(target), round(load / target + 0.4), service_s=service_s).run(0, 15).run(load, since_s + phase_s)
        )
        before = world.desired
        assert world.run(2 * load, 2.0).desired > before


@pytest.mark.parametrize("since_s", [4, 10, 20, 30, 60])
@pytest.mark.parametrize("load", [5.0, 10.0, 40.0])
def test_an_earlier_step_does_not_hide_the_next(load: float, since_s: int) -> None:
    for phase_s in (0.01, 0.4, 0.7, 0.99):
        world = World(concurrency(load)).run(load, 30).run(2 * load, since_s + phase_s)
        assert world.desired == 2
        assert world.run(4 * load, 2.0).desired > 2


def test_a_fresh_service_meets_its_first_load_within_two_seconds() -> None:
    world = World(concurrency(), 1).run(0, 3.5).run(40, 2)
    assert world.desired == 4


def test_a_controller_that_was_stopped_for_half_a_minute_goes_on_where_it_was() -> None:
    world = World(concurrency(), 4).run(40, 100).run(40, 30, ticks=False).run(40, 30)
    assert world.path == []


def test_load_that_replicas_carried_before_they_left_still_counts() -> None:
    """60 requests on 10 replicas need 6; right after the four have gone, the six have carried little, but the service has not."""
    world = World(concurrency(behavior=scale_down_after(0.0)), 10).run(60, 180)
    assert [count for _, count in world.path] == [6]


def test_work_of_replicas_that_have_left_is_the_work_of_those_that_stay() -> None:
    """60 requests keep 6 cores busy: at 70 % of 2 that takes 4.3 replicas, so that of ten five stay, and no more is changed."""
    world = World(usage(MetricType.CPU, 0.7, behavior=scale_down_after(0.0)), 10).run(60, 240)
    assert [count for _, count in world.path] == [5]


def test_memory_is_nobodys_when_the_replica_has_gone_that_held_it() -> None:
    """Each of six holds 40 %; when four of them are gone, what they held is not missed by the other two."""
    world = World(usage(MetricType.MEMORY, 0.8), 6)
    world.stored = 6 * 0.4
    world.run(1, 60)
    for name in ("r2", "r3", "r4", "r5"):
        del world.replicas[name]
    world.desired, world.stored = 2, 2 * 0.4
    world.run(1, 30)
    assert world.last.recommended[0].sample == pytest.approx(0.4)
    assert world.path == []


def test_memory_that_is_full_asks_for_more_and_goes_down_again_when_it_is_not() -> None:
    world = World(usage(MetricType.MEMORY, 0.8, stable_window_s=20.0), 2)
    world.stored = 2.0
    world.run(1, 60)
    assert world.desired >= 3
    world.stored = 1.0
    assert world.run(1, 400).desired == 2


def test_a_service_without_metrics_keeps_its_count() -> None:
    world = World(Rules(1, 9), 3).run(500, 30)
    assert (world.desired, world.last.reason) == (3, "steady")
