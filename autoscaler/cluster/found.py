"""What the engines have in common whose instances are only found, never started: fixed endpoints and DNS names.

Invariant: the id of an instance depends on its service and address alone, so that it is the same whenever it is found again.
"""

import time
from collections.abc import Callable, Sequence

from autoscaler.cluster.address import Address
from autoscaler.cluster.engine import Changed, EngineError, Instance, InstanceSpec, InstanceStatus, Plain, Tell, silent


class Found(Plain):
    """An `Engine` that cannot scale. Its children say, with `_set`, what they found."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed: Changed = _nobody_listens
        self._services: dict[str, tuple[Instance, ...]] = {}

    @property
    def can_scale(self) -> bool:
        """What was only found is neither started nor stopped."""
        return False

    async def open(self, changed: Changed, tell: Tell = silent) -> None:
        """Begin telling of changes."""
        self._changed = changed

    async def list(self, service: str) -> Sequence[Instance]:
        """What was found last."""
        return self._services.get(service, ())

    async def start(self, spec: InstanceSpec) -> Instance:
        """Raises EngineError: there is nothing to start."""
        raise EngineError(
            f"the replicas of service {spec.service} are only found here, not started; give it a `command` to scale it"
        )

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """Raises EngineError, unless there is no such instance."""
        if any(instance.id == instance_id for service in self._services.values() for instance in service):
            raise EngineError(
                f"{instance_id} was not started here, so it is not stopped from here; take its address away instead"
            )

    async def restart(self, instance_id: str) -> None:
        """Raises EngineError: whoever runs it restarts it."""
        raise EngineError(f"{instance_id} was not started here; restart it where it runs")

    def owns_listener(self, instance_id: str) -> bool | None:
        """Whatever listens at the address is meant."""
        return True

    async def close(self) -> None:
        """Stop telling of changes."""
        self._changed = _nobody_listens

    def forget(self, service: str) -> None:
        """The service is no longer configured."""
        if self._services.pop(service, None) is not None:
            self._changed(service)

    def _instance(self, service: str, address: Address, weight: int = 1, detail: str = "") -> Instance:
        """The instance at an address; one that was there before keeps its age."""
        name = f"{service}-{address.label}"
        known = {instance.id: instance.since_s for instance in self._services.get(service, ())}
        since_s = known.get(name, self._clock())
        return Instance(name, service, str(address), InstanceStatus.RUNNING, since_s, weight=weight, detail=detail)

    def _set(self, service: str, instances: Sequence[Instance]) -> None:
        if self._services.get(service) != (new := tuple(instances)):
            self._services[service] = new
            self._changed(service)


def _nobody_listens(service: str) -> None:
    """Before `open` and after `close` a change is told to nobody."""
