"""The keys of a configuration file, as pydantic models: what each may hold by itself, its default, and its meaning.

The text under a key is its description in the JSON Schema. Defaults come from the contracts (`balancer.limits`, `sidecar.config`,
`probes.spec`). What concerns two keys at once stands in `checks`; `build` turns the models into plain data.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field
from pydantic.config import JsonDict

from balancer.limits import REPLICAS, SERVICES, WORKERS
from balancer.table import Policy, Settings
from probes.spec import ProbeSpec
from sidecar import config
from sidecar.configuration import addresses, kinds
from sidecar.configuration.base import Model
from sidecar.configuration.scaling import Autoscale
from sidecar.configuration.shapes import OneOrMany, OrFalse, Pairs, Short

_CONFIG = config.Config(source="", services=())
_SERVICE = config.Service(name="", routes=())
_SETTINGS = Settings()
_PROBE = ProbeSpec()
_KIB, _MIB, _GIB = 1024, 1024**2, 1024**3

SERVICE_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
_SERVICE_NAMES: JsonDict = {"propertyNames": {"pattern": f"^{SERVICE_NAME}$"}}


class Engine(StrEnum):
    """What runs the replicas."""

    PROCESSES = "processes"


_LATER = dict.fromkeys(
    ("docker", "swarm", "kubernetes"),
    "is not available in this version, which runs local processes (engine: processes) and balances fixed endpoints and dns names",
)


class LogFormat(StrEnum):
    """The access log's formats."""

    JSON = "json"
    CLF = "clf"


class ProbeType(StrEnum):
    """How a probe asks."""

    HTTP = "http"
    TCP = "tcp"


class Admin(Model):
    """The admin API and page."""

    listen: Annotated[str, kinds.listen()] = _CONFIG.admin_listen
    """The address and port of the admin API. Anything but loopback needs a token."""
    token: Annotated[str, kinds.text(kinds.token)] = _CONFIG.admin_token
    """What callers must send as `Authorization: Bearer ...`. Best given as ${NAME}."""


class AccessLog(Model):
    """One line for each request."""

    file: Annotated[str, kinds.text(kinds.file_name)]
    """A file, relative to this one; "-" is standard output."""
    format: Annotated[LogFormat, kinds.choice(LogFormat)] = LogFormat.JSON
    """`json`, or `clf` for the Common Log Format."""


class Limits(Model):
    """Sizes and counts of the data path. Sizes are in bytes, or with a unit: 8KiB, 32k, 1MiB."""

    request_line: Annotated[int, kinds.size(256, _MIB)] = _SETTINGS.limits.request_line
    """The longest request line; 414 beyond."""
    head: Annotated[int, kinds.size(512, _MIB)] = _SETTINGS.limits.head
    """The largest request head, request line included; 431 beyond."""
    fields: Annotated[int, kinds.whole(1, 10_000)] = _SETTINGS.limits.fields
    """The most header fields of a request; 431 beyond."""
    body: Annotated[int, kinds.size(0, 1024 * 1024 * _GIB)] = _SETTINGS.limits.body
    """The largest request body; 413 beyond. 0: no limit."""
    connections: Annotated[int, kinds.whole(1, 1_000_000)] = _SETTINGS.limits.connections
    """The most client connections of one worker; 503 beyond."""
    response_head: Annotated[int, kinds.size(512, _MIB)] = _SETTINGS.limits.response_head
    """The largest response head of a replica; 502 beyond."""
    pool_per_replica: Annotated[int, kinds.whole(0, 10_000)] = _SETTINGS.limits.pool_per_replica
    """The most idle connections that one worker keeps to one replica."""


class Timeouts(Model):
    """Times of the data path."""

    head: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.head_s
    """From the first byte of a request head to its last; 408 beyond."""
    idle: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.idle_s
    """How long a client's connection may stay open without a request."""
    body_idle: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.body_idle_s
    """How long no byte may move while a body is under way; 408, or an abort once the response has begun."""
    tunnel_idle: Annotated[float, kinds.duration(high=30 * kinds.DAY_S)] = _SETTINGS.timeouts.tunnel_idle_s
    """The same after an upgrade, such as for a WebSocket."""
    connect: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.connect_s
    """For connecting to a replica; then another one is tried, in the end 504."""
    response_head: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.response_head_s
    """From the request sent to the response head of the replica; 504 beyond."""
    total: Annotated[float, kinds.duration(low=0.0)] = _SETTINGS.timeouts.total_s
    """From the first byte of the request to the last byte of the response; 504 or an abort beyond. 0: no limit."""
    pool_idle: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.pool_idle_s
    """How long an unused connection to a replica is kept; best a little less than the app server's own limit."""
    linger: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.linger_s
    """How long the rest of a request is read on after an early answer, so that the client can read the answer."""


class Route(Model):
    """Which requests a service gets. The most exact host wins, then the longest path."""

    host: Annotated[str, kinds.text(addresses.route_host)] = ""
    """The Host of the request: shop.example.com, *.example.com, or "" for any."""
    path: Annotated[str, kinds.text(addresses.route_path)] = "/"
    """What the path begins with, in whole segments: /api is for /api and /api/users, not for /apis."""


class Endpoint(Model):
    """One fixed endpoint."""

    address: Annotated[str, kinds.text(addresses.endpoint)]
    """10.0.0.5:8000, [::1]:8000 or unix:/run/app.sock."""
    weight: Annotated[int, kinds.whole(1, 256)] = 1
    """Its share of the requests, compared with the other endpoints' weights."""


class Balance(Model):
    """How requests are spread over the replicas."""

    unavailable: ClassVar[Mapping[str, str]] = {"slow_start": "is not available in this version"}

    policy: Annotated[Policy, kinds.choice(Policy)] = _SERVICE.policy
    """How a replica is picked: `p2c` (the less loaded of two at random), `least_request`, `round_robin` or `random`."""
    max_concurrency: Annotated[int, kinds.whole(0, 1_000_000)] = _SERVICE.max_concurrency
    """The most requests at once in one replica, over all workers. 0: no limit."""
    queue: Annotated[int, kinds.whole(0, 1_000_000)] = _SERVICE.queue
    """The most requests that wait while every replica is at max_concurrency; 503 beyond."""
    queue_timeout: Annotated[float, kinds.duration()] = _SERVICE.queue_timeout_s
    """How long one of them waits; then 503."""
    drain_timeout: Annotated[float, kinds.duration()] = _SERVICE.drain_timeout_s
    """How long a replica that is to stop may finish its requests."""
    stop_grace: Annotated[float, kinds.duration()] = _SERVICE.stop_grace_s
    """The time between SIGTERM and SIGKILL."""


class Readiness(Model):
    """What makes a replica ready for requests."""

    path: Annotated[str, kinds.text(addresses.probe_path)] = _PROBE.path
    """The path to ask for with GET. Without one a connection is enough."""
    type: Annotated[ProbeType | None, kinds.choice(ProbeType)] = None
    """`http` (the default with a path; by itself it asks for /) or `tcp` (the default without)."""
    interval: Annotated[float, kinds.duration(0.05, 3600.0)] = _PROBE.interval_s
    """The time between two probes."""
    timeout: Annotated[float, kinds.duration(high=600.0)] = _PROBE.timeout_s
    """How long one probe may take."""
    rise: Annotated[int, kinds.whole(1, 100)] = _PROBE.rise
    """How many passes in a row make a replica ready again. A new replica needs one only."""
    fall: Annotated[int, kinds.whole(1, 100)] = _PROBE.fall
    """How many failures in a row make a replica unready."""
    expect: Annotated[
        tuple[Annotated[tuple[int, ...], kinds.statuses()], ...], Field(min_length=1, max_length=100), OneOrMany()
    ] = ()
    """The statuses that pass: 200, "200-399" (the default), or a list of such."""
    host: Annotated[str, kinds.text(addresses.host_field)] = _PROBE.host
    """The Host to send. Default: the replica's address."""
    start_timeout: Annotated[float, kinds.duration(high=kinds.DAY_S)] = _PROBE.start_timeout_s
    """How long a new replica may take to become ready before it is replaced."""


class Probes(Model):
    """The probes of one service."""

    unavailable: ClassVar[Mapping[str, str]] = {"liveness": "is not available in this version; there is readiness"}

    readiness: Readiness = Readiness()
    """Decides whether a replica gets requests."""


class Service(Model):
    """One service: exactly one of `command`, `endpoints` and `dns`, and the requests it gets."""

    unavailable: ClassVar[Mapping[str, str]] = {
        "port": "has no meaning here: replicas of a command get free ports ({port} in the command, PORT in the environment) "
        "or Unix sockets ({socket}), and endpoints and dns name their own",
        "replicas": "for a fixed number give min_replicas and max_replicas under autoscale the same value",
        **dict.fromkeys(("image", "compose", "swarm"), "is not available in this version, which has command, endpoints and dns"),
    }

    command: Annotated[tuple[str, ...], kinds.command()] = ()
    """What starts one replica; {port}, {socket} and {name} are replaced. A list of words, or one line that is split as a shell would."""
    environment: Annotated[
        dict[str, Annotated[str, kinds.text(kinds.value_of_variable, kinds.WORDS)]], Pairs(), Field(default_factory=dict)
    ]
    """Environment variables of the replicas: a mapping, or a list of KEY=VALUE."""
    directory: Annotated[str, kinds.text(kinds.file_name)] = "."
    """The working directory of the replicas, relative to this file."""
    endpoints: Annotated[tuple[Annotated[Endpoint, Short("address")], ...], Field(min_length=1, max_length=REPLICAS)] = ()
    """Fixed addresses: 10.0.0.5:8000, [::1]:8000, unix:/run/app.sock, or {address, weight}."""
    dns: Annotated[str, kinds.text(addresses.dns)] = ""
    """A name and port, such as tasks.web:8000; the name is looked up again and again."""
    routes: Annotated[tuple[Route, ...], Field(min_length=1, max_length=10_000)] = (Route(),)
    """The requests that this service gets. Default: all."""
    balance: Balance = Balance()
    """How requests are spread."""
    probes: Probes = Probes()
    """How replicas are asked how they are."""
    autoscale: Autoscale = Autoscale()
    """How many replicas there should be; for a command only."""


class File(Model):
    """The configuration of Écluse."""

    engine: Annotated[Engine, kinds.choice(Engine, later=_LATER)] = Engine.PROCESSES
    """What runs the replicas."""
    listen: Annotated[tuple[Annotated[str, kinds.listen()], ...], Field(min_length=1, max_length=64), OneOrMany()] = (
        _CONFIG.listen
    )
    """Where requests come in: 8080, 127.0.0.1:8080, [::]:8080, or a list of such."""
    admin: Admin = Admin()
    """The admin API and page."""
    workers: Annotated[int, kinds.whole(0, WORKERS)] = _CONFIG.workers
    """How many worker processes; 0 is one per processor core."""
    shutdown_timeout: Annotated[float, kinds.duration()] = _CONFIG.shutdown_timeout_s
    """How long requests may take to finish after SIGTERM."""
    trusted_proxies: Annotated[tuple[Annotated[str, kinds.text(addresses.proxy)], ...], Field(max_length=1000), OneOrMany()] = ()
    """Whose Forwarded and X-Forwarded-* fields are believed: IP addresses and networks."""
    access_log: Annotated[AccessLog | None, OrFalse()] = None
    """The access log; false (the default): none."""
    limits: Limits = Limits()
    """Sizes and counts of the data path."""
    timeouts: Timeouts = Timeouts()
    """Times of the data path."""
    services: Annotated[dict[str, Service], Field(min_length=1, max_length=SERVICES, json_schema_extra=_SERVICE_NAMES)]
    """The services by name."""
