"""How a routing table travels to a worker: as what has changed since a generation that the worker is known to have.

The controller's `Chronicle` knows of each part of the table (one service, the list of their names, the routes, the settings) the
generation with which it last changed. A worker is sent every part that has changed since the generation it acknowledged last, or
everything if it has acknowledged none; `updated` puts them in the place of the former ones.

Invariants: a part that was not sent is the same in every generation from the acknowledged one to the new one. So the outcome does
not depend on what became of the tables between: a worker may have taken them, refused them, or never seen them because a newer one
replaced them while they waited. A part that did not change stays the same object, by which `switch.py` finds those that did.
"""

from dataclasses import asdict
from operator import attrgetter
from typing import Any

from balancer.limits import Limits, Timeouts
from balancer.table import (
    Affinity,
    By,
    Per,
    Policy,
    Priority,
    RateLimit,
    ReplicaEntry,
    ReplicaState,
    Retries,
    RouteEntry,
    RoutingTable,
    ServiceEntry,
    Settings,
)

_route_values = attrgetter(*RouteEntry.__slots__)
_rate_values = attrgetter(*RateLimit.__slots__)
_replica_values = attrgetter(*ReplicaEntry.__slots__)


class Chronicle:
    """The newest table, and when its parts became what they are. Generation 0 is the empty table of a worker that was told nothing."""

    def __init__(self) -> None:
        self.table = RoutingTable()
        self._services: dict[str, int] = {}
        self._names = 0
        self._routes = 0
        self._settings = 0

    def enter(self, table: RoutingTable) -> None:
        """Follow the last table with one of a higher generation."""
        former, self.table = self.table, table
        known = {entry.name: entry for entry in former.services}
        for entry in table.services:
            before = known.get(entry.name)
            if before is not entry and before != entry:
                self._services[entry.name] = table.generation
        if list(known) != [entry.name for entry in table.services]:
            self._names = table.generation
            self._services = {entry.name: self._services[entry.name] for entry in table.services}
        if former.routes != table.routes:
            self._routes = table.generation
        if former.settings != table.settings:
            self._settings = table.generation

    def since(self, generation: int) -> dict[str, Any]:
        """What a worker that has acknowledged this generation is to be sent, as JSON-ready data. 0: everything."""
        table = self.table
        changed = [entry for entry in table.services if self._services[entry.name] > generation]
        data: dict[str, Any] = {"generation": table.generation, "since": generation}
        data["services"] = [_service_to_wire(entry) for entry in changed]
        if self._names > generation:
            data["names"] = [entry.name for entry in table.services]
        if self._routes > generation:
            data["routes"] = [_route_to_wire(route) for route in table.routes]
        if self._settings > generation:
            data["settings"] = asdict(table.settings)
        return data


def updated(former: RoutingTable, data: dict[str, Any]) -> RoutingTable:
    """The table that `Chronicle.since` made the data from. Raises KeyError, TypeError or ValueError if it was not made for `former`."""
    if data["since"] > former.generation:
        raise ValueError(f"it says what changed since generation {data['since']}, and generation {former.generation} is in use")
    entries = {entry.name: entry for entry in former.services}
    names = data.get("names", list(entries))
    entries.update((service["name"], _service_from_wire(service)) for service in data["services"])
    return RoutingTable(
        generation=data["generation"],
        routes=tuple(map(_route_from_wire, data["routes"])) if "routes" in data else former.routes,
        services=tuple(entries[name] for name in names),
        settings=_settings_from_wire(data["settings"]) if "settings" in data else former.settings,
    )


def _route_to_wire(route: RouteEntry) -> list[Any]:
    *values, rates = _route_values(route)
    return [*values, _rates_to_wire(rates)]


def _route_from_wire(values: list[Any]) -> RouteEntry:
    host, path, service, priority, body, rates = values
    return RouteEntry(host, path, service, Priority(priority), body, _rates_from_wire(rates))


def _rates_to_wire(rates: tuple[RateLimit, ...]) -> list[Any]:
    return [_rate_values(rate) for rate in rates]


def _rates_from_wire(rates: list[Any]) -> tuple[RateLimit, ...]:
    return tuple(RateLimit(Per(per), *values) for per, *values in rates)


def _service_to_wire(entry: ServiceEntry) -> dict[str, Any]:
    """Replicas, of which there are most, as lists of their values."""
    values = {name: getattr(entry, name) for name in ServiceEntry.__slots__}
    parts = {"retries": asdict(entry.retries), "affinity": asdict(entry.affinity), "rates": _rates_to_wire(entry.rates)}
    return {**values, **parts, "replicas": [_replica_values(replica) for replica in entry.replicas]}


def _service_from_wire(data: dict[str, Any]) -> ServiceEntry:
    replicas = tuple(
        ReplicaEntry(name, slot, address, ReplicaState(state), weight, ready_at_s)
        for name, slot, address, state, weight, ready_at_s in data["replicas"]
    )
    affinity = Affinity(**{**data["affinity"], "by": By(data["affinity"]["by"])})
    parts = {"retries": Retries(**data["retries"]), "affinity": affinity, "rates": _rates_from_wire(data["rates"])}
    return ServiceEntry(**{**data, **parts, "policy": Policy(data["policy"]), "replicas": replicas})


def _settings_from_wire(data: dict[str, Any]) -> Settings:
    parts = {"limits": Limits(**data["limits"]), "timeouts": Timeouts(**data["timeouts"])}
    return Settings(**{**data, **parts, "trusted_proxies": tuple(data["trusted_proxies"])})
