"""The cap that is learned from latency, in virtual time against a replica that can carry so many at once and lets the others queue."""

import random

import pytest

from balancer.adaptive import CAP_LEAST, CAP_MOST, INTERVAL_US, Learned, gradient, learn, next_cap


class Replica:
    """`places` requests at once, each for service_us; those beyond wait. Closed loop: as many in flight as the cap allows."""

    def __init__(self, places: int, service_us: float, seed: int = 1) -> None:
        self.places, self.service_us = places, service_us
        self.rng = random.Random(seed)
        self.answers = self.sum_us = 0
        self.now_us = INTERVAL_US

    def serve(self, in_flight: int) -> None:
        """One interval."""
        latency_us = self.service_us * max(1.0, in_flight / self.places) * self.rng.uniform(0.9, 1.1)
        count = int(INTERVAL_US / latency_us * in_flight)
        self.answers += count
        self.sum_us += int(count * latency_us)
        self.now_us += INTERVAL_US


def settled(replica: Replica, wanted: int, intervals: int = 200, learned: Learned | None = None) -> Learned:
    """What is known after so many intervals with `wanted` requests that come at once."""
    known = learn(learned or Learned(), replica.answers, replica.sum_us, 0, replica.now_us)
    for _ in range(intervals):
        in_flight = max(1, min(wanted, int(known.cap)))
        replica.serve(in_flight)
        known = learn(known, replica.answers, replica.sum_us, in_flight, replica.now_us)
    return known


@pytest.mark.parametrize("places", [5, 20, 60])
def test_a_cap_finds_what_a_replica_can_carry(places: int) -> None:
    cap = settled(Replica(places, 20_000), wanted=10_000).cap
    assert places * 0.8 <= cap <= places * 3


def test_a_replica_that_is_not_asked_for_much_keeps_its_cap() -> None:
    assert settled(Replica(50, 20_000), wanted=1).cap == Learned().cap


def test_a_replica_that_slows_down_gets_fewer() -> None:
    replica = Replica(40, 20_000)
    before = settled(replica, wanted=10_000)
    replica.places = 10
    after = settled(replica, 10_000, 20, before)
    assert after.cap < before.cap * 0.7


def test_it_stays_within_its_bounds_whatever_comes() -> None:
    rng = random.Random(4)
    cap = 20.0
    for _ in range(2000):
        slope = gradient(rng.uniform(1, 1e6), rng.uniform(1, 1e7))
        cap = next_cap(cap, slope, rng.randint(0, 2000), rng.random() < 0.1)
        assert CAP_LEAST <= cap <= CAP_MOST


def test_too_few_answers_and_too_short_a_time_teach_nothing() -> None:
    known = learn(Learned(), 100, 1_000_000, 20, 10 * INTERVAL_US)
    assert learn(known, 105, 9_000_000, 20, 11 * INTERVAL_US) is known
    assert learn(known, 500, 9_000_000, 20, 10 * INTERVAL_US + 1) is known


def test_counters_that_fall_begin_anew() -> None:
    known = learn(Learned(), 100, 1_000_000, 20, 10 * INTERVAL_US)
    again = learn(known, 7, 1000, 20, 20 * INTERVAL_US)
    assert (again.cap, again.answers, again.at_us) == (known.cap, 7, 20 * INTERVAL_US)
