"""What stays READY when an autoscaler is started again: a table of cases."""

import pytest

from balancer.table import ReplicaEntry, ReplicaState, ServiceEntry
from sidecar.inheritance import LONGEST_S, Inheritance

READY, STARTING, DRAINING = ReplicaState.READY, ReplicaState.STARTING, ReplicaState.DRAINING


def line(name: str, state: ReplicaState, slot: int = 0, address: str = "10.0.0.1:80") -> ReplicaEntry:
    return ReplicaEntry(name, slot, address, state)


FORMER = ServiceEntry("web", 0, replicas=(line("a", READY), line("b", READY, 1), line("c", DRAINING, 2)))
A, B = FORMER.replicas[:2]


@pytest.mark.parametrize(
    ("known", "now", "shown"),
    [
        pytest.param(False, [], [A, B], id="until the engine answers, those that were READY stay"),
        pytest.param(True, [], [A, B], id="a list that is still empty is not believed at once"),
        pytest.param(True, [line("a", STARTING)], [A], id="a listed one is READY before it was probed, one not listed is gone"),
        pytest.param(True, [line("a", ReplicaState.EJECTED)], [line("a", ReplicaState.EJECTED)], id="a verdict goes first"),
        pytest.param(True, [line("a", STARTING, 5)], [line("a", STARTING, 5)], id="in another slot it is another replica"),
        pytest.param(True, [line("a", STARTING, 0, "b:80")], [line("a", STARTING, 0, "b:80")], id="so it is elsewhere"),
        pytest.param(True, [line("c", STARTING, 2)], [line("c", STARTING, 2)], id="one that was draining has to be probed"),
        pytest.param(True, [line("d", STARTING, 3)], [line("d", STARTING, 3)], id="and so has a new one"),
    ],
)
def test_inherited(known: bool, now: list[ReplicaEntry], shown: list[ReplicaEntry]) -> None:
    assert list(Inheritance(FORMER, 0.0).shown(now, known)) == shown


def test_it_ends_some_time_after_the_engine_has_answered_and_says_so_once() -> None:
    it = Inheritance(FORMER, 0.0)
    assert not it.ended(False, 1000.0)  # the engine is away
    assert not it.ended(True, 1000.0 + LONGEST_S / 2)
    assert it.ended(True, 1000.0 + LONGEST_S)
    assert not it.ended(True, 2000.0)
    assert list(it.shown([line("a", STARTING)], True)) == [line("a", STARTING)]


def test_without_a_former_table_nothing_is_inherited_and_nothing_ends() -> None:
    it = Inheritance(None, 0.0)
    assert list(it.shown([line("a", STARTING)], True)) == [line("a", STARTING)]
    assert not it.ended(True, LONGEST_S * 2)
