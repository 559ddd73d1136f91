"""One configured service as it is followed on a Swarm: from each look at it to what a fleet is told, and from its count to updates.

Invariants: of a service that others made only the number of replicas is ever written; one that was made here is known by its labels,
and one of that name without them is left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from autoscaler.cluster.engine import EngineError, Image, Instance, InstanceSpec, InstanceStatus, NotHeardYet, SwarmService, Tell
from autoscaler.cluster.moby import labels
from autoscaler.cluster.moby.api import MobyError
from autoscaler.cluster.swarm.complaints import foreign, makes, port_of, reset, service_name, trouble
from autoscaler.cluster.swarm.count import Count, Means
from autoscaler.cluster.swarm.lookout import ANSWER_S, PATIENCE_S, Ask, Lookout
from autoscaler.cluster.swarm.made import service_spec
from autoscaler.cluster.swarm.picture import Picture
from autoscaler.cluster.swarm.shown import Showing, counting, instance_id, instances
from autoscaler.cluster.swarm.tasks import Json, ServiceState, Task, TaskState, View, with_replicas
from autoscaler.cluster.swarm.victims import removal_order, slots
from autoscaler.cluster.swarm.ways import Attached, Reach, reach

YOUNG_S = 10.0  # of a task: it may be about to start, or to fail
FULL_S = 1.5  # that a task has had no place: Swarm says so for a moment of every new one while it looks
_NO_PLACE = "no suitable node"


@dataclass(frozen=True, slots=True)
class Swarming:
    """What all services share. clock: CLOCK_MONOTONIC seconds; wall: seconds since the epoch."""

    link: Ask
    lookout: Lookout
    owner: str
    attached: Attached
    clock: Callable[[], float]
    wall: Callable[[], float]
    tell: Tell


class Followed:
    """`take` each view, and `run` beside it. picture: what was seen last. way: how its tasks are reached, in words.

    predictions: removals that were as expected, and others.
    """

    def __init__(self, spec: InstanceSpec, around: Swarming) -> None:
        self.spec = spec
        self.picture: Picture | None = None
        self.way = ""
        self.predictions = (0, 0)
        self._around = around
        self._tell = partial(around.tell, spec.service)
        self._count = Count(Means(self._fresh, self._write, self._make, self._usable, self._tell, self._judged, around.clock))
        self._there = False  # it has been seen at least once
        self._replicas: int | None = None  # as we know them; another number comes from outside
        self._attempted: int | None = None  # what we tried to write; an answer that is lost does not say whether it was
        self._written = 0  # the version that our last update was made from; what was read then or before is old
        self._since: dict[str, float] = {}
        self._placeless: dict[str, float] = {}

    @property
    def name(self) -> str:
        """The Swarm service's name."""
        return service_name(self.spec)

    @property
    def busy(self) -> bool:
        """Whether the next look is worth taking soon."""
        if self._count.busy or self.picture is None:
            return True
        updating = self.picture.service is not None and self.picture.service.updating
        return updating or any(self._around.clock() - since_s < YOUNG_S for since_s in self._since.values())

    async def run(self) -> None:
        """Do what starts, stops and a changed configuration ask for."""
        await self._count.run()

    def take(self, view: View) -> bool:
        """How things are now. Whether a fleet has to look again."""
        before, service = self.picture, view.services.get(self.name)
        tasks = view.of(self.name)
        self.picture = Picture(service, self._instances(view, service, tasks), self._order(tasks))
        self._note_count(service)
        self._note_update(before.service if before else None, service)
        self._note_places(tasks)
        self._there = self._there or service is not None
        self._count.seen(self.picture)
        return before is None or before.instances != self.picture.instances or before.order != self.picture.order

    def list(self) -> Sequence[Instance]:
        """Raises EngineError while nothing is known."""
        if self.picture is None:
            raise NotHeardYet(f"nothing is known yet of the Swarm service {self.name}")
        if (trouble := self.trouble()) and not self._there:
            raise EngineError(trouble)
        self._count.told = frozenset(instance.id for instance in self.picture.instances)
        return self.picture.instances

    async def start(self) -> Instance:
        """Raises EngineError."""
        return await self._count.start()

    async def stop(self, instance: str) -> None:
        """Raises EngineError."""
        await self._count.stop(instance)

    def removal_order(self) -> Sequence[str]:
        """None is removed while Swarm itself replaces one after the other, as its order changes with each, nor while that is paused."""
        picture = self.picture
        service = picture.service if picture else None
        if picture is None or service is None or service.replicas is None or service.updating or service.paused:
            return ()
        return picture.order

    def full(self) -> str:
        """Why a task has found no machine for a while."""
        now_s = self._around.clock()
        late = [words for words, since_s in self._placeless.items() if now_s - since_s >= FULL_S]
        return f"Swarm: {late[0]}" if late else ""

    def trouble(self) -> str:
        """What is wrong with the service itself."""
        return trouble(self.picture.service, self.spec, self._around.owner) if self.picture else ""

    async def renew(self) -> None:
        """Bring a service that was made here up to its configuration; Swarm replaces its tasks one by one. Raises MobyError."""
        service = self.picture.service if self.picture else None
        if (
            service is None
            or not makes(self.spec)
            or foreign(service, self.spec, self._around.owner)
            or service.labels.get(labels.SPEC) == self.spec.version
        ):
            return
        self._tell("service_update", "its configuration has changed; Swarm replaces its tasks one by one")
        body = self._made(service.replicas or 0)
        await self._update(service, body, body["TaskTemplate"]["ContainerSpec"]["Image"])

    async def remove(self) -> None:
        """Remove the service if it was made here. Raises MobyError."""
        service = self.picture.service if self.picture else None
        if service and makes(self.spec) and not foreign(service, self.spec, self._around.owner):
            await self._around.link.ask(lambda api: api.remove_service(service.id), PATIENCE_S, ANSWER_S)

    # What is shown

    def _instances(self, view: View, service: ServiceState | None, tasks: Sequence[Task]) -> tuple[Instance, ...]:
        """Without those that had ended before they were ever shown: Swarm remembers some for every slot."""
        if service is None or foreign(service, self.spec, self._around.owner):
            return ()
        way = partial(self._reach, view, service)
        found = instances(tasks, Showing(self.spec.service, view.machines, way, self._since_s, not makes(self.spec)))
        self.way = next((way(task).way for task in tasks if task.wanted and task.state is TaskState.RUNNING), "")
        self._since = {task.id: since_s for task in tasks if (since_s := self._since.get(task.id)) is not None}
        before = {one.id: one for one in self.picture.instances} if self.picture else {}
        return tuple(_where_it_was(one, before) for one in found if one.id in before or one.status is not InstanceStatus.EXITED)

    def _order(self, tasks: Sequence[Task]) -> tuple[str, ...]:
        order = removal_order(slots(tasks), self._around.lookout.since_1_24)
        return tuple(instance_id(self.spec.service, counting(slot)) for slot in order)

    def _reach(self, view: View, service: ServiceState, task: Task) -> Reach:
        network = self.spec.source.network if isinstance(self.spec.source, SwarmService) else ""
        return reach(task, view.machines.get(task.machine), port_of(service, self.spec), network, self._around.attached)

    def _since_s(self, task: Task) -> float:
        """Its age by our clocks, taken once: later changes of the time of day do not matter."""
        now_s = self._around.clock()
        return self._since.setdefault(task.id, now_s - max(0.0, self._around.wall() - task.created_s))

    # What is noticed

    def _note_count(self, service: ServiceState | None) -> None:
        if service is None or service.version <= self._written:
            return
        if self._replicas is not None and service.replicas not in {self._replicas, self._attempted}:
            self._tell("count_reset", reset(service, self._replicas))
        self._replicas = service.replicas

    def _note_update(self, before: ServiceState | None, service: ServiceState | None) -> None:
        if before and service and service.update and before.update != service.update:
            self._tell("service_update", f"Swarm's update of {self.name} is {service.update}: {service.update_words}")

    def _note_places(self, tasks: Sequence[Task]) -> None:
        words = {
            task.words for task in tasks if task.wanted and task.state is TaskState.PENDING and task.words.startswith(_NO_PLACE)
        }
        self._placeless = {each: self._placeless.get(each, self._around.clock()) for each in words}

    # What is done

    def _judged(self, hits: int, misses: int) -> None:
        self.predictions = (self.predictions[0] + hits, self.predictions[1] + misses)

    async def _fresh(self) -> Picture:
        await self._around.lookout.fresh()
        assert self.picture is not None
        return self.picture

    def _usable(self, picture: Picture) -> ServiceState | None:
        service = picture.service
        if service is None and makes(self.spec):
            return None
        if service is None or foreign(service, self.spec, self._around.owner) or service.replicas is None or service.paused:
            raise EngineError(self.trouble())
        if service.updating and service.rolls_back:
            raise EngineError(
                f"Swarm updates {self.name} and would go back to the spec before if that fails; a count written now would be that "
                f"spec, so no replica is added until the update has ended"
            )
        return service

    async def _write(self, service: ServiceState, replicas: int) -> bool:
        return await self._update(service, with_replicas(service.spec, replicas))

    async def _update(self, service: ServiceState, body: Json, image: str = "") -> bool:
        """Whether it was done; not if somebody else has changed the service since it was read. Raises MobyError."""
        self._attempted = body["Mode"]["Replicated"]["Replicas"]
        try:
            await self._around.link.ask(
                lambda api: api.update_service(service.id, service.version, body, image), PATIENCE_S, ANSWER_S
            )
        except MobyError as error:
            if not error.stale:
                raise
            return False
        self._replicas, self._attempted, self._written = self._attempted, None, service.version
        return True

    async def _make(self, replicas: int) -> None:
        body = self._made(replicas)
        try:
            await self._around.link.ask(lambda api: api.create_service(body), PATIENCE_S, ANSWER_S)
        except MobyError as error:
            if not error.conflict:
                raise
        else:
            self._tell("service_made", f"a Swarm service {self.name} was made, as there was none")

    def _made(self, replicas: int) -> Json:
        """Raises EngineError."""
        image = self.spec.source
        assert isinstance(image, Image)
        if not image.port:
            raise EngineError(f"services.{self.name}: say with `port` on which port the image {image.name} listens")
        return service_spec(self.spec, image, self._around.owner, replicas)


def _where_it_was(instance: Instance, before: Mapping[str, Instance]) -> Instance:
    """Swarm takes a published port's number out of its answers as soon as a task is told to stop, and requests are in flight there."""
    if instance.status is InstanceStatus.STOPPING and not instance.address and instance.id in before:
        return replace(instance, address=before[instance.id].address)
    return instance
