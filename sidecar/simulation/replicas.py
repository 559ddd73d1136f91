"""The replicas in virtual time: they start, become READY, fail, crash, are started again with the engine's delays, and leave.

A replica that leaves does so at once, the newest first (the plan's choice among equals), and what ran in it goes on elsewhere: a drain
takes about as long as a request. Invariant: nothing changes between two moments of `due_s`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from autoscaler.cluster.restarts import Crashes, RestartPolicy, after_crash, delay_s
from balancer.hotpath import board
from balancer.table import ReplicaState
from sidecar.simulation.application import HOUR_S, Application
from sidecar.simulation.chance import Chance

RESTARTS = RestartPolicy()


@dataclass(slots=True)
class Replica:
    """due_s: when it becomes READY while it starts, and when it crashes while it is READY. The rest is what it has counted.

    busy_s: request-seconds. latency: answers per bucket, counted only where a rule looks at them.
    """

    id: str
    started_s: float
    state: ReplicaState = ReplicaState.STARTING
    due_s: float = math.inf
    took_s: float | None = None
    crashes: Crashes = field(default_factory=Crashes)
    in_flight: float = 0.0
    busy_s: float = 0.0
    answers: float = 0.0
    broken: float = 0.0
    latency: list[float] = field(default_factory=lambda: [0.0] * board.BUCKETS)


class Replicas:
    """All of one service, the oldest first."""

    def __init__(self, application: Application, chance: Chance) -> None:
        self.all: list[Replica] = []
        self.ready: list[Replica] = []
        self.due_s = math.inf
        self._application = application
        self._chance = chance
        self._made = 0

    def __iter__(self) -> Iterator[Replica]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def scale_to(self, count: int, now_s: float) -> None:
        """Start or remove as many as are missing or too many."""
        del self.all[max(0, count) :]
        while len(self.all) < count:
            self._made += 1
            self.all.append(Replica(f"r{self._made}", now_s, due_s=now_s + self._start_s()))
        self._settle()

    def pass_over(self, now_s: float) -> float:
        """What is due by now happens. Returns the share of the READY replicas that crashed, with what they worked on."""
        crashed = sum(self._pass(replica, now_s) for replica in self.all if replica.due_s <= now_s)
        share = crashed / len(self.ready) if crashed else 0.0
        self._settle()
        return share

    def warm(self) -> None:
        """All that are there have been READY for long."""
        for replica in self.all:
            self._become_ready(replica, replica.started_s)
        self._settle()

    def _pass(self, replica: Replica, now_s: float) -> bool:
        """Returns whether it crashed while READY."""
        if replica.state is ReplicaState.READY:
            replica.broken += replica.in_flight
            self._restart(replica, now_s)
            return True
        if self._chance.uniform() < self._application.start_failure:
            self._restart(replica, now_s)
        else:
            self._become_ready(replica, now_s)
        return False

    def _become_ready(self, replica: Replica, now_s: float) -> None:
        replica.state, replica.took_s = ReplicaState.READY, now_s - replica.started_s
        rate = self._application.crashes_per_hour / HOUR_S
        replica.due_s = now_s + self._chance.exponential() / rate if rate else math.inf

    def _restart(self, replica: Replica, now_s: float) -> None:
        replica.crashes = after_crash(replica.crashes, RESTARTS, now_s - replica.started_s, now_s)
        replica.state, replica.in_flight = ReplicaState.STARTING, 0.0
        replica.started_s = now_s + delay_s(replica.crashes, RESTARTS, self._chance.uniform())
        replica.due_s = replica.started_s + self._start_s()

    def _start_s(self) -> float:
        application = self._application
        return application.start_s * (1.0 + application.jitter * (2.0 * self._chance.uniform() - 1.0))

    def _settle(self) -> None:
        self.ready = [replica for replica in self.all if replica.state is ReplicaState.READY]
        self.due_s = min((replica.due_s for replica in self.all), default=math.inf)
