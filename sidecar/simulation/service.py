"""One service in virtual time: requests come, replicas serve, what is counted stands on a scoreboard as in earnest.

Invariant: what came was answered, was lost, or is still here. The READY replicas carry equal shares. Arrivals are given, decisions
are not made here.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from autoscaler.cluster.engine import Usage
from autoscaler.sampling import ReplicaStatus
from balancer.hotpath import board
from balancer.scoreboard import ReplicaReading, ServiceReading
from balancer.table import ReplicaState
from sidecar.simulation.application import Application, Objective
from sidecar.simulation.chance import Chance
from sidecar.simulation.latencies import Latencies, Spread
from sidecar.simulation.lobby import Lobby
from sidecar.simulation.replicas import Replica, Replicas
from sidecar.simulation.station import Station

UNCOUNTED = (0,) * board.BUCKETS
MEMORY = 1 << 30  # octets; nothing is simulated of memory


@dataclass(slots=True)
class Passed:
    """What went on in a stretch of time. lost: without an answer, having waited too long or with a
    replica that crashed. refused: at once."""

    seconds: float
    arrived: int = 0
    answered: float = 0.0
    lost: float = 0.0
    refused: float = 0.0
    held: float = 0.0
    spreads: tuple[tuple[float, Spread], ...] = ()  # (answers, their latencies)


class Service:
    """holds: whether requests wait while there is no replica (the service may scale to zero). latency: whether a rule looks at it."""

    def __init__(
        self, application: Application, objective: Objective, chance: Chance, *, holds: bool, latency: bool, cpu: bool
    ) -> None:
        self.now_s = 0.0
        self.replicas = Replicas(application, chance)
        self.station = Station(application.service_s, application.spread, chance.normal)
        self.lobby = Lobby(application.max_held if holds else 0, application.hold_timeout_s)
        self._application = application
        self._latencies = Latencies(application.shape, application.service_s, application.cv, objective.limit_s)
        self._latency, self._cpu = latency, cpu
        self._waited_s = 0.0
        self._timeouts = self._unavailable = 0.0
        self._known = 0.0  # requests to be answered whose latencies were told when they had been held
        self._cpu_s: dict[str, deque[tuple[float, float]]] = {}  # by replica: (when, processor seconds up to then)

    @property
    def present(self) -> float:
        """Requests here, whether served, waiting or held."""
        return self.station.present + self.lobby.requests

    def advance(self, rate: float, arrived: int, seconds: float) -> Passed:
        """Go on with so many requests per second, of which `arrived` came."""
        self.now_s += seconds
        passed = Passed(seconds, arrived)
        if self.replicas.ready:
            self._serve(passed, rate)
        else:
            self._hold(passed)
        if self.now_s >= self.replicas.due_s:
            self._crash(passed, self.replicas.pass_over(self.now_s))
        if self.replicas.ready and self.lobby.requests:
            self._release(passed)
        return passed

    def scale_to(self, count: int) -> None:
        """Start or remove replicas. What the last one worked on is lost only by a crash: a drain waits for it."""
        self.replicas.scale_to(count, self.now_s)
        for name in self._cpu_s.keys() - {replica.id for replica in self.replicas}:
            del self._cpu_s[name]

    def reading(self) -> ServiceReading:
        """The service's cells on the scoreboard."""
        return ServiceReading(
            waiting=round(self.lobby.requests),
            wait_busy_us=round(self._waited_s * 1e6),
            shed=0,
            wait_timeouts=round(self._timeouts),
            unavailable=round(self._unavailable),
            retries=0,
            aborted=0,
            own_answers=(0, 0, 0, 0, 0),
            upgrades=0,
        )

    def readings(self) -> dict[str, ReplicaReading]:
        """The replicas' cells on the scoreboard."""
        return {replica.id: _reading(replica) for replica in self.replicas}

    def usages(self) -> Mapping[str, Usage | None]:
        """What the engine tells of the READY replicas' processors: what they had used cpu_lag_s ago."""
        return {replica.id: self._usage(replica) for replica in self.replicas.ready} if self._cpu else {}

    def statuses(self) -> list[ReplicaStatus]:
        """What the controller knows of the replicas."""
        return [ReplicaStatus(replica.id, replica.state, replica.started_s, replica.took_s) for replica in self.replicas]

    def _serve(self, passed: Passed, rate: float) -> None:
        station, ready = self.station, self.replicas.ready
        servers = self._application.concurrency * len(ready)
        before = station.present
        busy_s = station.advance(rate, passed.arrived, passed.seconds, servers)
        passed.lost = self._impatient(servers)
        station.limit(before + passed.arrived - passed.lost)
        passed.answered = before + passed.arrived - passed.lost - station.present
        spread = self._latencies.spread(station.wait)
        known = min(self._known, passed.answered)
        self._known -= known
        passed.spreads = ((passed.answered - known, spread),)
        self._timeouts += passed.lost
        self._count(ready, busy_s, passed.answered, spread)
        if self._cpu:
            self._work(ready, passed.seconds)

    def _impatient(self, servers: int) -> float:
        """Those who would wait longer than they are willing to."""
        bound = servers * (self._application.max_wait_s / self._application.service_s + 1.0)
        lost = min(max(0.0, self.station.mean - bound), self.station.present)
        if lost:
            self.station.add(-lost)
        return lost

    def _count(self, ready: list[Replica], busy_s: float, answered: float, spread: Spread) -> None:
        share, answers, present = busy_s / len(ready), answered / len(ready), self.station.present / len(ready)
        for replica in ready:
            replica.busy_s += share
            replica.answers += answers
            replica.in_flight = present
            if self._latency:
                for index, part in spread.buckets:
                    replica.latency[index] += part * answers

    def _work(self, ready: list[Replica], seconds: float) -> None:
        used = seconds * self.station.utilization * self._application.cpu_full
        for replica in ready:
            points = self._cpu_s.setdefault(replica.id, deque([(self.now_s - seconds, 0.0)]))
            points.append((self.now_s, points[-1][1] + used))
            while len(points) > 2 and points[1][0] <= self.now_s - self._application.cpu_lag_s:
                points.popleft()

    def _usage(self, replica: Replica) -> Usage | None:
        points = self._cpu_s.get(replica.id)
        if not points:
            return None
        at_s = self.now_s - self._application.cpu_lag_s
        for (early_s, early), (late_s, late) in pairwise(points):
            if at_s < late_s:
                share = max(0.0, (at_s - early_s) / (late_s - early_s))
                return Usage(self.now_s, early + share * (late - early), 1.0, 0, MEMORY)
        return Usage(self.now_s, points[-1][1], 1.0, 0, MEMORY)

    def _hold(self, passed: Passed) -> None:
        passed.refused = self.lobby.enter(self.now_s - passed.seconds / 2, passed.arrived)
        passed.held = passed.arrived - passed.refused
        passed.lost = self.lobby.give_up(self.now_s)
        self._waited_s += (self.lobby.requests - passed.held / 2) * passed.seconds if self.lobby.requests else 0.0
        self._unavailable += passed.refused
        self._timeouts += passed.lost

    def _crash(self, passed: Passed, share: float) -> None:
        """What crashed replicas worked on has no answer."""
        lost = self.station.present * share
        passed.lost += lost
        self.station.add(-lost)
        if not self.replicas.ready:
            passed.lost += self.station.present
            self.station.add(-self.station.mean)
            self.station.limit(0.0)

    def _release(self, passed: Passed) -> None:
        """The first replica is READY: what was held is served, all at once and then the rest as there is room."""
        served = self._latencies.spread(self.station.wait)
        for party in self.lobby.leave():
            self.station.add(party.requests)
            self._known += party.requests
            passed.spreads += ((party.requests, self._latencies.after(self.now_s - party.at_s, served)),)


def _reading(replica: Replica) -> ReplicaReading:
    return ReplicaReading(
        in_flight=round(replica.in_flight) if replica.state is ReplicaState.READY else 0,
        busy_us=round(replica.busy_s * 1e6),
        status=(0, int(replica.answers), 0, 0, 0),
        connect_errors=0,
        broken=round(replica.broken),
        timeouts=0,
        bytes_in=0,
        bytes_out=0,
        latency_sum_us=0,
        pooled=0,
        connects=0,
        latency=tuple(map(int, replica.latency)) if any(replica.latency) else UNCOUNTED,
    )
