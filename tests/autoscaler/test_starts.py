"""How long a start takes is learned from those that were seen, kept over a restart, and told while replicas are on the way."""

import json
from dataclasses import replace

import pytest

from autoscaler.portable import from_json, shifted, to_json
from autoscaler.sampling import ReplicaStatus, Sampler
from autoscaler.scaler import Kept, Scaler
from autoscaler.snapshot import ReplicaSample, Snapshot
from autoscaler.starts import KEPT, Starts, told
from balancer.table import ReplicaState
from tests.autoscaler.world import concurrency

STARTING, READY = ReplicaState.STARTING, ReplicaState.READY


def seen(*moments: dict[str, float | None], found: tuple[str, ...] = ()) -> Starts:
    """Each moment: by replica, how long its start took."""
    starts = Starts()
    starts.found(found)
    for took_s in moments:
        starts.observe([ReplicaStatus(name, READY, 0.0, each) for name, each in took_s.items()])
    return starts


def test_each_start_counts_once() -> None:
    assert seen({"a": None}, {"a": 8.0}, {"a": 8.0}, {"a": 8.0, "b": 3.0}).times_s == (8.0, 3.0)


def test_one_that_was_there_before_tells_nothing() -> None:
    assert seen({"a": 1.0}, {"a": 1.0, "b": None}, found=("a",)).usual_s is None


def test_a_name_that_comes_again_is_a_new_replica() -> None:
    assert seen({"a": 1.0}, {}, {"a": None}, {"a": 5.0}, found=("a",)).times_s == (5.0,)


def test_the_usual_time_is_the_median_of_the_last_ones() -> None:
    starts = Starts([1.0] * 5)
    for number in range(KEPT - 1):
        starts.observe([ReplicaStatus(f"r{number}", READY, 0.0, 5.0)])
    assert (starts.usual_s, len(starts.times_s)) == (5.0, KEPT)


def test_one_slow_start_changes_nothing() -> None:
    assert Starts([2.0, 2.0, 90.0]).usual_s == 2.0


COMING = Snapshot(0.0, "shop", 3, tuple(ReplicaSample(name, STARTING, age) for name, age in (("a", 3.0), ("b", 5.0), ("c", 6.0))))


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        pytest.param(COMING, "3 on the way", id="nothing is known yet"),
        pytest.param(replace(COMING, start_s=8.0), "3 on the way, ready in about 5 s", id="the youngest is the last"),
        pytest.param(replace(COMING, start_s=8.0, desired=4), "4 on the way, ready in about 8 s", id="one is not to be seen yet"),
        pytest.param(replace(COMING, start_s=1.0), "3 on the way, expected 2 s ago", id="late"),
        pytest.param(Snapshot(0.0, "shop", 1, (ReplicaSample("a", READY),), start_s=8.0), "", id="all are there"),
    ],
)
def test_who_is_on_the_way_is_told(snapshot: Snapshot, words: str) -> None:
    assert told(snapshot) == words


def test_the_scaler_learns_it_and_a_restart_keeps_it() -> None:
    rules = concurrency()
    scaler = Scaler("shop", rules, Sampler(rules))
    scaler.take_over(0)
    scaler.step(4.0, [ReplicaStatus("a", READY, 0.0, 4.0)])
    kept = json.loads(json.dumps(to_json(shifted(scaler.kept(5.0), 100.0))))
    other = Scaler("shop", rules, Sampler(rules))
    other.restore(shifted(from_json(Kept, kept), -100.0), 6.0)
    assert (scaler.starts.usual_s, other.starts.usual_s) == (4.0, 4.0)
    decision = other.step(7.0, [ReplicaStatus("b", STARTING, 6.0)])
    assert decision.coming == "1 on the way, ready in about 3 s"
