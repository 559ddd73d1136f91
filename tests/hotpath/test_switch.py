"""Switching from table to table: the outcome is that of the last one alone, what goes on stays, and a bad one changes nothing."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.hotpath.context import Context
from balancer.hotpath.poller import Poller
from balancer.hotpath.replica import Replica
from balancer.hotpath.route import Router
from balancer.hotpath.service import Service
from balancer.scoreboard import Scoreboard
from balancer.switch import Switch
from balancer.table import ReplicaState, RouteEntry, RoutingTable
from tests.hotpath.strategies import THOROUGH
from tests.hotpath.tables import NAMES, tables
from tests.proxy.workers import in_state, service_of, settings_of

CONFIGURED = ("name", "slot", "policy", "cap", "queue", "queue_timeout_us", "hold", "hold_timeout_us", "max_held")


class Bench:
    """A worker's switch without a worker."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self.context = Context(Poller(), scoreboard.row(0), Router([]), lambda: 1)
        self.switch = Switch(self.context, random.random, lambda: 0)

    def service(self, name: str) -> Service | None:
        return self._service(f"{name}.test".encode(), b"/")

    def _service(self, host: bytes, target: bytes) -> Service | None:
        route = self.context.router.match(host, target)
        return route.service if route else None

    def ready(self, name: str) -> list[Replica]:
        service = self.service(name)
        return service.ready if service else []

    def shown(self) -> object:
        """Everything that a request could notice."""
        services = [service for name in (*NAMES, "app") if (service := self.service(name))]
        configured = [[getattr(service, name) for name in CONFIGURED] for service in services]
        replicas = [
            [(each.name, each.slot, each.target, each.weight, each.pooling) for each in service.ready] for service in services
        ]
        fallback = self._service(b"other.test", b"/any")
        return configured, replicas, fallback and fallback.name, self.context.fields_most


@contextmanager
def bench() -> Iterator[Callable[[], Bench]]:
    scoreboard = Scoreboard.create(1, services=2, replicas=16)
    yield lambda: Bench(scoreboard)
    scoreboard.close()


def sharing(former: RoutingTable, table: RoutingTable) -> RoutingTable:
    """As `delta.updated` makes it: what is equal is the same object."""
    known = {entry: entry for entry in former.services}
    routes = former.routes if former.routes == table.routes else table.routes
    return replace(table, routes=routes, services=tuple(known.get(entry, entry) for entry in table.services))


@settings(parent=THOROUGH, max_examples=200)
@given(st.lists(tables(), min_size=2, max_size=5), st.booleans())
def test_one_table_after_the_other_leaves_the_same_as_the_last_alone(story: list[RoutingTable], shared: bool) -> None:
    with bench() as made:
        long, short = made(), made()
        for table in story:
            long.switch.take(sharing(long.switch.table, table) if shared else table)
        short.switch.take(story[-1])
        assert long.shown() == short.shown()
        assert long.switch.table == story[-1]


@settings(parent=THOROUGH, max_examples=200)
@given(tables(), tables())
def test_services_and_replicas_that_go_on_are_the_same_and_the_others_keep_no_connections(
    first: RoutingTable, second: RoutingTable
) -> None:
    with bench() as made:
        it = made()
        it.switch.take(first)
        before = {name: (it.service(name), list(it.ready(name))) for name in NAMES}
        it.switch.take(sharing(first, second))
        for name, (service, replicas) in before.items():
            now = it.service(name)
            assert service is None or now is None or (service is now) == (service.slot == now.slot)
            after = {(replica.name, replica.address, replica.slot): replica for replica in it.ready(name)}
            for replica in replicas:
                goes_on = after.get((replica.name, replica.address, replica.slot))
                assert goes_on in {None, replica}
                assert replica.pooling == (goes_on is replica)
            if service is not None and now is not service:
                assert service.ready == []


GOOD = RoutingTable(1, (RouteEntry("app.test", "/", "app"),), (service_of("127.0.0.1:1", "127.0.0.1:2", max_concurrency=1),))
BETTER = replace(GOOD, services=(replace(in_state(GOOD.services[0], ReplicaState.DRAINING), max_concurrency=2),))
BAD = {
    "a replica whose address is none": replace(BETTER, services=(*BETTER.services, service_of("nowhere", name="a", slot=1))),
    "a route to no service": replace(BETTER, routes=(*GOOD.routes, RouteEntry("", "/", "a"))),
    "a trusted proxy that is none": replace(BETTER, settings=settings_of(trusted_proxies=("nonsense",), fields=7)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_table_that_is_bad_in_part_changes_nothing_at_all(bad: RoutingTable) -> None:
    with bench() as made:
        it = made()
        it.switch.take(GOOD)
        before, replicas = it.shown(), it.ready("app")
        with pytest.raises((KeyError, ValueError)):
            it.switch.take(bad)
        assert it.shown() == before
        assert it.ready("app") is replicas
        assert it.switch.table is GOOD
        it.switch.take(BETTER)
        assert [replica.name for replica in it.ready("app")] == ["app-1"]


def test_a_table_that_changes_one_service_of_many_touches_no_other() -> None:
    services = tuple(service_of("127.0.0.1:1", name=name, slot=slot) for slot, name in enumerate("ab"))
    routes = tuple(RouteEntry(f"{name}.test", "/", name) for name in "ab")
    with bench() as made:
        it = made()
        it.switch.take(RoutingTable(1, routes, services))
        router, untouched = it.context.router, it.ready("a")
        it.switch.take(RoutingTable(2, routes, (services[0], in_state(services[1], ReplicaState.EJECTED))))
        assert it.context.router is router
        assert it.ready("a") is untouched
        assert it.ready("b") == []
