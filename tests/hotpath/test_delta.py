"""Tables on their way to a worker: whatever is lost, refused or late, what it takes is what was published."""

import json
import select
import socket
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from balancer.channel import Channel
from balancer.delta import Chronicle, updated
from balancer.table import ReplicaState, RouteEntry, RoutingTable, ServiceEntry
from tests.hotpath.strategies import THOROUGH
from tests.hotpath.tables import tables, with_any_values
from tests.proxy.workers import in_state, service_of

FILLING = "x" * 20_000
MANY = tuple(service_of(f"127.0.0.1:{slot + 1}", name=f"app{slot}", slot=slot) for slot in range(20))


class Delivery(RuleBasedStateMachine):
    """A controller that publishes, a worker that is busy, refuses a table or dies, and a real channel between them."""

    def __init__(self) -> None:
        super().__init__()
        self.chronicle = Chronicle()
        self.published = [RoutingTable()]
        self.ends: list[Channel] = []
        self.restart()

    @rule()
    def restart(self) -> None:
        """A worker is introduced."""
        self.close()
        ends = socket.socketpair()
        ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # as little as the kernel allows, so that tables soon wait
        self.ends = [Channel(end) for end in ends]
        self.worker, self.acknowledged = RoutingTable(), 0
        self.send()

    @rule(table=tables())
    def publish(self, table: RoutingTable) -> None:
        """A newer table, which takes the place of one that waits."""
        self.published.append(replace(table, generation=len(self.published)))
        self.chronicle.enter(self.published[-1])
        self.send()

    def send(self) -> None:
        self.ends[0].send("table", table=self.chronicle.since(self.acknowledged))

    @rule()
    def jam(self) -> None:
        """The worker does not read, and the socket is full: from now on tables wait."""
        while not self.ends[0].wants_write:
            self.ends[0].send("error", what=FILLING)

    @rule(refuses=st.booleans())
    def work(self, refuses: bool) -> None:
        """The worker reads once. What it takes is the table that was published with that number."""
        self.ends[0].flush()
        for message, _ in self.ends[1].receive():
            if message["kind"] == "table":
                table = updated(self.worker, message["table"])
                assert table == self.published[table.generation]
                if not refuses:
                    self.worker = table
                    self.ends[1].send("ack", generation=table.generation)

    @rule()
    def hear(self) -> None:
        """The controller reads the acknowledgements."""
        for message, _ in self.ends[0].receive():
            self.acknowledged = message["generation"]

    def teardown(self) -> None:
        """However it went before: the next table arrives."""
        self.publish(FIRST)
        while self.ends[0].wants_write or select.select([self.ends[1].fileno()], [], [], 0)[0]:
            self.work(refuses=False)
        assert self.worker == self.published[-1]
        self.close()

    def close(self) -> None:
        for end in self.ends:
            end.close()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(parent=THOROUGH, max_examples=80, stateful_step_count=30)


def sent(data: dict[str, Any]) -> dict[str, Any]:
    """As it comes out of the channel."""
    received: dict[str, Any] = json.loads(json.dumps(data))
    return received


def chronicle_of(*tables: RoutingTable) -> Chronicle:
    """In which these tables are generations 1, 2 and so on."""
    made = Chronicle()
    for number, table in enumerate(tables, 1):
        made.enter(replace(table, generation=number))
    return made


@settings(parent=THOROUGH, max_examples=100)
@given(with_any_values(RoutingTable))
def test_every_value_of_every_field_arrives(table: RoutingTable) -> None:
    chronicle = chronicle_of(table)
    assert updated(RoutingTable(), sent(chronicle.since(0))) == chronicle.table


def changed(services: tuple[ServiceEntry, ...]) -> tuple[ServiceEntry, ...]:
    """With a replica of the fourth one draining."""
    return (*services[:3], in_state(services[3], ReplicaState.DRAINING), *services[4:])


ROUTES = (RouteEntry("", "/", "app0"),)
FIRST = RoutingTable(services=MANY, routes=ROUTES)
PARTS = {
    "of a service that changed, only that service": (replace(FIRST, services=changed(MANY)), ["app3"], set()),
    "of a service that came, it and the names": (replace(FIRST, services=(*MANY, ServiceEntry("new", 20))), ["new"], {"names"}),
    "of a service that went, the names": (replace(FIRST, services=MANY[:-1]), [], {"names"}),
    "of another order, the names": (replace(FIRST, services=MANY[::-1]), [], {"names"}),
    "of a route that changed, the routes": (replace(FIRST, routes=()), [], {"routes"}),
    "of a setting that changed, the settings": (
        replace(FIRST, settings=replace(FIRST.settings, access_log="-")),
        [],
        {"settings"},
    ),
    "of an equal table, nothing": (RoutingTable(services=tuple(map(replace, MANY)), routes=(replace(ROUTES[0]),)), [], set()),
}


@pytest.mark.parametrize(("second", "services", "others"), PARTS.values(), ids=PARTS)
def test_only_parts_that_changed_are_sent(second: RoutingTable, services: list[str], others: set[str]) -> None:
    data = chronicle_of(FIRST, second).since(1)
    assert [service["name"] for service in data["services"]] == services
    assert data.keys() - {"generation", "since", "services"} == others


def test_parts_that_did_not_change_are_the_same_objects_afterwards() -> None:
    chronicle = chronicle_of(FIRST)
    first = updated(RoutingTable(), sent(chronicle.since(0)))
    chronicle.enter(replace(FIRST, generation=2, services=changed(MANY)))
    second = updated(first, sent(chronicle.since(1)))
    kept = [before is after for before, after in zip(first.services, second.services, strict=True)]
    assert kept == [number != 3 for number in range(len(MANY))]
    assert second.routes is first.routes


def test_changes_since_a_table_that_a_worker_never_took_are_refused() -> None:
    data = chronicle_of(FIRST, replace(FIRST, routes=())).since(1)
    with pytest.raises(ValueError, match="since generation 1, and generation 0 is in use"):
        updated(RoutingTable(), data)
