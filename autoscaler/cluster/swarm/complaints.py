"""What a Swarm service is to Écluse, and what can be wrong with it, in words. Pure.

Invariant: a service that was made here is known by its labels, and one of that name without them belongs to somebody else.
"""

from autoscaler.cluster.engine import Image, InstanceSpec, SwarmService
from autoscaler.cluster.moby import labels
from autoscaler.cluster.swarm.tasks import ServiceState

_STACK = "com.docker.stack.namespace"


def service_name(spec: InstanceSpec) -> str:
    """The name of the Swarm service that a spec means."""
    return spec.source.name if isinstance(spec.source, SwarmService) else spec.service


def makes(spec: InstanceSpec) -> bool:
    """Whether the Swarm service is made here."""
    return isinstance(spec.source, Image)


def foreign(service: ServiceState, spec: InstanceSpec, owner: str) -> bool:
    """Whether it only has the name of one that is to be made here."""
    return makes(spec) and not labels.owned(service.labels, owner)


def port_of(service: ServiceState, spec: InstanceSpec) -> int:
    """The port that its tasks listen on; 0 if it is not known."""
    configured = spec.source.port if isinstance(spec.source, SwarmService | Image) else 0
    return configured or (service.ports[0] if len(service.ports) == 1 else 0)


def trouble(service: ServiceState | None, spec: InstanceSpec, owner: str) -> str:
    """What keeps it from being scaled or reached; "" if nothing does. service: None if there is none."""
    name = service_name(spec)
    if service is None:
        return "" if makes(spec) else f"there is no Swarm service {name}; `docker service ls` shows which there are"
    if foreign(service, spec, owner):
        return f"a Swarm service {name} is there already and was not made by this Écluse; to scale it, write `swarm: {name}`"
    if service.replicas is None:
        return f"the Swarm service {name} is global: it has one task on each machine and cannot be scaled"
    if not port_of(service, spec):
        return f"the Swarm service {name} does not say on which port it listens; say it with `port`"
    if service.paused:
        return (
            f"Swarm has paused its update of {name} ({service.update_words}); any other count would set it going again, so the count "
            f"stays until it is updated once more or rolled back"
        )
    return ""


def reset(service: ServiceState, before: int) -> str:
    """That its count was changed by others."""
    stack = service.labels.get(_STACK)
    by = f"`docker stack deploy` of {stack}, or `docker service scale`" if stack else "`docker service scale` or `update`"
    return f"the count of {service.name} was set from {before} to {service.replicas}, not by Écluse (probably by {by}); it is set again"
