"""What a Swarm's manager answers about services, tasks and machines, read into plain data. Pure; nothing is concluded here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

Json = dict[str, Any]

STOP_GRACE_S = 10.0  # where a service does not say
_NS = 1e9


class TaskState(IntEnum):
    """In the order in which a task goes through them. One that is beyond RUNNING has ended."""

    NEW = 0
    PENDING = 1
    ASSIGNED = 2
    ACCEPTED = 3
    PREPARING = 4
    READY = 5
    STARTING = 6
    RUNNING = 7
    COMPLETE = 8
    SHUTDOWN = 9
    FAILED = 10
    REJECTED = 11
    REMOVE = 12
    ORPHANED = 13


@dataclass(frozen=True, slots=True)
class Attachment:
    """A task's address on a network. cidr: "10.0.1.7/24"."""

    network_id: str
    network: str
    cidr: str


@dataclass(frozen=True, slots=True)
class Task:
    """One task. slot: 0 for a global service's. machine: the id of the one that it was given to, "" while it has none.

    words: what was said last of its state. created_s: seconds since the epoch. published: (its port, the machine's port) each, of
    those published in host mode. container: "" before there is one.
    """

    id: str
    service_id: str
    slot: int
    machine: str
    state: TaskState
    desired: TaskState
    words: str = ""
    created_s: float = 0.0
    published: tuple[tuple[int, int], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    container: str = ""

    @property
    def wanted(self) -> bool:
        """Whether Swarm wants it to run, now or when its turn comes."""
        return self.desired <= TaskState.RUNNING

    @property
    def ended(self) -> bool:
        return self.state > TaskState.RUNNING


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service as it is now. version: of this reading; an update has to name it. spec: the whole of it, as it is sent back.

    replicas: None for a global service. update: what Swarm's rolling update does ("updating", "paused"...), "" if there was none.
    rolls_back: a failing update is undone by Swarm itself. ports: those that it is known to listen on.
    """

    id: str
    name: str
    version: int
    spec: Json
    replicas: int | None
    labels: Mapping[str, str]
    update: str = ""
    update_words: str = ""
    rolls_back: bool = False
    stop_grace_s: float = STOP_GRACE_S
    ports: tuple[int, ...] = ()

    @property
    def updating(self) -> bool:
        """Whether a rolling update, or its undoing, is under way."""
        return self.update in {"updating", "rollback_started"}

    @property
    def paused(self) -> bool:
        """Whether an update has failed and waits for somebody. Any change of the service, its count too, would set it going again."""
        return self.update in {"paused", "rollback_paused"}


@dataclass(frozen=True, slots=True)
class MachineState:
    """A machine of the Swarm. address: "" if it is not known."""

    id: str
    name: str
    up: bool
    address: str


@dataclass(frozen=True, slots=True)
class View:
    """What a manager said in one go. services: by name; tasks: by service id; machines: by id. labelled: services with our label."""

    services: Mapping[str, ServiceState]
    tasks: Mapping[str, Sequence[Task]]
    machines: Mapping[str, MachineState]
    labelled: Sequence[ServiceState] = ()

    def of(self, name: str) -> Sequence[Task]:
        """The tasks of a service, those that have ended included."""
        service = self.services.get(name)
        return self.tasks.get(service.id, ()) if service else ()


def read_task(answer: Json) -> Task:
    """One of GET /tasks."""
    status = answer.get("Status", {})
    ports = status.get("PortStatus", {}).get("Ports") or ()
    return Task(
        id=answer["ID"],
        service_id=answer.get("ServiceID", ""),
        slot=answer.get("Slot", 0),
        machine=answer.get("NodeID", ""),
        state=_state(status.get("State", "")),
        desired=_state(answer.get("DesiredState", "")),
        words=status.get("Err") or status.get("Message", ""),
        created_s=read_time(answer["CreatedAt"]),
        published=tuple((port["TargetPort"], port["PublishedPort"]) for port in ports if port.get("PublishMode") == "host"),
        attachments=tuple(_attachments(answer.get("NetworksAttachments") or ())),
        container=status.get("ContainerStatus", {}).get("ContainerID", ""),
    )


def read_service(answer: Json) -> ServiceState:
    """One of GET /services."""
    spec, update = answer["Spec"], answer.get("UpdateStatus") or {}
    replicated = spec.get("Mode", {}).get("Replicated")
    container = spec["TaskTemplate"].get("ContainerSpec", {})
    ports = spec.get("EndpointSpec", {}).get("Ports") or ()
    return ServiceState(
        id=answer["ID"],
        name=spec["Name"],
        version=answer["Version"]["Index"],
        spec=spec,
        replicas=None if replicated is None else replicated.get("Replicas", 0),
        labels=spec.get("Labels") or {},
        update=update.get("State", ""),
        update_words=update.get("Message", ""),
        rolls_back=(spec.get("UpdateConfig") or {}).get("FailureAction") == "rollback",
        stop_grace_s=container.get("StopGracePeriod", STOP_GRACE_S * _NS) / _NS,
        ports=tuple(sorted({port["TargetPort"] for port in ports})),
    )


def read_machine(answer: Json) -> MachineState:
    """One of GET /nodes. A manager may give its own address as 0.0.0.0; the one that others reach it at then stands elsewhere."""
    address = answer.get("Status", {}).get("Addr", "")
    if address in {"", "0.0.0.0", "::"}:  # noqa: S104 - read in an answer, not listened on
        address = answer.get("ManagerStatus", {}).get("Addr", "").rpartition(":")[0].strip("[]")
    up = answer.get("Status", {}).get("State") != "down"
    return MachineState(answer["ID"], answer.get("Description", {}).get("Hostname", ""), up, address)


def with_replicas(spec: Json, replicas: int) -> Json:
    """The same spec with another number of replicas, and nothing else changed."""
    return {**spec, "Mode": {**spec["Mode"], "Replicated": {**spec["Mode"]["Replicated"], "Replicas": replicas}}}


def read_time(text: str) -> float:
    """Seconds since the epoch of "2026-11-25T01:36:10.634Z"."""
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def _state(name: str) -> TaskState:
    """A name that we do not know is taken for a beginning: nothing is done to such a task, and no request goes to it."""
    return TaskState.__members__.get(name.upper(), TaskState.NEW)


def _attachments(answers: Sequence[Json]) -> list[Attachment]:
    """Without the network that Swarm's own load balancer uses."""
    return [
        Attachment(network["ID"], network.get("Spec", {}).get("Name", ""), address)
        for answer in answers
        if not (network := answer["Network"]).get("Spec", {}).get("Ingress")
        for address in answer.get("Addresses") or ()
    ]
