"""The Swarm service that Écluse makes from an `image` and owns: its spec, as it is sent to a manager. Pure.

Everything but the count is said here, so that a changed configuration is one update, which Swarm rolls out task by task.
"""

from typing import Any

from autoscaler.cluster import placeholders
from autoscaler.cluster.engine import Image, InstanceSpec
from autoscaler.cluster.moby import labels
from autoscaler.cluster.moby.wording import NS, healthcheck
from autoscaler.cluster.processes.family import REPLICA

Json = dict[str, Any]
_TASK_NAME = "{{.Task.Name}}"  # filled in by Swarm for each task: SERVICE.SLOT.ID


def service_spec(spec: InstanceSpec, image: Image, owner: str, replicas: int) -> Json:
    """As for POST /services/create. Reached over its networks, or, if there are none, over a port of each task's machine."""
    ports = [{"Protocol": "tcp", "TargetPort": image.port, "PublishMode": "host"}]
    return {
        "Name": spec.service,
        "Labels": labels.marks(owner, spec.service, spec.version),
        "TaskTemplate": {
            "ContainerSpec": _container(spec, image),
            "Resources": {"Limits": _limits(image)},
            "Networks": [{"Target": network} for network in image.networks],
        },
        "Mode": {"Replicated": {"Replicas": replicas}},
        "UpdateConfig": {"Parallelism": 1, "Order": "start-first", "FailureAction": "pause"},
        "EndpointSpec": {"Mode": "dnsrr", "Ports": [] if image.networks else ports},
    }


def _container(spec: InstanceSpec, image: Image) -> Json:
    values = {placeholders.PORT: str(image.port), placeholders.NAME: spec.service}
    environment = {**spec.environment, "PORT": str(image.port), REPLICA: _TASK_NAME}
    container: Json = {
        "Image": image.name,
        "Args": placeholders.filled(spec.command, values),
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Dir": spec.directory,
        "Labels": dict(image.labels),
        "Mounts": [_mount(volume) for volume in image.volumes],
        "StopSignal": image.stop_signal,
        "StopGracePeriod": round(spec.stop_grace_s * NS),
        "Healthcheck": healthcheck(image.healthcheck) if image.healthcheck else None,
    }
    return {name: value for name, value in container.items() if value}


def _limits(image: Image) -> Json:
    limits = {"NanoCPUs": round(image.cpus * NS), "MemoryBytes": image.memory}
    return {name: value for name, value in limits.items() if value}


def _mount(volume: str) -> Json:
    """volume: as in Compose: "data:/var/lib/app", "/srv/app:/app:ro", "/cache" (a volume without a name)."""
    source, _, rest = volume.partition(":") if ":" in volume else ("", "", volume)
    target, _, mode = rest.partition(":")
    mount: Json = {"Type": "bind" if source.startswith("/") else "volume", "Target": target}
    if source:
        mount["Source"] = source
    if "ro" in mode.split(","):
        mount["ReadOnly"] = True
    return mount
