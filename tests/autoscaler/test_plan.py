"""From a count to actions: who is started, and who is drained first."""

import pytest

from autoscaler.plan import Candidate, Plan, plan
from balancer.table import ReplicaState

S, R, E, D, G = ReplicaState.STARTING, ReplicaState.READY, ReplicaState.EJECTED, ReplicaState.DRAINING, ReplicaState.GONE

# desired, replicas as (id, state, in flight, started), the plan
CASES = {
    "as many as desired is nothing to do": (2, [("a", R, 0, 1), ("b", R, 0, 2)], Plan()),
    "too few are started": (5, [("a", R, 0, 1), ("b", S, 0, 2)], Plan(start=3)),
    "the first ones are started": (2, [], Plan(start=2)),
    "the least in flight goes": (1, [("a", R, 5, 1), ("b", R, 3, 2)], Plan(drain=("b",))),
    "among equals the newest goes": (2, [("a", R, 3, 1), ("b", R, 3, 2), ("c", R, 3, 0)], Plan(drain=("b",))),
    "the starting ones go before the ejected ones, those before the ready ones": (
        0,
        [("a", R, 0, 1), ("b", E, 0, 2), ("c", S, 0, 3)],
        Plan(drain=("c", "b", "a")),
    ),
    "of the starting ones the newest goes": (1, [("a", S, 0, 1), ("b", S, 0, 2)], Plan(drain=("b",))),
    "what hangs on an ejected one does not save it": (1, [("a", E, 9, 1), ("b", R, 1, 2)], Plan(drain=("a",))),
    "the leaving ones are not counted": (2, [("a", R, 0, 1), ("b", D, 4, 2), ("c", G, 0, 3)], Plan(start=1)),
    "the leaving ones are not drained again": (0, [("a", R, 0, 1), ("b", D, 4, 2)], Plan(drain=("a",))),
    "the same count and age is settled by name": (1, [("b", R, 0, 1), ("a", R, 0, 1)], Plan(drain=("a",))),
}


@pytest.mark.parametrize("name", CASES)
def test_plan(name: str) -> None:
    desired, replicas, expected = CASES[name]
    assert plan(desired, [Candidate(*each) for each in replicas]) == expected
