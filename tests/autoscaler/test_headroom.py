"""Room for the usual swings of a load: learned from it, raising only, kept over a restart."""

from dataclasses import replace

import pytest

from autoscaler.decide import decide
from autoscaler.headroom import learn, raise_for_swings
from autoscaler.memory import Memory, Swing
from autoscaler.rules import Headroom, MetricRule, MetricType, Rules, ScaleToZero
from autoscaler.snapshot import ReplicaSample, Sample, Snapshot
from balancer.table import ReplicaState
from tests.autoscaler.world import World, concurrency, scale_down_after

RULES = concurrency(headroom=Headroom(1.0, 600.0), behavior=scale_down_after(10.0))  # 10 at once for each replica
QUIET = replace(RULES, burst=None)


def seen(load: float, now_s: float = 0.0) -> Snapshot:
    return Snapshot(
        now_s, "shop", 1, (ReplicaSample("a", ReplicaState.READY, 9.0, {MetricType.CONCURRENCY: Sample(load, load)}),), wall_s=0.0
    )


def learned(loads: list[float], rules: Rules = RULES, every_s: float = 5.0) -> Swing:
    swings: tuple[Swing, ...] = ()
    for number, load in enumerate(loads):
        swings = learn(swings, seen(load, number * every_s), rules)
    return swings[0]


@pytest.mark.parametrize(
    ("loads", "mean", "deviation"),
    [
        ([8.0] * 50, 8.0, 0.0),
        ([0.0, 10.0] * 50, 5.0, 5.0),
        ([4.0], 4.0, 0.0),
        ([100.0] * 5 + [4.0] * 2000, 4.0, 0.0),
    ],
    ids=["an even load has none", "one that comes and goes", "the first sight is no swing", "what was long ago fades"],
)
def test_mean_and_deviation_are_those_of_the_last_while(loads: list[float], mean: float, deviation: float) -> None:
    found = learned(loads)
    assert found.mean == pytest.approx(mean, abs=0.3)
    assert found.variance**0.5 == pytest.approx(deviation, abs=0.3)


@pytest.mark.parametrize(("every_s", "looks"), [(0.2, 2500), (1.0, 500), (5.0, 100), (25.0, 20)])
def test_the_rhythm_of_the_ticks_does_not_matter(every_s: float, looks: int) -> None:
    period = round(50 / every_s)
    loads = [20.0 if number % period < period / 2 else 0.0 for number in range(looks)]
    found = learned(loads, every_s=every_s)
    assert (found.mean, found.variance**0.5) == (pytest.approx(10, abs=1.5), pytest.approx(10, abs=1.0))


def test_a_load_that_comes_and_goes_keeps_its_replicas_while_it_is_away() -> None:
    world = World(RULES, 1).run(5, 60)
    for _ in range(6):
        world.run(25, 60).run(5, 60)
    assert world.desired == 3
    assert world.run(5, 1800).desired == 1


def test_without_it_they_go_each_time() -> None:
    world = World(replace(RULES, headroom=None), 1).run(5, 60).run(25, 60).run(5, 100)
    assert world.desired == 1


def test_an_even_load_needs_no_room_beyond_its_targets() -> None:
    assert World(RULES, 2).run(18, 900).desired == 2


def test_it_says_what_it_makes_room_for() -> None:
    swing = Swing(MetricType.CONCURRENCY, 0.0, 600.0, 15.0, 49.0)
    stage = raise_for_swings(2, seen(15.0), RULES, (swing,))
    assert (stage.after, stage.reason) == (3, "headroom")
    assert stage.why == "concurrency has lately been 15, give or take 7: room for that is 3"


@pytest.mark.parametrize("count", [0, 3, 7])
def test_it_never_lowers_and_leaves_what_sleeps_asleep(count: int) -> None:
    swing = Swing(MetricType.CONCURRENCY, 0.0, 600.0, 15.0, 49.0)
    assert raise_for_swings(count, seen(15.0), RULES, (swing,)).after == count


def test_a_service_that_has_become_idle_goes_to_zero_all_the_same() -> None:
    rules = replace(RULES, min_replicas=0, scale_to_zero=ScaleToZero(60.0))
    world = World(rules, 1).run(25, 60).run(5, 60).run(25, 60).run(0, 180)
    assert world.desired == 0


def test_each_metric_that_adds_up_has_its_own() -> None:
    rules = replace(RULES, metrics=(*RULES.metrics, MetricRule(MetricType.RPS, 50.0), MetricRule(MetricType.CPU, 0.7)))
    assert [swing.metric for swing in learn((), seen(5.0), rules)] == ["concurrency", "rps"]


def test_a_restart_forgets_nothing() -> None:
    world, other = World(QUIET, 1), World(QUIET, 1)
    for each in (world, other):
        each.run(5, 60).run(25, 60).run(5, 60).run(25, 60)
    swings = world.memory.swings
    world.remember()
    assert world.memory.swings == pytest.approx(swings)
    assert world.run(5, 60).desired == other.run(5, 60).desired


def test_nothing_is_learned_from_no_data() -> None:
    blind = replace(seen(90.0, 100.0), data_age_s=None)
    before = (Swing(MetricType.CONCURRENCY, 0.0, 600.0, 15.0, 49.0),)
    assert learn(before, blind, RULES) is before
    _, memory = decide(blind, RULES, Memory(swings=before))
    assert memory.swings == before
