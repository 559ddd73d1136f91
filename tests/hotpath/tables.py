"""Routing tables for property tests: a handful of names, so that tables which follow one another have much in common."""

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from balancer.limits import Limits
from balancer.table import (
    By,
    Per,
    Policy,
    Priority,
    RateLimit,
    ReplicaEntry,
    ReplicaState,
    RouteEntry,
    RoutingTable,
    ServiceEntry,
    Settings,
)

NAMES = ("a", "b", "é")

REPLICAS = st.lists(
    st.builds(
        ReplicaEntry,
        id=st.sampled_from(["r1", "r2"]),
        slot=st.integers(0, 1),
        address=st.sampled_from(["127.0.0.1:1", "unix:/run/app"]),
        state=st.sampled_from([ReplicaState.READY, ReplicaState.DRAINING]),
        weight=st.integers(1, 2),
    ),
    max_size=2,
    unique_by=lambda replica: replica.id,
).map(tuple)

SERVICES = st.lists(
    st.builds(
        ServiceEntry,
        name=st.sampled_from(NAMES),
        slot=st.integers(0, 1),
        policy=st.sampled_from(Policy),
        max_concurrency=st.integers(0, 1),
        hold=st.booleans(),
        replicas=REPLICAS,
    ),
    max_size=len(NAMES),
    unique_by=lambda service: service.name,
).map(tuple)


@st.composite
def tables(draw: st.DrawFn) -> RoutingTable:
    """Every service has a route by its own name; the first one may have another one for any Host."""
    services = draw(SERVICES)
    routes = [RouteEntry(f"{service.name}.test", "/", service.name) for service in services]
    if services and draw(st.booleans()):
        routes.append(RouteEntry("", "/any", services[0].name))
    settings = Settings(Limits(fields=draw(st.integers(1, 2))), access_log=draw(st.sampled_from(["", "-"])))
    return RoutingTable(routes=tuple(routes), services=services, settings=settings)


BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(0, 1 << 40),
    float: st.floats(0, 1e6),
    bool: st.booleans(),
    str: st.text(max_size=5),
    tuple[str, ...]: st.lists(st.text(max_size=5), max_size=2).map(tuple),
    **{kind: st.sampled_from(kind) for kind in (By, Per, Policy, Priority, ReplicaState)},
}


def with_any_values(kind: Any) -> st.SearchStrategy[Any]:
    """An entry of this kind with any value in every field, those that are added one day included."""
    return st.builds(kind, **{field.name: _any_value(field.type) for field in fields(kind)})


def _any_value(kind: Any) -> st.SearchStrategy[Any]:
    return BY_TYPE[kind] if kind in BY_TYPE else with_any_values(kind)


BY_TYPE[tuple[RateLimit, ...]] = st.lists(with_any_values(RateLimit), max_size=2).map(tuple)
BY_TYPE[tuple[ReplicaEntry, ...]] = st.lists(with_any_values(ReplicaEntry), max_size=2).map(tuple)
BY_TYPE[tuple[ServiceEntry, ...]] = st.lists(
    with_any_values(ServiceEntry), max_size=2, unique_by=lambda service: service.name
).map(tuple)
BY_TYPE[tuple[RouteEntry, ...]] = st.lists(with_any_values(RouteEntry), max_size=2).map(tuple)
