"""A whole configuration, checked and with every default filled in: the plain data that the rest of the program is built from.

`sidecar/configuration` reads files and command lines into this. No file positions, no YAML and no defaults of its own here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.rules import Rules
from balancer.table import Policy, Settings
from probes.spec import ProbeSpec


@dataclass(frozen=True, slots=True)
class Route:
    """host: "" is any Host, "*.example.com" any name below it. path: a prefix of whole segments."""

    host: str
    path: str


@dataclass(frozen=True, slots=True)
class Service:
    """One service. Exactly one of command, endpoints and dns is set; only a command can be scaled (`rules` is None otherwise)."""

    name: str
    routes: tuple[Route, ...]
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    directory: str = ""
    endpoints: tuple[tuple[str, int], ...] = ()  # (address, weight)
    dns: str = ""  # "name:port"
    policy: Policy = Policy.P2C
    max_concurrency: int = 0
    queue: int = 100
    queue_timeout_s: float = 10.0
    drain_timeout_s: float = 30.0
    stop_grace_s: float = 10.0
    hold_timeout_s: float = 30.0
    max_held: int = 500
    readiness: ProbeSpec = field(default_factory=ProbeSpec)
    rules: Rules | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """The whole program's configuration. listen: "ADDRESS:PORT" each, IPv6 in brackets. workers: 0 is one per core."""

    source: str  # the file it came from, or "command line"
    services: tuple[Service, ...]
    engine: str = "processes"
    listen: tuple[str, ...] = ("0.0.0.0:8080",)
    admin_listen: str = "127.0.0.1:9090"
    admin_token: str = ""
    workers: int = 0
    shutdown_timeout_s: float = 30.0
    settings: Settings = field(default_factory=Settings)
