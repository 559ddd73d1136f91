"""A whole configuration, checked and with every default filled in: the plain data that the rest of the program is built from.

`sidecar/configuration` reads files and command lines into this. No file positions, no YAML and no defaults of its own here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.budget import Budget
from autoscaler.cluster.engine import InstanceSpec, Source
from autoscaler.rules import Rules
from balancer.table import Affinity, Policy, Priority, RateLimit, Retries, Settings
from probes.outliers import EjectionSpec
from probes.signals.spec import SignalSpec
from probes.spec import ProbeSpec


@dataclass(frozen=True, slots=True)
class Route:
    """host: "" is any Host, "*.example.com" any name below it. path: a prefix of whole segments. body: octets; 0: no limit of its own."""

    host: str
    path: str
    priority: Priority = Priority.NORMAL
    body: int = 0
    rates: tuple[RateLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """One service. engine: what its replicas run on or are found by: processes, docker, swarm, fixed or dns.

    Only what can be started has `rules`: a command (processes), or a source other than `Labelled` (docker, swarm); and if found by
    its labels, only if these say how it is scaled. source: where containers come from. signals: where the values of those metrics come
    from that others tell. request: the cores and the octets that a replica is said to need; where they are given, `cpu` and `memory` are
    shares of them and not of what it may use. cost: what a replica takes of a budget: what it needs, or else what it may use.
    ejection: None never takes a replica out for what its answers are.
    """

    name: str
    routes: tuple[Route, ...]
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    directory: str = ""
    endpoints: tuple[tuple[str, int], ...] = ()  # (address, weight)
    dns: str = ""  # "name:port"
    engine: str = "processes"
    source: Source | None = None
    policy: Policy = Policy.P2C
    max_concurrency: int = 0
    queue: int = 100
    queue_timeout_s: float = 10.0
    drain_timeout_s: float = 30.0
    stop_grace_s: float = 10.0
    hold_timeout_s: float = 30.0
    max_held: int = 500
    adaptive: bool = False
    total_s: float = 0.0
    hedge_s: float = 0.0
    slow_start_s: float = 0.0
    retries: Retries = field(default_factory=Retries)
    affinity: Affinity = field(default_factory=Affinity)
    rates: tuple[RateLimit, ...] = ()
    ejection: EjectionSpec | None = field(default_factory=EjectionSpec)
    readiness: ProbeSpec = field(default_factory=ProbeSpec)
    startup: ProbeSpec | None = None
    liveness: ProbeSpec | None = None
    rules: Rules | None = None
    signals: tuple[SignalSpec, ...] = ()
    request: tuple[float, int] = (0.0, 0)
    cost: tuple[float, int] = (0.0, 0)

    @property
    def spec(self) -> InstanceSpec:
        """What one replica is, for the engine."""
        return InstanceSpec(self.name, self.command, self.environment or {}, self.directory, self.stop_grace_s, self.source)


@dataclass(frozen=True, slots=True)
class Docker:
    """The cluster's endpoint. hosts: as in DOCKER_HOST, tried in turn; () is what DOCKER_HOST says. cert_path, tls_verify: "" and None
    are what DOCKER_CERT_PATH and DOCKER_TLS_VERIFY say.

    owner: marks this program's containers; another ecluse on the same engine needs another one. labels: whether services are also
    discovered by their labels.
    """

    hosts: tuple[str, ...] = ()
    cert_path: str = ""
    tls_verify: bool | None = None
    owner: str = "ecluse"
    labels: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    """The whole program's configuration. listen: "ADDRESS:PORT" each, IPv6 in brackets. workers: 0 is one per core.

    admin_hosts: names and addresses that the admin API is known by, beside the one it listens on; lower case, without brackets.
    proxies: where an autoscaler that runs apart finds its proxies' admin APIs: "10.0.0.7:9090", or a name that is looked up again
    and again, "tasks.proxy:9090". budget: what all services share.
    """

    source: str  # the file it came from, or "command line"
    services: tuple[Service, ...]
    engine: str = "processes"
    listen: tuple[str, ...] = ("0.0.0.0:8080",)
    admin_listen: str = "127.0.0.1:9090"
    admin_token: str = ""
    admin_hosts: tuple[str, ...] = ()
    workers: int = 0
    shutdown_timeout_s: float = 30.0
    settings: Settings = field(default_factory=Settings)
    docker: Docker = field(default_factory=Docker)
    proxies: tuple[str, ...] = ()
    state: str = ""
    budget: Budget | None = None
