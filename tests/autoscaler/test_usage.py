"""What replicas use, by the engine's readings: exact means whatever the rhythm, and what counts as a sample and what does not."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.cluster.engine import Usage
from autoscaler.rules import MetricRule, MetricType, Rules
from autoscaler.sampling import ReplicaStatus, Sampler
from autoscaler.snapshot import Sample, Snapshot
from autoscaler.usage import GONE_MOST, Consumption
from balancer.hotpath import board
from balancer.scoreboard import ReplicaReading, ServiceReading
from balancer.table import ReplicaState

START = 1000.0  # the engines' clock is CLOCK_MONOTONIC
WINDOW_S = 20.0
BURST_S = 4.0
CPU, MEMORY = MetricType.CPU, MetricType.MEMORY
READY, DRAINING, STARTING, EJECTED = ReplicaState.READY, ReplicaState.DRAINING, ReplicaState.STARTING, ReplicaState.EJECTED


def usage(at_s: float, cpu_s: float, memory: int = 400, cpus: float = 2.0, limit: int = 1000) -> Usage:
    """A reading at START + at_s."""
    return Usage(START + at_s, cpu_s, cpus, memory, limit)


class Watched:
    """One service and what was told of it; seconds are since START."""

    def __init__(self) -> None:
        self.consumption = Consumption()
        self.now_s = 0.0

    def observe(self, at_s: float, **usages: Usage | None) -> None:
        self.now_s = at_s
        self.consumption.observe(START + at_s, usages, WINDOW_S)

    def sample(self, replica: str = "a") -> dict[MetricType, Sample]:
        return self.consumption.samples(replica, START + self.now_s, WINDOW_S, BURST_S)

    def departed(self, *ready: str) -> Sample:
        return self.consumption.departed(START + self.now_s, ready, WINDOW_S, BURST_S)[CPU]


def steady(*moments: float, rate: float = 1.2) -> Watched:
    """A replica that keeps `rate` of its 2 cores busy, read at these moments."""
    watched = Watched()
    for at_s in moments:
        watched.observe(at_s, a=usage(at_s, 5.0 + rate * at_s))
    return watched


RHYTHMS = {
    "every second": [float(second) for second in range(31)],
    "five times a second": [fifth / 5 for fifth in range(151)],
    "two readings": [0.0, 9.0],
    "one late": [0.0, 1.0, 2.0, 25.0],
    "by fits and starts": [0.0, 0.3, 0.31, 0.32, 7, 7.001, 19.5, 20, 29, 30],
}


@pytest.mark.parametrize("name", RHYTHMS)
def test_the_rhythm_of_the_readings_changes_nothing(name: str) -> None:
    found = steady(*RHYTHMS[name]).sample()
    assert found[CPU] == Sample(pytest.approx(0.6), pytest.approx(0.6))
    assert found[MEMORY] == Sample(pytest.approx(0.4), pytest.approx(0.4))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.floats(0.02, 4.0), min_size=8, max_size=40), st.floats(0.0, 4.0), st.floats(0.0, 2.0))
def test_a_mean_is_what_was_used_by_how_long_it_took(gaps: list[float], delay_s: float, rate: float) -> None:
    """However often it is read, and however much later that is heard of."""
    watched, at_s = Watched(), 0.0
    watched.observe(0.0, a=None)
    for gap_s in gaps:
        at_s += gap_s
        watched.observe(at_s + delay_s, a=usage(at_s, rate * at_s))
    if found := watched.sample():
        assert found[CPU].burst == pytest.approx(rate / 2, abs=1e-6)
    assert bool(found) == (at_s - gaps[0] >= 5.0)


def test_the_windows_are_their_own() -> None:
    watched = Watched()
    for second in range(31):
        watched.observe(second, a=usage(second, 2.0 * max(0, second - 29), memory=900 if second >= 29 else 100))
    assert watched.sample()[CPU] == Sample(pytest.approx(1 / 20), pytest.approx(1 / 4))
    assert watched.sample()[MEMORY].stable == pytest.approx((18.5 * 0.1 + 1.5 * 0.9) / 20)


def test_memory_between_two_readings_is_the_mean_of_them() -> None:
    watched = Watched()
    for at_s, memory in ((0, 200), (10, 600), (12, 800)):
        watched.observe(at_s, a=usage(at_s, 0.0, memory=memory))
    assert watched.sample()[MEMORY] == Sample(pytest.approx((10 * 0.4 + 2 * 0.7) / 12), pytest.approx((0.4 + 0.7) / 2))


MISSING = {
    "one reading": steady(0.0),
    "less than five seconds of them": steady(0.0, 1.0, 2.0, 3.0, 4.0),
    "the same reading again and again": steady(*[0.0] * 9),
    "an older one than was known": steady(0.0, 0.0 - 9.0),
}


@pytest.mark.parametrize("name", MISSING)
def test_no_sample_without_readings_that_tell(name: str) -> None:
    assert MISSING[name].sample() == {}


@pytest.mark.parametrize("reading", [usage(9, 1.0, cpus=0.0), usage(9, 1.0, limit=0)], ids=["no cores", "no memory"])
def test_a_reading_that_cannot_be_is_not_used(reading: Usage) -> None:
    watched = steady(0.0)
    watched.observe(9, a=reading)
    assert watched.sample() == {}


def test_old_readings_are_no_data_and_new_ones_tell_of_the_time_between() -> None:
    watched = steady(*range(11))
    watched.observe(15.0, a=None)
    assert watched.sample()
    watched.observe(15.1, a=usage(10, 17.0))
    assert watched.sample() == {}
    watched.observe(18.0, a=usage(18, 27.0))
    assert watched.sample()[CPU].stable == pytest.approx((27.0 - 5.0) / 2 / 18)


def test_a_counter_that_starts_again_adds_nothing_for_that_moment() -> None:
    watched = Watched()
    for second in range(11):
        watched.observe(second, a=usage(second, 100.0 + second if second < 6 else second - 6.0))
    assert watched.sample()[CPU].stable == pytest.approx((5 + 4) / 2 / 10)


def test_a_limit_that_is_changed_counts_from_then_on() -> None:
    watched = steady(0.0, 5.0)
    watched.observe(10.0, a=usage(10.0, 5.0 + 1.2 * 10, cpus=1.2))
    assert watched.sample()[CPU].stable == pytest.approx((0.6 * 5 + 1.0 * 5) / 10)


def test_what_it_used_before_it_served_is_not_load() -> None:
    watched = Watched()
    watched.observe(0.0)
    watched.observe(10.0, a=usage(9.9, 19.8))
    for second in range(11, 31):
        watched.observe(second, a=usage(second, 20.0 + 0.4 * (second - 10)))
    assert watched.sample()[CPU].stable == pytest.approx(0.2)


def test_a_replica_that_came_late_did_nothing_before_but_holds_what_it_holds() -> None:
    watched = Watched()
    watched.observe(0.0)
    for second in range(20, 31):
        watched.observe(second, a=usage(second, 2.0 * second, memory=800))
    assert watched.sample()[CPU].stable == pytest.approx(1.0 * 10 / 20)
    assert watched.sample()[MEMORY].stable == pytest.approx(0.8)


def test_before_a_whole_window_was_observed_the_mean_is_over_what_was() -> None:
    watched = Watched()
    for second in range(3, 9):
        watched.observe(second, a=usage(second, 2.0 * second))
    assert watched.sample()[CPU].stable == pytest.approx(1.0)


def test_the_work_of_a_replica_that_left_is_what_others_have_to_do() -> None:
    watched = Watched()
    for second in range(25):
        both = {"a": usage(second, 1.2 * second), "b": usage(second, 1.2 * second)}
        watched.observe(second, **(both if second <= 20 else {"a": both["a"]}))
    assert watched.departed("a").stable == pytest.approx(0.6 * 16 / 20)
    for second in range(25, 42):
        watched.observe(second, a=usage(second, 1.2 * second))
    assert watched.departed("a") == Sample(0.0, 0.0)


def test_what_a_draining_replica_does_is_to_be_done_by_others_too() -> None:
    watched = steady(*range(11))
    assert watched.departed().stable == pytest.approx(0.6)
    assert watched.departed("a").stable == 0


def test_a_replica_that_went_and_came_back_counts_once_for_each_moment() -> None:
    """READY to 10, EJECTED and wildly busy to 20, READY again to 29."""
    watched = Watched()
    for second in range(11):
        watched.observe(second, a=usage(second, 0.8 * second))
    for second in range(11, 20):
        watched.observe(second)
    for second in range(20, 30):
        watched.observe(second, a=usage(second, 60.0 + 0.8 * (second - 20)))
    assert watched.sample()[CPU].stable == pytest.approx(0.4 * 9 / 20)
    assert watched.departed("a").stable == pytest.approx(0.4 * 1 / 20)


def test_the_memory_of_those_that_left_is_bounded() -> None:
    watched = Watched()
    for number in range(3 * GONE_MOST):
        watched.observe(number / 1000, **{f"r{number}": None})
    assert len(watched.consumption._gone) == GONE_MOST
    watched.observe(100.0)
    assert len(watched.consumption._gone) == 0


def test_readings_are_kept_no_longer_than_a_window_needs_them() -> None:
    watched = steady(*(tick / 20 for tick in range(2000)))
    assert len(watched.consumption._tracks["a"]._points) <= 2 * WINDOW_S + 2


# The sampler

SERVICE = ServiceReading(0, 0, 0, 0, 0, 0, 0, (0,) * 5, 0)
IDLE = ReplicaReading(0, 0, (0,) * 5, 0, 0, 0, 0, 0, 0, 0, 0, (0,) * board.BUCKETS)


def snapshot(states: Sequence[ReplicaState], metric: MetricType = CPU, seconds: int = 10, told: bool = True) -> Snapshot:
    """Replicas "a", "b", ... in these states for so long, each with a core of 2 busy and 400 of 1000 octets in use."""
    sampler = Sampler(Rules(1, 9, (MetricRule(metric, 0.7),)))
    names = "abcdef"[: len(states)]
    serving = [name for name, state in zip(names, states, strict=True) if state in {READY, DRAINING}]
    for second in range(seconds + 1):
        usages = {name: usage(second, second) if told else None for name in serving}
        sampler.observe(START + second, SERVICE, dict.fromkeys(names, IDLE), usages)
    statuses = [ReplicaStatus(name, state, START) for name, state in zip(names, states, strict=True)]
    return sampler.snapshot(START + seconds, "shop", statuses, len(states), None)


def test_each_replica_has_its_samples_beside_those_of_requests() -> None:
    found = snapshot([READY, READY])
    assert [replica.samples[CPU].stable for replica in found.replicas] == [pytest.approx(0.5)] * 2
    assert [replica.samples[MEMORY].stable for replica in found.replicas] == [pytest.approx(0.4)] * 2
    assert all(MetricType.CONCURRENCY in replica.samples for replica in found.replicas)


LOADS = {
    "what each ready one uses adds up": ([READY, READY], 1.0, 0.8),
    "a draining one's work counts, its memory does not": ([READY, DRAINING], 1.0, 0.4),
    "one that starts does not count": ([READY, STARTING], 0.5, 0.4),
    "one that is sick does not count": ([READY, EJECTED], 0.5, 0.4),
    "with none ready there is nothing to be measured": ([DRAINING, STARTING], 0.0, 0.0),
}


@pytest.mark.parametrize("name", LOADS)
def test_load(name: str) -> None:
    states, cpu, memory = LOADS[name]
    found = snapshot(states)
    assert (found.load(CPU).stable, found.load(MEMORY).stable) == (pytest.approx(cpu), pytest.approx(memory))


def test_where_the_engine_tells_nothing_the_samples_of_requests_are_there_all_the_same() -> None:
    (replica,) = snapshot([READY], told=False).replicas
    assert set(replica.samples) == {MetricType.CONCURRENCY, MetricType.RPS}


def test_without_a_rule_that_asks_nothing_is_kept() -> None:
    found = snapshot([READY, DRAINING], MetricType.CONCURRENCY)
    assert CPU not in found.departed
    assert all(CPU not in replica.samples for replica in found.replicas)


def test_rules_that_begin_to_ask_are_answered_from_then_on() -> None:
    """What was not observed is not taken for idle: "b" came while no rule asked."""
    asking, other = (Rules(1, 9, (MetricRule(metric, 0.7),)) for metric in (CPU, MetricType.CONCURRENCY))
    sampler = Sampler(asking)
    for second in range(90):
        sampler.rules = other if 30 <= second < 70 else asking
        names = "a" if second < 40 else "ab"
        sampler.observe(START + second, SERVICE, dict.fromkeys(names, IDLE), {name: usage(second, second) for name in names})
    statuses = [ReplicaStatus(name, READY, START) for name in "ab"]
    replicas = sampler.snapshot(START + 89, "shop", statuses, 2, None).replicas
    assert [replica.samples[CPU].stable for replica in replicas] == [pytest.approx(0.5)] * 2


def test_what_was_used_lately_can_be_asked_for() -> None:
    sampler = Sampler(Rules(1, 9, (MetricRule(CPU, 0.7),)))
    assert sampler.usage("a") is None
    for second in range(20):
        sampler.observe(START + second, SERVICE, {"a": IDLE}, {"a": usage(second, 2.0 * max(0, second - 14))})
    found = sampler.usage("a")
    assert found
    assert (found.cpu, found.memory) == (pytest.approx(1.0), pytest.approx(0.4))
    assert sampler.usage("b") is None
