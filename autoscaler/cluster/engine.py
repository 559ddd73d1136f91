"""What an engine is: whatever can run replicas of a service. The contract that every file beside this one keeps.

Invariants: an engine does what it is told and reports what it sees; it decides nothing, drains nothing (whoever calls `stop` has
drained) and knows nothing of routing. Every call returns or raises within its deadline.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Protocol

Changed = Callable[[str], None]
Tell = Callable[[str, str, str], None]


def silent(service: str, kind: str, message: str) -> None:
    """A `Tell` that tells nobody."""


class EngineError(Exception):
    """The engine could not do it; the message says what, where and what to do. Trying again later is allowed."""


class NotHeardYet(EngineError):  # noqa: N818 - nothing has failed so far
    """The engine has not said yet what is there."""


class InstanceStatus(StrEnum):
    """What the engine knows of an instance. RUNNING says that it runs, not that it is ready for requests."""

    PENDING = "pending"  # asked for; waits for a place, its image or its start, and may have no address yet
    RUNNING = "running"
    BACKOFF = "backoff"  # crashed; will be started again at a known time
    STOPPING = "stopping"
    EXITED = "exited"


class Pull(StrEnum):
    """When an image is pulled before a container is made from it, as in Compose."""

    MISSING = "missing"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """How the container engine itself asks a container how it is, as in Compose.

    test: ("CMD", ...), ("CMD-SHELL", line), ("NONE",), or () for the image's own.
    """

    test: tuple[str, ...]
    interval_s: float = 30.0
    timeout_s: float = 30.0
    retries: int = 3
    start_period_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Image:
    """Replicas made from an image. port: that they listen on; 0: the only one that the image exposes.

    volumes, networks: as in Compose ("data:/var/lib/app", "/srv/app:/app:ro"). cpus, memory: limits in cores and octets; 0: none.
    stop_signal: "" is the image's.
    """

    name: str
    port: int = 0
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    cpus: float = 0.0
    memory: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None
    pull: Pull = Pull.MISSING


@dataclass(frozen=True, slots=True)
class Clone:
    """Replicas made as a Compose service's containers are. project: "" is the one that Écluse itself belongs to, or else the only one
    that has such a service. port: as in `Image`."""

    service: str
    project: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Copy:
    """Replicas made as one container is that belongs to no Compose project. container: its name. port: as in `Image`."""

    container: str
    port: int = 0


@dataclass(frozen=True, slots=True)
class SwarmService:
    """The tasks of a replicated Swarm service. network: the one to reach them over; "" is one that Écluse is attached to itself."""

    name: str
    port: int = 0
    network: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The containers that carry the label `ecluse.service` with this name: only found, never started. port: as in `Image`."""

    name: str
    port: int = 0


Source = Image | Clone | Copy | SwarmService | Labelled


@dataclass(frozen=True, slots=True)
class Discovered:
    """What carries the label `ecluse.enable=true`: a Compose service, other containers of one name, or a Swarm service.

    name: what the service is called unless `ecluse.service` says otherwise. labels: those that begin with "ecluse.".
    """

    name: str
    labels: Mapping[str, str]
    source: Source


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """What to run. command: words in which {port} or {socket}, and {name}, are replaced; empty for engines that know by
    themselves. source: where a container comes from; None for a local process."""

    service: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    stop_grace_s: float = 10.0
    source: Source | None = None

    @property
    def version(self) -> str:
        """What makes two instances of a service the same program, as a short digest: everything but the grace."""
        parts = [self.command, sorted(self.environment.items()), self.directory, self.source and asdict(self.source)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Instance:
    """One replica as the engine sees it. address as in `balancer.table.ReplicaEntry`, "" while it has none; since_s: CLOCK_MONOTONIC
    seconds. outdated: a start would now give another image or configuration than the one it runs. foreign: it belongs to somebody
    else (the container that others are cloned from, a task of a service that others made): requests go to it, but it is not stopped
    from here when nobody wants it, except by an engine with a `removal_order`, whose count is lowered.

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
    outdated: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """What an instance has used. at_s: CLOCK_MONOTONIC; cpu_s: processor seconds since it began; memory: octets in use now.

    cpus, memory_limit: what it may use; where nothing limits it, all that its machine has. memory_request: what it is said to need where
    the engine was told so; 0: it was not.
    """

    at_s: float
    cpu_s: float
    cpus: float
    memory: int
    memory_limit: int
    memory_request: int = 0

    def against(self, cpus: float, memory: int) -> "Usage":
        """The same, measured against what it is said to need (a request, as in the HPA) where that is known and not 0."""
        return replace(self, cpus=cpus or self.cpus, memory_limit=memory or self.memory_request or self.memory_limit)


class Engine(Protocol):
    """Runs the instances of services."""

    @property
    def can_scale(self) -> bool:
        """False where instances are only found (fixed endpoints, a DNS name), never started or stopped."""
        ...

    @property
    def outlives(self) -> bool:
        """Whether its instances go on when this program ends, to be taken over by the next one."""
        ...

    async def open(self, changed: Changed, tell: Tell = silent) -> None:
        """Begin. From now on `changed(service)` is called on the event loop whenever `list(service)` would answer differently, and
        `tell(service, kind, message)` for what somebody should know of: a pull that fails, a count that was reset by others."""
        ...

    def declare(self, spec: InstanceSpec) -> None:
        """The service is configured so, from now on or again: `list` is to know its instances, and `start` gives such ones."""
        ...

    def forget(self, service: str) -> None:
        """The service is no longer configured, and what was started for it is gone."""
        ...

    def discovered(self) -> Sequence["Discovered"]:
        """What describes itself as a service by its labels, in the order of names. `changed("")` says that it is another set."""
        ...

    async def list(self, service: str) -> Sequence[Instance]:
        """The instances of a service, whatever their status, oldest first. Cheap: answered from what is known. Raises NotHeardYet
        while nothing is known yet (the cluster's endpoint is away): that is not the same as none. Raises EngineError."""
        ...

    async def start(self, spec: InstanceSpec) -> Instance:
        """Start one more instance; returns when it is on its way, not when it is ready. Raises EngineError, with nothing left behind."""
        ...

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """Stop one instance: SIGTERM, at most grace_s, SIGKILL. Returns when it is gone; unknown ids are gone already. Where
        `removal_order` is given, it is gone also when the engine turns out to remove another one: `list` then shows it again."""
        ...

    async def restart(self, instance_id: str) -> None:
        """Replace a sick instance by a new one under the same id. Raises EngineError."""
        ...

    async def execute(self, instance_id: str, command: Sequence[str], timeout_s: float) -> tuple[int, str]:
        """Run a command in an instance: its exit status, and the last line that it printed. Ended after timeout_s. Raises EngineError if
        it cannot be run or did not end in time."""
        ...

    def owns_listener(self, instance_id: str) -> bool | None:
        """Whether it is this instance that listens on its address, not a stranger; None: nobody listens there yet.

        To be asked before a replica becomes READY for the first time. Engines that cannot tell answer True.
        """
        ...

    def hurry(self, service: str) -> None:
        """There is reason to think that its instances have changed, such as a refused connection: look at once."""
        ...

    def removal_order(self, service: str) -> Sequence[str] | None:
        """The ids in the order in which the engine itself removes them when the count is lowered, the first to go first. None: it
        removes whichever it is told to."""
        ...

    def predictions(self, service: str) -> tuple[int, int]:
        """How many removals there were as `removal_order` had said, and how many of others."""
        ...

    def full(self, service: str) -> str:
        """Why no further instance of it can be placed now, in words; "" if nothing is known to be in the way."""
        ...

    def trouble(self, service: str) -> str:
        """What is wrong with where its instances come from, in words; "" if nothing is."""
        ...

    def way(self, service: str) -> str:
        """How its instances are reached, in words, where there is more than one way; "" otherwise."""
        ...

    def usage(self, instance_id: str) -> Usage | None:
        """What an instance uses, as far as the engine has been told; None: unknown."""
        ...

    async def close(self) -> None:
        """Give back resources, and unless it `outlives`, stop everything it started."""
        ...


class Plain:
    """What an engine answers that ends with this program, discovers and chooses nothing by itself, is never full and measures nothing."""

    @property
    def outlives(self) -> bool:
        """What it started ends with it."""
        return False

    def declare(self, spec: InstanceSpec) -> None:
        """It knows each instance's spec from its start."""

    def discovered(self) -> Sequence[Discovered]:
        """There are no labels here."""
        return ()

    async def execute(self, instance_id: str, command: Sequence[str], timeout_s: float) -> tuple[int, str]:
        """It cannot reach into what it did not start."""
        raise EngineError(f"commands cannot be run in {instance_id}, which was not started here")

    def hurry(self, service: str) -> None:
        """It is told of every change as it happens."""

    def removal_order(self, service: str) -> Sequence[str] | None:
        """It stops whichever it is told to."""
        return None

    def predictions(self, service: str) -> tuple[int, int]:
        """There is nothing to predict."""
        return 0, 0

    def full(self, service: str) -> str:
        """There is no limit that it knows of."""
        return ""

    def trouble(self, service: str) -> str:
        """Nothing is wrong by itself."""
        return ""

    def way(self, service: str) -> str:
        """There is but one."""
        return ""

    def usage(self, instance_id: str) -> Usage | None:
        """Nothing is measured."""
        return None
