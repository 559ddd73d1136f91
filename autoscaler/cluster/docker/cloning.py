"""From a container to the same one more: what is copied, and what only one container can have. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from autoscaler.cluster import placeholders
from autoscaler.cluster.docker.making import Plan, Setting
from autoscaler.cluster.engine import InstanceSpec
from autoscaler.cluster.moby import labels

Json = dict[str, Any]

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")  # a volume that the engine named, for one container alone
_UNIQUE = ("Hostname", "MacAddress")
_CLIENT = ("AttachStdin", "AttachStdout", "AttachStderr")


def objection(template: Json) -> str:
    """Why a container cannot be cloned, in words; "" if it can."""
    name, mode = template["Name"].removeprefix("/"), template["HostConfig"].get("NetworkMode") or ""
    if mode == "host" or mode.startswith("container:"):
        return f'{name} cannot be cloned: with network_mode "{mode.partition(":")[0]}" all replicas would listen on one port'
    return ""


def from_template(spec: InstanceSpec, template: Json, number: int, setting: Setting, image: str) -> Plan:
    """A container like the template. image: its name, or its id where the name means another one by now."""
    first, *others = _ends(template).items()
    config: Json = {
        **{name: value for name, value in template["Config"].items() if name not in _UNIQUE},
        **dict.fromkeys(_CLIENT, False),
        "Image": image,
        "Labels": _labels(spec, template, number, setting.owner),
        "Env": _environment(spec, template),
        "Volumes": {path: {} for path in _anonymous(template)},
        "HostConfig": _host_config(template, setting),
        "NetworkingConfig": {"EndpointsConfig": dict([first])},
    }
    if template["Config"].get("Hostname") not in {template["Id"][:12], ""}:
        config["Hostname"] = template["Config"].get("Hostname")
    if spec.command:
        config["Cmd"] = placeholders.filled(spec.command, {placeholders.PORT: str(setting.port), placeholders.NAME: setting.name})
    return Plan(config, dict(others))


def _labels(spec: InstanceSpec, template: Json, number: int, owner: str) -> dict[str, str]:
    kept = {name: value for name, value in (template["Config"].get("Labels") or {}).items() if name != labels.REPLACE}
    counted = {labels.NUMBER: str(number)} if labels.composed(kept) else {}
    return {**kept, **counted, labels.TEMPLATE: template["Id"], **labels.marks(owner, spec.service, spec.version)}


def _environment(spec: InstanceSpec, template: Json) -> list[str]:
    kept = [line for line in template["Config"].get("Env") or [] if line.partition("=")[0] not in spec.environment]
    return kept + [f"{name}={value}" for name, value in spec.environment.items()]


def _host_config(template: Json, setting: Setting) -> Json:
    """Fixed ports of the machine become ephemeral ones; anonymous volumes are left to the engine to make anew; restarts are ours."""
    host = {name: value for name, value in template["HostConfig"].items() if name != "ContainerIDFile"}
    ports = set(host.get("PortBindings") or {})
    if setting.published_on is not None:
        ports.add(f"{setting.port}/tcp")
    return {
        **host,
        "PortBindings": {port: [{"HostIp": setting.published_on or "127.0.0.1", "HostPort": ""}] for port in sorted(ports)},
        "Binds": [bind for bind in host.get("Binds") or [] if not _ANONYMOUS.fullmatch(bind.partition(":")[0])],
        "Mounts": [mount for mount in host.get("Mounts") or [] if not _is_anonymous(mount)],
        "Links": [_link(link) for link in host.get("Links") or []],
        "RestartPolicy": {"Name": "no"},
        "AutoRemove": False,
    }


def _anonymous(template: Json) -> set[str]:
    """The paths at which the template has volumes of its own."""
    mounted = {mount["Destination"] for mount in template.get("Mounts") or [] if _ANONYMOUS.fullmatch(mount.get("Name") or "")}
    return mounted | set(template["Config"].get("Volumes") or {})


def _is_anonymous(mount: Json) -> bool:
    source = mount.get("Source") or ""
    return mount.get("Type") == "volume" and (not source or bool(_ANONYMOUS.fullmatch(source)))


def _link(link: str) -> str:
    """ "/database:/web/db" as the engine tells it is "database:db" as it is told."""
    other, _, alias = link.partition(":")
    return f"{other.removeprefix('/')}:{alias.rpartition('/')[2]}"


def _ends(template: Json) -> dict[str, Json]:
    """Its networks, the one that its default route is meant to be in first, without addresses that only one container can have."""
    networks: Mapping[str, Json] = template["NetworkSettings"].get("Networks") or {}
    mode = template["HostConfig"].get("NetworkMode") or "default"
    names = sorted(networks, key=lambda name: name != mode) or [mode]
    return {name: _end(networks.get(name) or {}, template) for name in names}


def _end(network: Json, template: Json) -> Json:
    own = {template["Id"][:12], template["Name"].removeprefix("/")}
    return {
        "Aliases": [alias for alias in network.get("Aliases") or [] if alias not in own],
        "Links": network.get("Links"),
        "DriverOpts": network.get("DriverOpts"),
    }
