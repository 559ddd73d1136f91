"""From a service's configuration to what the engine is asked to create. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autoscaler.cluster import placeholders
from autoscaler.cluster.docker.reach import LOOPBACK
from autoscaler.cluster.engine import Image, InstanceSpec
from autoscaler.cluster.moby import labels
from autoscaler.cluster.moby.wording import NS, healthcheck
from autoscaler.cluster.processes.family import REPLICA

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A container to be made. config: the body of POST /containers/create; further: networks to connect it to before it starts, which
    the body cannot name (one network is all that engines before API 1.44 take)."""

    config: Json
    further: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a container of ours needs to know beyond its spec. networks: to be in; published_on: the address of its machine at which
    its port is published, None for not at all."""

    owner: str
    name: str
    port: int
    networks: Sequence[str] = ()
    published_on: str | None = LOOPBACK


def from_image(spec: InstanceSpec, image: Image, setting: Setting) -> Plan:
    """A container of an image."""
    first, *others = setting.networks or ["default"]
    end = {"Aliases": [spec.service]}
    config: Json = {
        "Image": image.name,
        "Env": [f"{name}={value}" for name, value in _environment(spec, setting).items()],
        "Labels": {**image.labels, **labels.marks(setting.owner, spec.service, spec.version)},
        "ExposedPorts": {f"{setting.port}/tcp": {}},
        "StopTimeout": math.ceil(spec.stop_grace_s),
        "HostConfig": _host_config(image, setting, first),
    }
    if spec.command:
        values = {placeholders.PORT: str(setting.port), placeholders.NAME: setting.name}
        config["Cmd"] = placeholders.filled(spec.command, values)
    if image.stop_signal:
        config["StopSignal"] = image.stop_signal
    if image.healthcheck:
        config["Healthcheck"] = healthcheck(image.healthcheck)
    if anonymous := [path for path in image.volumes if ":" not in path]:
        config["Volumes"] = {path: {} for path in anonymous}
    if spec.directory:
        config["WorkingDir"] = spec.directory
    if setting.networks:
        config["NetworkingConfig"] = {"EndpointsConfig": {first: end}}
    return Plan(config, dict.fromkeys(others, end))


def _environment(spec: InstanceSpec, setting: Setting) -> dict[str, str]:
    return {**spec.environment, "PORT": str(setting.port), REPLICA: setting.name}


def _host_config(image: Image, setting: Setting, network: str) -> Json:
    """Restarts are ours: with delays that grow, and said in words."""
    host: Json = {"NetworkMode": network, "RestartPolicy": {"Name": "no"}}
    if setting.published_on is not None:
        host["PortBindings"] = {f"{setting.port}/tcp": [{"HostIp": setting.published_on, "HostPort": ""}]}
    if bound := [volume for volume in image.volumes if ":" in volume]:
        host["Binds"] = bound
    if image.cpus:
        host["NanoCpus"] = round(image.cpus * NS)
    if image.memory:
        host["Memory"] = image.memory
    return host
