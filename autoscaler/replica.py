"""One replica as the fleet keeps it: its identity, its state and why it is in it.

Invariant: the state changes only along `balancer.table.TRANSITIONS`. A replica does nothing; the fleet does.
"""

import math
from dataclasses import dataclass

from autoscaler.cluster.engine import Instance, InstanceStatus
from balancer.scoreboard import ReplicaReading
from balancer.table import TRANSITIONS, ReplicaEntry, ReplicaState


class IllegalTransition(RuntimeError):  # noqa: N818 - names what was tried
    """A state cannot follow from another; the message names both."""


@dataclass(slots=True)
class Replica:
    """version: as `InstanceSpec.version`. since_s: when it came into its state; started_s: when it was last started; both
    CLOCK_MONOTONIC.

    started_up: its start-up probe has passed, or there is none; up_s: when. reviving: it is being restarted since it was not alive;
    revived: how often it was. proven: it has been READY since it was last started. took_s: how long its last start took, None until it
    was READY. ready_at_s: when it became READY last, in seconds since the epoch. baseline: what its slot had counted for others before.
    complaint: why it is not READY yet, as told last at complained_s.
    """

    instance: Instance
    slot: int
    version: str
    since_s: float
    started_s: float
    baseline: ReplicaReading
    state: ReplicaState = ReplicaState.STARTING
    detail: str = "starting"
    proven: bool = False
    started_up: bool = False
    up_s: float = -math.inf
    reviving: bool = False
    revived: int = 0
    took_s: float | None = None
    ready_at_s: float = 0.0
    complaint: str = ""
    complained_s: float = -math.inf

    @property
    def id(self) -> str:
        """The engine's name for it."""
        return self.instance.id

    @property
    def active(self) -> bool:
        """Whether it counts as one of the wanted replicas."""
        return self.state not in {ReplicaState.DRAINING, ReplicaState.GONE}

    @property
    def expected(self) -> bool:
        """Whether it runs and is to become READY for the first time since it was started."""
        return self.active and not self.proven and self.instance.status is InstanceStatus.RUNNING

    @property
    def crash_looping(self) -> bool:
        """Whether it has crashed again and again and has not been READY since."""
        return self.active and not self.proven and self.instance.crash_looping

    def move(self, state: ReplicaState, now_s: float, detail: str) -> None:
        """Change the state. Raises IllegalTransition."""
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(f"replica {self.id} cannot become {state} while it is {self.state}")
        self.state, self.since_s, self.detail = state, now_s, detail
        if state is ReplicaState.READY and not self.proven:
            self.proven, self.took_s = True, now_s - self.started_s

    def entry(self) -> ReplicaEntry:
        """Its line in the routing table."""
        return ReplicaEntry(self.id, self.slot, self.instance.address, self.state, self.instance.weight, self.ready_at_s)
