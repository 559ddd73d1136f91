"""Which of several replicas gets the next request. Load is the requests in flight over all workers, per unit of weight.

Invariants: pure but for the policies' own counters; randomness is passed in as a function that returns a number in [0, 1).
"""

from collections.abc import Callable

from balancer.hotpath.replica import Replica
from balancer.hotpath.row import Row

P2C = 0
ROUND_ROBIN = 1
LEAST_REQUEST = 2
RANDOM = 3
POLICIES = {"p2c": P2C, "round_robin": ROUND_ROBIN, "least_request": LEAST_REQUEST, "random": RANDOM}


def pick(policy: int, candidates: list[Replica], row: Row, random: Callable[[], float]) -> Replica:
    """One of the candidates (there is at least one)."""
    if len(candidates) == 1:
        return candidates[0]
    if policy == P2C:
        return pick_p2c(candidates, row, random)
    if policy == ROUND_ROBIN:
        return pick_round_robin(candidates)
    if policy == LEAST_REQUEST:
        return pick_least(candidates, row, random)
    return pick_weighted(candidates, random)


def pick_p2c(candidates: list[Replica], row: Row, random: Callable[[], float]) -> Replica:
    """The less loaded of two different ones drawn by weight: the power of two choices (Mitzenmacher 2001)."""
    first = pick_weighted(candidates, random)
    second = pick_weighted(candidates, random)
    if first is second:
        second = candidates[(candidates.index(first) + 1) % len(candidates)]
    return first if row.in_flight(first.slot) * second.weight <= row.in_flight(second.slot) * first.weight else second


def pick_least(candidates: list[Replica], row: Row, random: Callable[[], float]) -> Replica:
    """The least loaded; among equals one drawn by weight, or they would all be first to every worker."""
    start = candidates.index(pick_weighted(candidates, random))
    best = candidates[start]
    for replica in candidates[start + 1 :] + candidates[:start]:
        if row.in_flight(replica.slot) * best.weight < row.in_flight(best.slot) * replica.weight:
            best = replica
    return best


def pick_round_robin(candidates: list[Replica]) -> Replica:
    """Each in turn, heavier ones more often and spread out: the smooth weighted round robin that nginx made known."""
    best = candidates[0]
    total = 0
    for replica in candidates:
        replica.turn += replica.weight
        total += replica.weight
        if replica.turn > best.turn:
            best = replica
    best.turn -= total
    return best


def pick_weighted(candidates: list[Replica], random: Callable[[], float]) -> Replica:
    """One at random, in proportion to weight."""
    total = 0
    for replica in candidates:
        total += replica.weight
    left = int(random() * total)
    for replica in candidates:
        left -= replica.weight
        if left < 0:
            return replica
    return candidates[-1]
