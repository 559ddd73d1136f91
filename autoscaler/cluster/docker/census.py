"""Which containers belong to which service, and how each of them stands: the list that `watch.py` keeps, seen with our own knowledge.

Invariant: everything that is answered here comes from one list and what was declared; nothing is asked of the engine.
"""

import asyncio
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from autoscaler.cluster.docker import compose, view
from autoscaler.cluster.docker.container import Container, Row
from autoscaler.cluster.docker.lives import Life
from autoscaler.cluster.docker.reach import Ground, Reach, reach
from autoscaler.cluster.docker.watch import Happening, Watch
from autoscaler.cluster.engine import Changed, Clone, Copy, Discovered, Image, Instance, InstanceSpec, Labelled, NotHeardYet
from autoscaler.cluster.moby import labels
from autoscaler.cluster.moby.link import Link
from autoscaler.cluster.restarts import RestartPolicy

FIRST_S = 3.0  # for the first answer after a service was declared, before `instances` says that there is none


class Census:
    """Of one engine. candidates: ids that may be our own container's. wall: seconds since the epoch, to read the engine's times once."""

    def __init__(
        self,
        link: Link,
        owner: str,
        clock: Callable[[], float],
        wall: Callable[[], float],
        policy: RestartPolicy,
        candidates: Collection[str],
    ) -> None:
        self.owner = owner
        self.policy = policy
        self.clock = clock
        self.specs: dict[str, InstanceSpec] = {}
        self.unborn: set[str] = set()  # names of containers that are being made, which nobody else shall see yet
        self.lives: dict[str, Life] = {}
        self.images: dict[str, str] = {}  # name -> the id that it means now
        self.last_halt_s = -math.inf  # when somebody else was seen to stop a container
        self.ground = Ground(local=link.where.local)
        self.changed: Changed = _nobody_listens
        self.discovered: Sequence[Discovered] = ()
        self.happened: Callable[[Happening], None] = _nobody_cares
        self.examined: Callable[[], None] = lambda: None
        self.watch = Watch(link, self._relevant, self._happened, self._refreshed)
        self._link = link
        self._wall = wall
        self._candidates = candidates
        self._declared: dict[str, int] = {}  # service -> lists begun before it was declared
        self._last: dict[str, tuple[Instance, ...]] = {}
        self._answer = asyncio.Event()

    def declare(self, spec: InstanceSpec) -> None:
        """A service is configured so, from now on or again."""
        before = self.specs.get(spec.service)
        self.specs[spec.service] = spec
        if before is None or before.source != spec.source:
            self._declared[spec.service] = self.watch.begun
        self.watch.look()

    def forget(self, service: str) -> None:
        """A service is no longer configured."""
        for known in (self.specs, self._declared, self._last):
            known.pop(service, None)

    async def instances(self, service: str) -> Sequence[Instance]:
        """Oldest first. Raises EngineError until there was a list since the service was declared, for which it waits a moment."""
        try:
            async with asyncio.timeout(FIRST_S):
                while not self.complete(service):
                    await self._answer.wait()
        except TimeoutError:
            raise NotHeardYet(self._link.trouble or f"{self._link.where.url} has not answered yet") from None
        return self.seen(service)

    def complete(self, service: str) -> bool:
        """Whether what is known of a service is all there is."""
        return self.watch.answered > self._declared.get(service, -1)

    def seen(self, service: str) -> tuple[Instance, ...]:
        """The instances of a service as they are known now."""
        return tuple(self.instance(service, found) for found in self.members(service))

    def instance(self, service: str, container: Container) -> Instance:
        """A container as one of a service's instances."""
        return view.instance(service, self._sight(service, container), self.policy, self.clock())

    def members(self, service: str) -> list[Container]:
        """The containers of a service, oldest first."""
        spec = self.specs.get(service)
        found = [
            one for one in self.watch.containers.values() if spec and one.name not in self.unborn and self._belongs(spec, one)
        ]
        return sorted(found, key=lambda one: (one.created_s, one.name))

    def ours(self) -> list[Container]:
        """All that carry our marks, of services that are declared or not."""
        return [one for one in self.watch.containers.values() if labels.owned(one.labels, self.owner)]

    def named(self, name: str) -> Container | None:
        """A container by its name."""
        return next((one for one in self.watch.containers.values() if one.name == name), None)

    def life(self, container_id: str) -> Life:
        """What is remembered of a container."""
        return self.lives.setdefault(container_id, Life(since_s=0.0))

    def reach(self, service: str, container: Container) -> Reach:
        """How a container is reached."""
        source = self.specs[service].source
        return reach(container, source.port if source else 0, self.ground)

    def template(self, source: Clone | Copy) -> tuple[Row | None, str]:
        """The container to clone, or why there is none. One that was asked to stop says that the service is not wanted now."""
        return self._template_of_compose(source) if isinstance(source, Clone) else self._template_by_name(source.container)

    def _template_by_name(self, name: str) -> tuple[Row | None, str]:
        row = next((row for row in self.watch.rows.values() if row.name == name), None)
        if not row:
            return None, f'there is no container "{name}" to copy; start it once'
        if composed := labels.composed(row.labels):
            return None, f'container "{name}" is one of Compose service "{composed[1]}"; write compose: {composed[1]} instead'
        if not row.state.lives or self.life(row.id).intent.leaves:
            return None, f'container "{name}" was stopped; its service is scaled again once it is started'
        return row, ""

    def _template_of_compose(self, clone: Clone) -> tuple[Row | None, str]:
        project, trouble = compose.project_of(clone, self.watch.rows.values(), self.ground.project)
        if trouble:
            return None, trouble
        there = compose.members(self.watch.rows.values(), project, clone.service)
        wanted = [row for row in there if not self.life(row.id).intent.leaves]
        if found := compose.template(wanted, self.owner):
            return found, ""
        if there:
            return (
                None,
                f'Compose service "{clone.service}" of project "{project}" was stopped; it is scaled again once it is started',
            )
        return (
            None,
            f'there is no container of Compose service "{clone.service}" in project "{project}"; start it once with Compose',
        )

    def trouble(self, service: str) -> str:
        """What is wrong with where the instances come from, in words."""
        spec = self.specs.get(service)
        if self._link.trouble or not spec:
            return self._link.trouble
        if isinstance(spec.source, Clone | Copy) and self.complete(service) and (trouble := self.template(spec.source)[1]):
            return trouble
        return next((reach.trouble for reach in self._reaches(service) if reach.trouble), "")

    def way(self, service: str) -> str:
        """How the instances are reached, in words."""
        return "; ".join(sorted({reach.way for reach in self._reaches(service) if reach.way}))

    def tell_changes(self) -> None:
        """Tell whose list is another one now."""
        for service in [*self.specs]:
            if self.complete(service) and self._last.get(service) != (now := self.seen(service)):
                self._last[service] = now
                self.changed(service)

    def _reaches(self, service: str) -> list[Reach]:
        return [self.reach(service, found) for found in self.members(service) if found.state.lives]

    def _sight(self, service: str, container: Container) -> view.Sight:
        ours = labels.owned(container.labels, self.owner)
        life = self.life(container.id)
        return view.Sight(container, life, self.reach(service, container), ours, ours and self._outdated(service, container))

    def _outdated(self, service: str, container: Container) -> bool:
        spec = self.specs[service]
        if container.labels.get(labels.SPEC) != spec.version:
            return True
        if isinstance(spec.source, Image):
            return self.images.get(spec.source.name, container.image_id) != container.image_id
        return isinstance(spec.source, Clone | Copy) and self._differs(spec.source, container)

    def _differs(self, source: Clone | Copy, container: Container) -> bool:
        """Whether what it was copied from is another container by now."""
        row, _ = self.template(source)
        template = self.watch.containers.get(row.id) if row else None
        if not template or labels.owned(template.labels, self.owner):
            return False
        if isinstance(source, Copy):
            return container.labels.get(labels.TEMPLATE) != template.id
        same_hash = template.labels.get(labels.CONFIG_HASH) == container.labels.get(labels.CONFIG_HASH)
        return not same_hash or template.image_id != container.image_id

    def _belongs(self, spec: InstanceSpec, container: Container) -> bool:
        if labels.owned(container.labels, self.owner):
            return container.labels.get(labels.MANAGED_SERVICE) == spec.service
        row = self.watch.rows.get(container.id)
        if isinstance(spec.source, Labelled) and row:
            return view.found_by_label(row, spec.source.name)
        if isinstance(spec.source, Clone):
            project, _ = compose.project_of(spec.source, self.watch.rows.values(), self.ground.project)
            return labels.composed(container.labels) == (project, spec.source.service)
        return isinstance(spec.source, Copy) and container.name == spec.source.container

    def _relevant(self, row: Row) -> bool:
        if labels.owned(row.labels, self.owner) or self._is_own(row):
            return True
        return any(self._concerns(spec, row) for spec in self.specs.values())

    def _concerns(self, spec: InstanceSpec, row: Row) -> bool:
        if isinstance(spec.source, Labelled):
            return view.found_by_label(row, spec.source.name)
        if isinstance(spec.source, Copy):
            return row.name == spec.source.container
        composed = labels.composed(row.labels)
        return isinstance(spec.source, Clone) and composed is not None and composed[1] == spec.source.service

    def _is_own(self, row: Row) -> bool:
        return any(row.id.startswith(candidate) for candidate in self._candidates)

    def _happened(self, happening: Happening) -> None:
        self.happened(happening)

    def _refreshed(self) -> None:
        self.ground = self._where(self.watch.rows.values())
        self.lives = {name: life for name, life in self.lives.items() if name in self.watch.rows}
        for found in self.watch.containers.values():
            self._note_times(found, self.life(found.id))
        self.examined()
        self.tell_changes()
        if (discovered := view.discovered(self.watch.rows.values())) != self.discovered:
            self.discovered = discovered
            self.changed("")
        self._answer.set()
        self._answer = asyncio.Event()

    def _where(self, rows: Iterable[Row]) -> Ground:
        own = next((self.watch.containers.get(row.id) for row in rows if self._is_own(row)), None)
        ground = replace(self.ground, local=self._link.where.local, networks=None, project="")
        if not own or not self._candidates:
            return ground
        project = own.labels.get(labels.PROJECT, "")
        networks = None if own.host_network else {name: end.network_id for name, end in (own.attachments or {}).items()}
        return replace(ground, networks=networks, project=project)

    def _note_times(self, container: Container, life: Life) -> None:
        """The engine's clock may be another one: it is believed about an age once, and never about the future."""
        now_s = self.clock()
        if not life.since_s:
            life.since_s = min(now_s, now_s - (self._wall() - container.created_s))
            life.ran_from_s = min(now_s, now_s - (self._wall() - container.started_s))
        elif container.started_s != life.started_s:
            life.ran_from_s = now_s
        life.started_s = container.started_s


def _nobody_cares(happening: Happening) -> None:
    """Before `happened` is set."""


def _nobody_listens(service: str) -> None:
    """Before `open` a change is told to nobody."""
