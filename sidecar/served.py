"""The services of a routing table as the proxy that was given it sees them: what it counts of each, and whether it can carry them all.

Why there are so many replicas is not known here: that is the autoscaler's.
"""

from collections.abc import Callable

from autoscaler.rules import Pause, Rules
from autoscaler.sampling import Sampler
from balancer.scoreboard import ReplicaReading
from balancer.table import ReplicaEntry, ReplicaState, RoutingTable, ServiceEntry
from sidecar.data_path import DataPath
from sidecar.readings import since
from sidecar.status import route_text
from sidecar.views import ReplicaView, ServiceView, UnknownName

ENGINE = "autoscaler"  # runs elsewhere, and knows the engine

Owner = tuple[str, str, int]  # service, replica, slot


class Served:
    """`complete`: every service has, or once had, a replica to send requests to, or may hold them. clock: CLOCK_MONOTONIC seconds."""

    def __init__(self, path: DataPath, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._table = RoutingTable()
        self._baselines: dict[Owner, tuple[float, ReplicaReading]] = {}  # since when, and what its slot had counted before
        self._samplers: dict[str, Sampler] = {}
        self._carried: set[str] = set()

    @property
    def complete(self) -> bool:
        return self._table.generation > 0 and all(entry.name in self._carried for entry in self._table.services)

    def follow(self, table: RoutingTable) -> None:
        """This table is in use."""
        self._table = table
        owners = {_owner(entry, line) for entry in table.services for line in entry.replicas}
        for owner in self._baselines.keys() - owners:
            del self._baselines[owner]
        for owner in owners - self._baselines.keys():
            self._baselines[owner] = (self._clock(), self._path.replica(owner[2]))
        before, self._samplers = self._samplers, {}
        for entry in table.services:
            self._samplers[entry.name] = before.get(entry.name) or Sampler(Rules())
            if entry.hold or any(line.state is ReplicaState.READY for line in entry.replicas):
                self._carried.add(entry.name)

    def tick(self) -> None:
        """Sample. About once a second."""
        for entry in self._table.services:
            cells = {line.id: self._path.cells(line.slot) for line in entry.replicas}
            self._samplers[entry.name].take(self._clock(), self._path.service(entry.slot), cells)

    def named(self, name: str) -> ServiceEntry:
        """Raises UnknownName."""
        for entry in self._table.services:
            if entry.name == name:
                return entry
        there = ", ".join(entry.name for entry in self._table.services)
        raise UnknownName(f"no service {name!r}; in the routing table there are: {there or 'none'}")

    def views(self) -> list[ServiceView]:
        """All services, in the order of the table."""
        return [self.view(entry) for entry in self._table.services]

    def view(self, entry: ServiceEntry) -> ServiceView:
        """One service."""
        sampler = self._samplers[entry.name]
        active = [line for line in entry.replicas if line.state is not ReplicaState.DRAINING]
        return ServiceView(
            name=entry.name,
            engine=ENGINE,
            scalable=False,
            routes=tuple(route_text(route) for route in self._table.routes if route.service == entry.name),
            current=len(active),
            ready=sum(line.state is ReplicaState.READY for line in active),
            desired=len(active),
            min_replicas=0,
            max_replicas=0,
            override=None,
            dry_run=False,
            pause=Pause.NONE,
            load=sampler.load,
            rps=sampler.rps,
            latency_p50_s=sampler.latency(50),
            latency_p95_s=sampler.latency(95),
            last_decision="",
            replicas=tuple(self._replica_view(entry, line) for line in entry.replicas),
            reading=self._path.service(entry.slot),
        )

    def _replica_view(self, entry: ServiceEntry, line: ReplicaEntry) -> ReplicaView:
        since_s, _ = self._baselines[_owner(entry, line)]
        return ReplicaView(
            id=line.id,
            state=line.state.value,
            address=line.address,
            weight=line.weight,
            age_s=self._clock() - since_s,
            pid=0,
            restarts=0,
            detail="",
            reading=self._reading(entry, line),
        )

    def _reading(self, entry: ServiceEntry, line: ReplicaEntry) -> ReplicaReading:
        return since(self._path.replica(line.slot), self._baselines[_owner(entry, line)][1])


def _owner(entry: ServiceEntry, line: ReplicaEntry) -> Owner:
    return entry.name, line.id, line.slot
