"""What an engine is: whatever can run replicas of a service. The contract that every file beside this one keeps.

Invariants: an engine does what it is told and reports what it sees; it decides nothing, drains nothing (whoever calls `stop` has
drained) and knows nothing of routing. Every call returns or raises within its deadline.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class EngineError(Exception):
    """The engine could not do it; the message says what, where and what to do. Trying again later is allowed."""


class InstanceStatus(StrEnum):
    """What the engine knows of an instance. RUNNING says that it runs, not that it is ready for requests."""

    RUNNING = "running"
    BACKOFF = "backoff"  # crashed; will be started again at a known time
    STOPPING = "stopping"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """What to run. command: words in which {port} or {socket}, and {name}, are replaced; empty for engines that know by
    themselves."""

    service: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    stop_grace_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Instance:
    """One replica as the engine sees it. address as in `balancer.table.ReplicaEntry`; since_s: CLOCK_MONOTONIC seconds.

    An instance that was started again keeps its id but may have another address and pid.
    """

    id: str
    service: str
    address: str
    status: InstanceStatus
    since_s: float
    pid: int = 0
    restarts: int = 0
    crash_looping: bool = False
    detail: str = ""  # in words: "exited with status 1, starts again in 4 s"
    weight: int = 1  # share of the picks, where the engine's user gave one


class Engine(Protocol):
    """Runs the instances of services."""

    @property
    def can_scale(self) -> bool:
        """False where instances are only found (fixed endpoints, a DNS name), never started or stopped."""
        ...

    async def open(self, changed: Callable[[str], None]) -> None:
        """Begin. From now on `changed(service)` is called on the event loop whenever `list(service)` would answer differently."""
        ...

    async def list(self, service: str) -> Sequence[Instance]:
        """The instances of a service, whatever their status, oldest first. Cheap: answered from what is known."""
        ...

    async def start(self, spec: InstanceSpec) -> Instance:
        """Start one more instance; returns when it is on its way, not when it is ready. Raises EngineError."""
        ...

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """Stop one instance: SIGTERM, at most grace_s, SIGKILL. Returns when it is gone; unknown ids are gone already."""
        ...

    async def restart(self, instance_id: str) -> None:
        """Replace a sick instance by a new one under the same id. Raises EngineError."""
        ...

    def owns_listener(self, instance_id: str) -> bool | None:
        """Whether it is this instance that listens on its address, not a stranger; None: nobody listens there yet.

        To be asked before a replica becomes READY for the first time. Engines that cannot tell answer True.
        """
        ...

    async def close(self) -> None:
        """Stop everything this engine started and give back its resources."""
        ...
