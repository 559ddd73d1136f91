"""Requests that come at random (Poisson) at a constant rate must not move the count; a doubling of their rate must, and soon.

Simulated request by request, with seeds, so that each run is the same. 80 % of the target is used, on four replicas.
"""

import heapq
import random
from collections.abc import Iterator
from itertools import chain, repeat
from statistics import median

import pytest

from autoscaler.decide import decide
from autoscaler.memory import Memory
from autoscaler.rules import MetricRule, MetricType, Rules
from autoscaler.sampling import ReplicaStatus, Sampler
from balancer.scoreboard import ReplicaReading, ServiceReading
from balancer.table import ReplicaState
from tests.autoscaler.world import Counters

REPLICAS = 4
QUIET = ServiceReading(0, 0, 0, 0, 0, 0, 0, (0, 0, 0, 0, 0), 0)

IDLE_S = 10  # before the load begins

Second = tuple[float, int, int]  # request-seconds and answers so far, requests in flight
NOTHING = (0.0, 0, 0)


def requests(load: float, service_s: float, seed: int) -> Iterator[Second]:
    """Second by second: exponential gaps and exponential service times, `load` at once on average."""
    rng = random.Random(seed)
    ends = sorted(rng.expovariate(1 / service_s) for _ in range(round(load)))
    now_s, busy_s, answers, second = 0.0, 0.0, 0, 1
    arrival_s = rng.expovariate(load / service_s)
    while True:
        event_s = min(arrival_s, ends[0] if ends else arrival_s, float(second))
        busy_s, now_s = busy_s + len(ends) * (event_s - now_s), event_s
        if event_s == second:
            yield busy_s, answers, len(ends)
            second += 1
        elif event_s == arrival_s:
            heapq.heappush(ends, now_s + rng.expovariate(1 / service_s))
            arrival_s = now_s + rng.expovariate(load / service_s)
        else:
            heapq.heappop(ends)
            answers += 1


def both(first: Iterator[Second], second: Iterator[Second], from_s: int) -> Iterator[Second]:
    """The sum of two, the second one from so many seconds on."""
    more = NOTHING
    for at_s, one in enumerate(first, 1):
        more = next(second) if at_s > from_s else more
        yield one[0] + more[0], one[1] + more[1], one[2] + more[2]


def readings(second: Second, count: int) -> dict[str, ReplicaReading]:
    """The load spread evenly over so many replicas."""
    busy_s, answers, _ = second
    return {f"r{n}": Counters(0.0, 0.0, busy_s / count, answers / count).reading() for n in range(count)}


def changes(rules: Rules, arrivals: Iterator[Second], seconds: int) -> list[tuple[int, int]]:
    """(second, new count) of each change. The replicas stay four: after the first change nothing is of interest."""
    sampler, memory, desired, found = Sampler(rules), Memory(), REPLICAS, []
    statuses = [ReplicaStatus(f"r{n}", ReplicaState.READY, 0.0) for n in range(REPLICAS)]
    for at_s, second in zip(range(1, seconds + 1), arrivals, strict=False):
        sampler.observe(float(at_s), QUIET, readings(second, REPLICAS))
        decision, memory = decide(sampler.snapshot(float(at_s), "shop", statuses, desired, None), rules, memory)
        if decision.desired != desired:
            desired = decision.desired
            found.append((at_s, desired))
    return found


def rules_for(metric: MetricType, load: float, service_s: float) -> Rules:
    """The target of which the load uses 80 %."""
    carried = load if metric is MetricType.CONCURRENCY else load / service_s
    return Rules(1, 100, (MetricRule(metric, carried / REPLICAS / 0.8),))


@pytest.mark.parametrize(("load", "service_s"), [(5, 0.1), (10, 0.3), (30, 0.3), (30, 1.0), (100, 1.0), (100, 5.0)])
def test_random_requests_at_a_constant_rate_never_move_the_count(load: float, service_s: float) -> None:
    rules = rules_for(MetricType.CONCURRENCY, load, service_s)
    assert changes(rules, requests(load, service_s, seed=3), 600) == []


@pytest.mark.parametrize(("load", "service_s"), [(10, 0.1), (30, 0.3)])
def test_random_answers_at_a_constant_rate_never_move_the_count(load: float, service_s: float) -> None:
    rules = rules_for(MetricType.RPS, load, service_s)
    assert changes(rules, requests(load, service_s, seed=5), 600) == []


DOUBLINGS = [(10, 0.1, 2), (30, 0.1, 2), (30, 0.3, 2), (10, 0.3, 4), (30, 1.0, 4), (5, 0.1, 6)]


@pytest.mark.parametrize(("load", "service_s", "within_s"), DOUBLINGS)
@pytest.mark.parametrize("since_s", [20, 50])
def test_a_doubling_is_told_from_noise(load: float, service_s: float, within_s: int, since_s: int) -> None:
    """The median of seven runs, each doubled so long after the load began."""
    rules, double_s, delays_s = rules_for(MetricType.CONCURRENCY, load, service_s), IDLE_S + since_s, []
    for seed in range(7):
        doubled = both(requests(load, service_s, seed), requests(load, service_s, seed + 100), since_s)
        found = changes(rules, chain(repeat(NOTHING, IDLE_S), doubled), double_s + 20)
        delays_s.append(next((at_s - double_s for at_s, _ in found if at_s > double_s), 20))
    assert median(delays_s) <= within_s
