"""Containers as the engine describes them, read into what is needed of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

Json = dict[str, Any]


class State(StrEnum):
    """The engine's own word for where a container stands."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"  # could not be removed whole

    @property
    def lives(self) -> bool:
        """Whether its processes are there."""
        return self in {State.RUNNING, State.PAUSED}


class Attachment(NamedTuple):
    """A container in a network. ip: "" while it does not run."""

    network_id: str
    ip: str


class Published(NamedTuple):
    """Where a port of a container can be reached on its machine."""

    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Row:
    """A container in the list of all. sight: what differs when it is worth a closer look."""

    id: str
    name: str
    labels: Mapping[str, str]
    state: State
    sight: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Container:
    """One container, looked at closely. Times in seconds since the epoch by the engine's clock, 0: never. ending: what makes one end
    of it different from its last one. published, exposed: TCP only. memory, cpus: its limits, and
    memory_request: what is kept for it, 0 for none."""

    id: str
    name: str
    labels: Mapping[str, str]
    image: str
    image_id: str
    state: State
    pid: int = 0
    exit_code: int = 0
    out_of_memory: bool = False
    error: str = ""
    created_s: float = 0.0
    started_s: float = 0.0
    finished_s: float = 0.0
    restarts: int = 0
    host_network: bool = False
    attachments: Mapping[str, Attachment] | None = None
    published: Mapping[int, tuple[Published, ...]] | None = None
    exposed: tuple[int, ...] = ()
    stop_signal: str = ""
    memory: int = 0
    cpus: float = 0.0
    memory_request: int = 0

    @property
    def ending(self) -> tuple[float, float, str]:
        """The same as long as it has not run, or failed to, again."""
        return self.started_s, self.finished_s, self.error


def row(json: Json) -> Row:
    """One of the answer to GET /containers/json."""
    names = [name.removeprefix("/") for name in json.get("Names") or []]
    networks = (json.get("NetworkSettings") or {}).get("Networks") or {}
    ports = sorted(str(sorted(port.items())) for port in json.get("Ports") or [])
    attached = sorted((name, network.get("IPAddress", "")) for name, network in networks.items())
    state = _state(json.get("State"))
    own = next((name for name in names if "/" not in name), json["Id"][:12])  # names with a slash are links' names for it
    labels = json.get("Labels") or {}
    return Row(json["Id"], own, labels, state, (state, own, tuple(ports), tuple(attached)))


def container(json: Json) -> Container:
    """The answer to GET /containers/{id}/json."""
    state, config, host, network = json["State"], json["Config"], json["HostConfig"], json["NetworkSettings"]
    networks = network.get("Networks") or {}
    return Container(
        id=json["Id"],
        name=json["Name"].removeprefix("/"),
        labels=config.get("Labels") or {},
        image=config.get("Image") or "",
        image_id=json.get("Image") or "",
        state=_state(state.get("Status")),
        pid=state.get("Pid") or 0,
        exit_code=state.get("ExitCode") or 0,
        out_of_memory=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        created_s=moment(json.get("Created") or ""),
        started_s=moment(state.get("StartedAt") or ""),
        finished_s=moment(state.get("FinishedAt") or ""),
        restarts=json.get("RestartCount") or 0,
        host_network=host.get("NetworkMode") == "host",
        attachments={name: _attachment(end) for name, end in sorted(networks.items())},
        published=_published(network.get("Ports") or {}),
        exposed=tuple(sorted(int(text.partition("/")[0]) for text in config.get("ExposedPorts") or {} if _tcp(text))),
        stop_signal=config.get("StopSignal") or "",
        memory=host.get("Memory") or 0,
        cpus=_cpus(host),
        memory_request=host.get("MemoryReservation") or 0,
    )


def moment(text: str) -> float:
    """Seconds since the epoch of the engine's "2026-01-31T12:00:00.123456789Z"; 0 for its year 1, which means never."""
    if not text or text.startswith("0001-"):
        return 0.0
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _state(text: object) -> State:
    try:
        return State(str(text))
    except ValueError:
        return State.DEAD


def _cpus(host: Json) -> float:
    if nano := host.get("NanoCpus"):
        return float(nano) / 10**9
    quota, period = host.get("CpuQuota") or 0, host.get("CpuPeriod") or 100_000
    return float(quota) / period if quota > 0 else 0.0


def _attachment(end: Json) -> Attachment:
    return Attachment(end.get("NetworkID") or "", end.get("IPAddress") or end.get("GlobalIPv6Address") or "")


def _published(ports: Mapping[str, list[Json] | None]) -> dict[int, tuple[Published, ...]]:
    return {
        int(text.partition("/")[0]): tuple(Published(place.get("HostIp") or "", int(place["HostPort"])) for place in places)
        for text, places in ports.items()
        if places and _tcp(text)
    }


def _tcp(text: str) -> bool:
    """Whether "8000/tcp" is a single TCP port."""
    port, _, protocol = text.partition("/")
    return protocol in {"", "tcp"} and port.isdigit()
