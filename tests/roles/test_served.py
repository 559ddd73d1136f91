"""The services of a table as a proxy shows them, on a real scoreboard without workers."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from balancer.hotpath.row import Row
from balancer.table import ReplicaEntry, ReplicaState, RouteEntry, RoutingTable, ServiceEntry
from sidecar.served import Served
from sidecar.views import UnknownName
from tests.roles.test_orders import Path

READY, STARTING, DRAINING = ReplicaState.READY, ReplicaState.STARTING, ReplicaState.DRAINING


def table(*states: ReplicaState, first: str = "web-1", hold: bool = False) -> RoutingTable:
    """A service with replicas in the slots 0, 1, ..."""
    names = [first, "web-2", "web-3"]
    lines = tuple(ReplicaEntry(names[slot], slot, "10.0.0.1:80", state) for slot, state in enumerate(states))
    return RoutingTable(1, (RouteEntry("a.example", "/", "web"),), (ServiceEntry("web", 0, hold=hold, replicas=lines),))


class Shown:
    """`now_s` is the clock; `row` is what the only worker would write."""

    def __init__(self) -> None:
        self.path = Path()
        self.row: Row = self.path.board.row(0)
        self.now_s = 100.0
        self.served = Served(self.path, lambda: self.now_s)


@pytest.fixture
def it() -> Iterator[Shown]:
    made = Shown()
    yield made
    del made.row
    made.path.close()


def test_a_service_is_shown_as_its_table_has_it(it: Shown) -> None:
    it.served.follow(table(READY, STARTING, DRAINING))
    it.now_s += 5
    view = it.served.view(it.served.named("web"))
    assert (view.engine, view.scalable, view.routes) == ("autoscaler", False, ("a.example/",))
    assert (view.ready, view.current) == (1, 2)
    assert [(replica.state, replica.age_s) for replica in view.replicas] == [("ready", 5), ("starting", 5), ("draining", 5)]
    with pytest.raises(UnknownName, match="in the routing table there are: web"):
        it.served.named("wbe")


def test_a_replica_in_a_used_slot_begins_to_count_at_nothing(it: Shown) -> None:
    it.served.follow(table(READY))
    it.row.enter(0, 0)
    it.row.answered(0, 200, 1000, 1000, 10, 10)
    it.row.leave(0, 1000)
    assert it.served.views()[0].replicas[0].reading.requests == 1
    it.served.follow(table(READY, first="web-7"))
    assert it.served.views()[0].replicas[0].reading.requests == 0


@pytest.mark.parametrize(
    ("tables", "complete"),
    [
        pytest.param([], False, id="before the first table nothing is"),
        pytest.param([table(STARTING)], False, id="nor is a service whose replicas only start"),
        pytest.param([table(READY)], True, id="one with a READY replica is"),
        pytest.param([table(READY), table(ReplicaState.EJECTED)], True, id="and stays so"),
        pytest.param([table(hold=True)], True, id="and so is one whose requests are held"),
    ],
)
def test_every_service_can_be_carried(it: Shown, tables: list[RoutingTable], complete: bool) -> None:
    for number, each in enumerate(tables, 1):
        it.served.follow(replace(each, generation=number))
    assert it.served.complete is complete


def test_what_is_carried_is_sampled(it: Shown) -> None:
    it.served.follow(table(READY))
    for _ in range(3):
        it.served.tick()
        it.row.enter(0, 0)
        it.row.answered(0, 200, 1000, 1000, 10, 10)
        it.row.leave(0, 1000)
        it.now_s += 1
    it.served.tick()
    assert it.served.views()[0].rps == 1
