"""The keys about container engines, as pydantic models: the cluster's endpoint, and what a service's containers are made from.

See `models` for how this is read. What concerns two keys at once stands in `sources`.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from autoscaler.cluster import engine
from sidecar import config
from sidecar.configuration import kinds, references
from sidecar.configuration.base import Model
from sidecar.configuration.shapes import OneOrMany

_DOCKER = config.Docker()
_HEALTHCHECK = engine.Healthcheck(())
_LEAST_CPUS = 0.01
_LEAST_MEMORY = 6 * 1024**2  # both are Docker's own

MANAGERS = 16
NETWORKS = 16
VOLUMES = 100


class Docker(Model):
    """The cluster's endpoint: a Docker engine, or the managers of a Swarm."""

    host: Annotated[
        tuple[Annotated[str, kinds.text(references.engine_endpoint)], ...], Field(min_length=1, max_length=MANAGERS), OneOrMany()
    ] = _DOCKER.hosts
    """unix:///path, tcp://host:port or ssh://user@host; of a list (a Swarm's managers) the first that answers. Default: DOCKER_HOST."""
    cert_path: Annotated[str, kinds.text(kinds.file_name)] = _DOCKER.cert_path
    """The directory with ca.pem, cert.pem and key.pem for TLS, relative to this file. Default: DOCKER_CERT_PATH."""
    tls_verify: Annotated[bool | None, kinds.flag()] = _DOCKER.tls_verify
    """Use TLS over tcp:// and check the endpoint's certificate. Default: as DOCKER_TLS_VERIFY says."""
    owner: Annotated[str, kinds.text(references.name)] = _DOCKER.owner
    """Marks what this Écluse starts; another one on the same engine or Swarm needs another owner."""
    labels: Annotated[bool, kinds.flag()] = _DOCKER.labels
    """Also find services by the labels of containers (or Swarm services): ecluse.enable=true."""


class Requests(Model):
    """What one replica is said to need. Nothing enforces it; shares under `autoscale.metrics` are shares of it."""

    cpus: Annotated[float | None, kinds.cores()] = None
    """Processor cores: 0.5 or 500m. Default: none, shares are shares of the limit."""
    memory: Annotated[int | None, kinds.size(1, kinds.MEMORY)] = None
    """Memory: 256MiB. Default: none, shares are shares of the limit."""


class Resources(Model):
    """The most that one replica may use, and what it needs."""

    cpus: Annotated[float | None, kinds.cores(_LEAST_CPUS)] = None
    """The most processor cores: 0.5 or 500m. Default: no limit. For an image."""
    memory: Annotated[int | None, kinds.size(_LEAST_MEMORY, kinds.MEMORY)] = None
    """The most memory: 256MiB. Default: no limit. For an image."""
    requests: Requests = Requests()
    """What one replica is said to need. For what can be started."""


class Healthcheck(Model):
    """How the container engine itself asks a container how it is, as in Compose. Default: as the image says."""

    test: Annotated[tuple[str, ...], kinds.health_test()] = _HEALTHCHECK.test
    """A line for a shell, or a list that begins with CMD, CMD-SHELL or NONE. Default: the image's."""
    interval: Annotated[float, kinds.duration()] = _HEALTHCHECK.interval_s
    """The time between two checks."""
    timeout: Annotated[float, kinds.duration()] = _HEALTHCHECK.timeout_s
    """How long one check may take."""
    retries: Annotated[int, kinds.whole(1, 100)] = _HEALTHCHECK.retries
    """How many failures in a row make a container unhealthy."""
    start_period: Annotated[float, kinds.duration(low=0.0)] = _HEALTHCHECK.start_period_s
    """How long failures after the start do not count."""
    disable: Annotated[bool, kinds.flag()] = False
    """No check, not even the image's."""


class Compose(Model):
    """The Compose service whose containers are copied."""

    service: Annotated[str, kinds.text(references.name)]
    """Its name in compose.yaml."""
    project: Annotated[str, kinds.text(references.project)] = ""
    """Its project. Default: the one that Écluse itself runs in, or else the only one that has such a service."""


class Swarm(Model):
    """The Swarm service whose replicas are counted up and down."""

    unavailable: ClassVar[Mapping[str, str]] = {"stack": "is part of the service's name: service: STACK_SERVICE"}

    service: Annotated[str, kinds.text(references.name)]
    """Its name; that of a stack's service is STACK_SERVICE."""
    network: Annotated[str, kinds.text(references.network)] = ""
    """The network to reach its tasks over. Default: one that Écluse itself is attached to."""
