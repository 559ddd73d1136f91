"""The next steps from what is wanted and what is there.

A replica is written as its state's letter, outdated ones with '!', those that belong to somebody else with '*'.
"""

import pytest

from autoscaler.reconcile import Standing, Steps, steps
from balancer.table import ReplicaState

STATES = {"S": ReplicaState.STARTING, "R": ReplicaState.READY, "E": ReplicaState.EJECTED}


def fleet(text: str) -> list[Standing]:
    """ "R R! E" is a READY replica, an outdated READY one and an ejected one, named 0, 1, 2; later ones are younger."""
    return [
        Standing(str(number), STATES[word[0]], 1, float(number), outdated="!" in word, foreign="*" in word)
        for number, word in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("desired", "there", "starting", "start", "drain"),
    [
        pytest.param(0, "", 0, 0, "", id="nothing wanted, nothing there"),
        pytest.param(3, "", 0, 3, "", id="what is missing is started"),
        pytest.param(3, "R", 1, 1, "", id="starts under way count"),
        pytest.param(1, "R R R", 0, 0, "1 2", id="of equals the youngest go"),
        pytest.param(1, "R S", 0, 0, "1", id="one that is not ready goes before one that is"),
        pytest.param(0, "R E", 0, 0, "0 1", id="all go when none is wanted"),
        pytest.param(2, "R! R!", 0, 1, "", id="one more is started for outdated ones"),
        pytest.param(2, "R! R! S", 0, 0, "", id="an outdated one stays until the new one is ready"),
        pytest.param(2, "R! R! R", 0, 0, "1", id="then one outdated one goes"),
        pytest.param(2, "R! R", 0, 1, "", id="and the next new one is started"),
        pytest.param(1, "S!", 0, 1, "0", id="an outdated one that is only starting goes at once"),
        pytest.param(1, "E!", 0, 1, "", id="an outdated ejected one stays while it is all there is"),
        pytest.param(1, "E! R", 0, 0, "0", id="and goes when the others suffice"),
        pytest.param(1, "R! R R", 0, 0, "0", id="scaling down takes outdated ones first"),
        pytest.param(0, "R! R!", 0, 0, "0 1", id="outdated ones are not replaced where none is wanted"),
        pytest.param(3, "R*", 0, 2, "", id="somebody else's replica counts"),
        pytest.param(1, "R* R R", 0, 0, "1 2", id="and is never stopped"),
        pytest.param(0, "R* R", 0, 0, "1", id="not even when none is wanted"),
        pytest.param(2, "R*! R", 0, 0, "", id="nor replaced"),
    ],
)
def test_the_next_steps(desired: int, there: str, starting: int, start: int, drain: str) -> None:
    made = steps(desired, fleet(there), starting)
    assert made.start == start
    assert sorted(victim for victim, _ in made.drain) == drain.split()


def test_a_late_replica_is_drained_for_its_own_reason_and_replaced() -> None:
    late = Standing("0", ReplicaState.STARTING, 0, 0.0, late="was not ready within 60 s")
    assert steps(1, [late], 0) == Steps(start=1, drain=(("0", "was not ready within 60 s"),))


@pytest.mark.parametrize(
    ("desired", "there", "starting", "order", "start", "drain"),
    [
        pytest.param(1, "R R R", 0, "1 2 0", 0, "1 2", id="victims are those that the engine will remove, in its order"),
        pytest.param(2, "R R", 0, "1 9 0", 0, "", id="one that is draining already is in the order and no victim again"),
        pytest.param(3, "R R", 0, "1 0", 1, "", id="what is missing is started"),
        pytest.param(3, "R", 2, "0", 0, "", id="starts under way count"),
        pytest.param(2, "R! R!", 0, "1 0", 0, "", id="outdated ones are for the engine to replace"),
        pytest.param(2, "S R R", 0, "2 1 0", 0, "2", id="an own order goes before ours"),
    ],
)
def test_an_engine_with_an_order_of_its_own(desired: int, there: str, starting: int, order: str, start: int, drain: str) -> None:
    made = steps(desired, fleet(there), starting, order.split())
    assert made.start == start
    assert [victim for victim, _ in made.drain] == drain.split()
