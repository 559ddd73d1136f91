"""The `swarm` engine: replicas are the tasks of replicated services on a Docker Swarm, which one endpoint, a manager, stands for.

Swarm itself places, restarts and replaces tasks, and chooses which go when a count is lowered. So this engine says which those will
be (`removal_order`), lowers the count when they are drained, and shows whatever Swarm does by itself. Managers know nothing of what
a task uses on another machine: `usage` is unknown. Instances outlive this program.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from autoscaler.cluster.engine import Changed, Discovered, EngineError, Instance, InstanceSpec, Plain, SwarmService, Tell, silent
from autoscaler.cluster.moby import labels
from autoscaler.cluster.moby.api import MobyError
from autoscaler.cluster.swarm import ways
from autoscaler.cluster.swarm.complaints import service_name
from autoscaler.cluster.swarm.followed import Followed, Swarming
from autoscaler.cluster.swarm.lookout import Ask, Lookout
from autoscaler.cluster.swarm.tasks import MachineState, ServiceState, View
from autoscaler.tasks import Tasks

log = logging.getLogger("ecluse")

INTERVAL_S = 1.0  # between looks
SOON_S = 0.25  # the same while a count or an update is under way
LEAST_S = 0.1  # however many connections are refused


class Swarm(Plain):
    """An `Engine`.

    owner: marks the services that are made here. discover: look for services that describe themselves by labels, too. wall: seconds
    since the epoch. attached: whether we are on a network, given as "10.0.1.7/24".
    """

    def __init__(
        self,
        link: Ask,
        owner: str,
        discover: bool = True,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        attached: ways.Attached = ways.attached,
    ) -> None:
        self._link = link
        self._lookout = Lookout(self._link, self._names, labels.ENABLE if discover else "", self._seen)
        self._around = Swarming(
            self._link,
            self._lookout,
            owner,
            attached,
            clock,
            wall,
            lambda *news: self._tell(*news),  # noqa: PLW0108 - set by `open`
        )
        self._followed: dict[str, Followed] = {}
        self._discovered: tuple[Discovered, ...] = ()
        self._machines: Mapping[str, MachineState] = {}
        self._changed: Changed = _nobody_listens
        self._tell: Tell = silent
        self._hurried = asyncio.Event()
        self._tasks = Tasks()
        self._counts: dict[str, Tasks] = {}

    @property
    def can_scale(self) -> bool:
        """Swarm starts and stops tasks."""
        return True

    @property
    def outlives(self) -> bool:
        """Services are the Swarm's, not this program's."""
        return True

    def predictions(self, service: str) -> tuple[int, int]:
        """Removals of tasks that were drained before, and of others than expected."""
        return self._followed[service].predictions if service in self._followed else (0, 0)

    async def open(self, changed: Changed, tell: Tell = silent) -> None:
        """Begin to look, about once a second."""
        self._changed, self._tell = changed, tell
        self._tasks.spawn(self._follow(), "the looks at the swarm")

    def declare(self, spec: InstanceSpec) -> None:
        """Follow a service, or follow it by another spec. On the event loop."""
        known = self._followed.get(spec.service)
        if known and known.name == service_name(spec):
            known.spec = spec
        else:
            self._drop(spec.service)
            self._followed[spec.service] = followed = Followed(spec, self._around)
            self._counts[spec.service] = Tasks()
            self._counts[spec.service].spawn(followed.run(), f"the count of {spec.service}")
        self._hurried.set()

    def forget(self, service: str) -> None:
        """Follow it no more. A service that was made here is removed."""
        if followed := self._drop(service):
            self._tasks.spawn(self._remove(followed), f"the removal of {service}")

    def discovered(self) -> Sequence[Discovered]:
        """The services with the label ecluse.enable=true."""
        return self._discovered

    def hurry(self, service: str) -> None:
        """Something seems to have changed, such as a connection that a task refused: look at once."""
        if service in self._followed:
            self._hurried.set()

    async def list(self, service: str) -> Sequence[Instance]:
        """As seen last, also while no manager answers. Raises EngineError while nothing is known."""
        return self._of(service).list()

    async def start(self, spec: InstanceSpec) -> Instance:
        """One more replica; starts that belong together are one update. Raises EngineError."""
        return await self._of(spec.service).start()

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """Lower the count as soon as it is the instance's turn. The grace is the service's own. Raises EngineError."""
        followed = self._followed.get(instance_id.rsplit(".", 2)[0])
        if followed:
            await followed.stop(instance_id)

    async def restart(self, instance_id: str) -> None:
        """Raises EngineError."""
        raise EngineError(
            f"{instance_id}: Swarm replaces tasks by itself; give the service a healthcheck for it to replace sick ones"
        )

    def owns_listener(self, instance_id: str) -> bool | None:
        """A task's address is its own."""
        return True

    def removal_order(self, service: str) -> Sequence[str]:
        """As Swarm is expected to remove them; empty while it updates the service."""
        return self._followed[service].removal_order() if service in self._followed else ()

    def full(self, service: str) -> str:
        """What Swarm says of tasks that it finds no machine for."""
        return self._followed[service].full() if service in self._followed else ""

    def trouble(self, service: str) -> str:
        """Of the endpoint, or else of the service."""
        return (
            self._link.trouble
            or self._lookout.trouble
            or (self._followed[service].trouble() if service in self._followed else "")
        )

    def way(self, service: str) -> str:
        """Over which network, or over published ports."""
        return self._followed[service].way if service in self._followed else ""

    async def close(self) -> None:
        """Stop looking. All services stay as they are, and the link is its owner's."""
        for counts in self._counts.values():
            await counts.close()
        await self._tasks.close()

    async def _follow(self) -> None:
        while True:
            self._hurried.clear()
            try:
                await self._lookout.fresh()
                for followed in [*self._followed.values()]:
                    await followed.renew()
            except EngineError as error:
                log.debug("no look at the swarm: %s", error)  # the link has told of it, and the last view stays
            await asyncio.sleep(LEAST_S)
            await self._rest()

    async def _rest(self) -> None:
        busy = any(followed.busy for followed in self._followed.values())
        with suppress(TimeoutError):
            async with asyncio.timeout((SOON_S if busy else INTERVAL_S) - LEAST_S):
                await self._hurried.wait()

    async def _remove(self, followed: Followed) -> None:
        try:
            await followed.remove()
        except MobyError as error:
            self._tell(followed.spec.service, "remove_failed", f"{error}; `docker service rm {followed.name}` does it by hand")

    def _drop(self, service: str) -> Followed | None:
        if counts := self._counts.pop(service, None):
            self._tasks.spawn(counts.close(), f"the end of the count of {service}")
        return self._followed.pop(service, None)

    def _of(self, service: str) -> Followed:
        if service not in self._followed:
            raise EngineError(f"no service {service} is followed on the swarm")
        return self._followed[service]

    def _names(self) -> Sequence[str]:
        return [followed.name for followed in self._followed.values()]

    def _seen(self, view: View) -> None:
        for service, followed in [*self._followed.items()]:
            if followed.take(view):
                self._changed(service)
        self._note_machines(view)
        found = tuple(_discovered(service) for service in view.labelled if labels.enabled(service.labels))
        if found != self._discovered:
            self._discovered = found
            self._changed("")

    def _note_machines(self, view: View) -> None:
        for machine in view.machines.values():
            before = self._machines.get(machine.id)
            if before and before.up != machine.up:
                kind, words = ("machine_up", "answers again") if machine.up else ("machine_down", "does not answer the managers")
                self._tell("", kind, f"machine {machine.name} {words}")
        self._machines = view.machines


def _discovered(service: ServiceState) -> Discovered:
    return Discovered(service.name, labels.written(service.labels), SwarmService(service.name))


def _nobody_listens(service: str) -> None:
    """Before `open` a change is told to nobody."""
