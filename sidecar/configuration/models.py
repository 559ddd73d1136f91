"""The keys of a configuration file, as pydantic models: what each may hold by itself, its default, and its meaning.

The text under a key is its description in the JSON Schema. Defaults come from the contracts (`balancer.limits`, `sidecar.config`,
`probes.spec`). What concerns two keys at once stands in `checks`; `build` turns the models into plain data.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field
from pydantic.config import JsonDict

from autoscaler.cluster.engine import Pull
from balancer.limits import REPLICAS, SERVICES, WORKERS
from sidecar import config
from sidecar.configuration import addresses, kinds, references
from sidecar.configuration.balancing import Balance, Rates, Route
from sidecar.configuration.base import Model
from sidecar.configuration.containers import NETWORKS, VOLUMES, Compose, Docker, Healthcheck, Resources, Swarm
from sidecar.configuration.datapath import Limits, Timeouts
from sidecar.configuration.probing import Probes
from sidecar.configuration.scaling import Autoscale
from sidecar.configuration.shapes import OneOrMany, OrFalse, Pairs, Short

_CONFIG = config.Config(source="", services=())

SERVICE_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
_VALUE = kinds.text(kinds.value_of_variable, kinds.WORDS)
_STATE = {"anyOf": [{"const": False}, {"type": "string", "minLength": 1}]}
_SERVICE_NAMES: JsonDict = {"propertyNames": {"pattern": f"^{SERVICE_NAME}$"}}


class Engine(StrEnum):
    """What runs the replicas."""

    PROCESSES = "processes"
    DOCKER = "docker"
    SWARM = "swarm"


_LATER = {"kubernetes": "is not available in this version, which has processes, docker and swarm"}
PROXIES = 64


class LogFormat(StrEnum):
    """The access log's formats."""

    JSON = "json"
    CLF = "clf"


class Admin(Model):
    """The admin API and page."""

    listen: Annotated[str, kinds.listen()] = _CONFIG.admin_listen
    """The address and port of the admin API. Anything but loopback needs a token."""
    token: Annotated[str, kinds.text(kinds.token)] = _CONFIG.admin_token
    """What callers must send as `Authorization: Bearer ...`. Best given as ${NAME}."""
    hosts: Annotated[tuple[Annotated[str, kinds.text(addresses.admin_host)], ...], Field(max_length=64), OneOrMany()] = (
        _CONFIG.admin_hosts
    )
    """Names and addresses that callers without the token may use for it, beside localhost and the address it listens on."""


class AccessLog(Model):
    """One line for each request."""

    file: Annotated[str, kinds.text(kinds.file_name)]
    """A file, relative to this one; "-" is standard output."""
    format: Annotated[LogFormat, kinds.choice(LogFormat)] = LogFormat.JSON
    """`json`, or `clf` for the Common Log Format."""


class Endpoint(Model):
    """One fixed endpoint."""

    address: Annotated[str, kinds.text(addresses.endpoint)]
    """10.0.0.5:8000, [::1]:8000 or unix:/run/app.sock."""
    weight: Annotated[int, kinds.whole(1, 256)] = 1
    """Its share of the requests, compared with the other endpoints' weights."""


class Service(Model):
    """One service: where its replicas come from, and the requests it gets.

    One of `endpoints` and `dns`, or what the file's `engine` can start: a `command`, an `image` or `compose`, a `swarm` service.
    """

    unavailable: ClassVar[Mapping[str, str]] = {
        "replicas": "for a fixed number give min_replicas and max_replicas under autoscale the same value",
        "build": "is for Compose: build the image there, and give its name here under image",
        "ports": "would give all replicas one port of the machine: give the port that they listen on themselves, port: 8000",
        "cpus": "stands under resources: resources: {cpus: 0.5}",
        **dict.fromkeys(("memory", "mem_limit"), "stands under resources: resources: {memory: 256MiB}"),
        "restart": "has no meaning here: replicas that end are started again",
    }

    command: Annotated[tuple[str, ...], kinds.command()] = ()
    """What starts one replica; {port}, {socket} and {name} are replaced. A list of words, or one line that is split as a shell would."""
    environment: Annotated[dict[str, Annotated[str, _VALUE]], Pairs(), Field(default_factory=dict)]
    """Environment variables of the replicas: a mapping, or a list of KEY=VALUE."""
    directory: Annotated[str, kinds.text(kinds.file_name)] = "."
    """The working directory of local processes, relative to this file."""
    image: Annotated[str, kinds.text(references.image)] = ""
    """The image that replicas are made from: shop:1.4.2, or with a digest. For engine docker; for swarm, a service is made from it."""
    compose: Annotated[Compose, Short("service")] = Compose.model_construct(service="")
    """The Compose service that replicas are copied from: its name, or {service, project}. For engine docker."""
    container: Annotated[str, kinds.text(references.container)] = ""
    """The container that replicas are copied from, by its name; for one of a Compose project, write `compose`. For engine docker."""
    swarm: Annotated[Swarm, Short("service")] = Swarm.model_construct(service="")
    """The Swarm service whose replicas are counted up and down: its name, or {service, network}. For engine swarm."""
    port: Annotated[int | None, kinds.whole(1, 65535)] = None
    """The port that containers listen on. Default: the only one that the image exposes."""
    networks: Annotated[
        tuple[Annotated[str, kinds.text(references.network)], ...], Field(min_length=1, max_length=NETWORKS), OneOrMany()
    ] = ()
    """The networks that containers are in. For an image."""
    volumes: Annotated[
        tuple[Annotated[str, kinds.text(references.volume)], ...], Field(min_length=1, max_length=VOLUMES), OneOrMany()
    ] = ()
    """What is mounted, as in Compose: data:/var/lib/app, ./app:/srv/app:ro. For an image."""
    resources: Resources = Resources()
    """What one replica needs, and the most that it may use."""
    labels: Annotated[dict[str, Annotated[str, _VALUE]], Pairs(), Field(default_factory=dict)]
    """Labels of the containers: a mapping, or a list of KEY=VALUE. For an image."""
    stop_signal: Annotated[str, kinds.text(references.stop_signal, kinds.WORDS)] = ""
    """What asks a container to end, such as SIGQUIT. Default: the image's, or else SIGTERM. For an image."""
    healthcheck: Healthcheck = Healthcheck()
    """How the container engine itself asks a container how it is. For an image."""
    pull: Annotated[Pull, kinds.choice(Pull)] = Pull.MISSING
    """When the image is pulled: `missing`, `always` or `never`. For an image."""
    endpoints: Annotated[tuple[Annotated[Endpoint, Short("address")], ...], Field(min_length=1, max_length=REPLICAS)] = ()
    """Fixed addresses: 10.0.0.5:8000, [::1]:8000, unix:/run/app.sock, or {address, weight}."""
    dns: Annotated[str, kinds.text(addresses.dns)] = ""
    """A name and port, such as tasks.web:8000; the name is looked up again and again."""
    routes: Annotated[tuple[Route, ...], Field(min_length=1, max_length=10_000)] = (Route(),)
    """The requests that this service gets. Default: all."""
    rate_limits: Rates = ()
    """How many requests the service gets, over all of its routes."""
    balance: Balance = Balance()
    """How requests are spread."""
    probes: Probes = Probes()
    """How replicas are asked how they are."""
    autoscale: Autoscale = Autoscale()
    """How many replicas there should be; for what can be started."""


class Budget(Model):
    """What all services together may have. Takes at least one of its keys."""

    replicas: Annotated[int | None, kinds.whole(1, REPLICAS)] = None
    """So many replicas."""
    cpus: Annotated[float | None, kinds.cores()] = None
    """So many processor cores, of what the replicas need: `resources.requests.cpus`, or else `resources.cpus`."""
    memory: Annotated[int | None, kinds.size(1, kinds.MEMORY)] = None
    """So much memory, of what the replicas need: `resources.requests.memory`, or else `resources.memory`."""


class File(Model):
    """The configuration of Écluse."""

    engine: Annotated[Engine, kinds.choice(Engine, later=_LATER)] = Engine.PROCESSES
    """What runs the replicas: `processes` (local ones), `docker` or `swarm`."""
    docker: Docker = Docker()
    """The cluster's endpoint, for the engines docker and swarm."""
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
    proxies: Annotated[
        tuple[Annotated[str, kinds.text(addresses.proxy_admin)], ...], Field(min_length=1, max_length=PROXIES), OneOrMany()
    ] = _CONFIG.proxies
    """The admin APIs of proxies that run apart, for `ecluse run --role autoscaler`: addresses, or names that are looked up."""
    state: Annotated[str | None, kinds.text(kinds.state, _STATE)] = None
    """Where that is kept which survives a restart: a directory, relative to this file; false: nowhere. Default: one for this file under
    the user's state directory ($STATE_DIRECTORY, $XDG_STATE_HOME/ecluse or ~/.local/state/ecluse)."""
    budget: Budget | None = None
    """What the replicas of all services may take together. Default: no limit."""
    services: Annotated[
        dict[str, Service], Field(default_factory=dict, min_length=1, max_length=SERVICES, json_schema_extra=_SERVICE_NAMES)
    ]
    """The services by name. May be left out where services are found by their labels (engine docker or swarm)."""
