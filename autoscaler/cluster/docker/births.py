"""Further containers of a service: what is to be made, under which name, and in which networks.

Invariants: a name that is in use, being given, or was in use a moment ago is not given; what fails leaves nothing behind.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from autoscaler.cluster.docker import cloning, compose, maker, making
from autoscaler.cluster.docker.census import Census
from autoscaler.cluster.docker.container import Container, container
from autoscaler.cluster.docker.lives import Intent
from autoscaler.cluster.docker.making import Plan, Setting
from autoscaler.cluster.docker.pulls import Pulls
from autoscaler.cluster.docker.reach import LOOPBACK, needs_publishing, only_port, port_of
from autoscaler.cluster.engine import Clone, Copy, EngineError, Image, InstanceSpec, Tell
from autoscaler.cluster.moby import labels
from autoscaler.cluster.moby.api import MobyError
from autoscaler.cluster.moby.link import Link

Json = dict[str, Any]

REST_S = 10.0  # after which a name may be given again: nobody shall take a new container for the old one
RESTING = 1024  # names
NAMES = 64  # taken by strangers, after which the search is given up
HESITATION_S = 1.0  # after somebody stopped a container: whoever stops one by one has reached the template by then
EVERYWHERE = ""


class Births:
    """Of one engine. told(service, kind, message)."""

    def __init__(self, census: Census, link: Link, pulls: Pulls) -> None:
        self.tell: Tell = lambda service, kind, message: None
        self._census = census
        self._link = link
        self._pulls = pulls
        self._resting: deque[tuple[float, str]] = deque(maxlen=RESTING)

    async def start(self, spec: InstanceSpec) -> Container:
        """One more, started. Raises EngineError."""
        if isinstance(spec.source, Image):
            return await self._from_image(spec, spec.source)
        if isinstance(spec.source, Clone | Copy):
            return await self._from_template(spec, spec.source)
        raise EngineError(
            f"the containers of service {spec.service} are only found here, not started; give it an `image` to scale it"
        )

    def rest(self, name: str) -> None:
        """A name is not in use any more."""
        self._resting.append((self._census.clock() + REST_S, name))

    async def _from_image(self, spec: InstanceSpec, image: Image) -> Container:
        told = lambda kind, message: self.tell(spec.service, kind, message)  # noqa: E731 - bound to the service
        described = await self._pulls.ready(image.name, image.pull, told)
        self._census.images[image.name] = described["Id"]
        port = _port(image, described)
        networks = await self._networks(image.networks)
        published_on = self._published_on(networks)

        def plan(name: str, number: int) -> Plan:
            return making.from_image(spec, image, Setting(self._census.owner, name, port, [*networks], published_on))

        def name_of(number: int) -> str:
            return f"{self._census.owner}-{spec.service}-{number}"

        return await self._make(plan, name_of, ())

    async def _from_template(self, spec: InstanceSpec, source: Clone | Copy) -> Container:
        await self._hesitate()
        row, trouble = self._census.template(source)
        if not row:
            raise EngineError(trouble)
        template = await self._link.ask(lambda api: api.container(row.id))
        if trouble := cloning.objection(template):
            raise EngineError(trouble)
        found = container(template)
        port, trouble = port_of(found, source.port)
        if trouble:
            raise EngineError(trouble)
        image = await self._image_of(found)
        networks = {name: end.network_id for name, end in (found.attachments or {}).items()}
        published_on = self._published_on(networks)
        composed = labels.composed(row.labels)
        there = compose.members(self._census.watch.rows.values(), *composed) if composed else ()
        numbers = {labels.number(member.labels) for member in there} if composed else {1}  # the template itself is the first

        def plan(name: str, number: int) -> Plan:
            return cloning.from_template(spec, template, number, Setting(self._census.owner, name, port, (), published_on), image)

        def name_of(number: int) -> str:
            return compose.name_of(found.name, found.labels, number) if composed else f"{found.name}-{number}"

        return await self._make(plan, name_of, numbers)

    async def _make(self, plan: Callable[[str, int], Plan], name_of: Callable[[int], str], numbers: Collection[int]) -> Container:
        strangers: set[str] = set()
        while len(strangers) < NAMES:
            with self._name(name_of, numbers, strangers) as (name, number):
                try:
                    return await self._born(name, plan(name, number))
                except maker.NameTakenError:
                    strangers.add(name)
        raise EngineError(f"no name for a further container: {NAMES} like {name_of(1)} belong to somebody else")

    async def _born(self, name: str, plan: Plan) -> Container:
        container_id = await maker.make(self._link, name, plan)
        life = self._census.life(container_id)
        life.intent = Intent.STARTING
        try:
            await maker.launch(self._link, container_id, name, plan)
            return await self._census.watch.look_at(container_id)
        except EngineError:
            await self._undo(container_id)
            raise
        finally:
            life.intent = Intent.NONE

    async def _undo(self, container_id: str) -> None:
        """What cannot be removed now is found again by its marks."""
        with suppress(EngineError):
            await maker.remove(self._link, container_id)
            self._census.watch.gone(container_id)

    @contextmanager
    def _name(self, name_of: Callable[[int], str], numbers: Collection[int], strangers: set[str]) -> Iterator[tuple[str, int]]:
        now_s = self._census.clock()
        used = {row.name for row in self._census.watch.rows.values()} | self._census.unborn | strangers
        used |= {name for until_s, name in self._resting if until_s > now_s}
        number = next(
            number for number in range(1, len(used) + len(numbers) + 2) if number not in numbers and name_of(number) not in used
        )
        name = name_of(number)
        self._census.unborn.add(name)
        try:
            yield name, number
        finally:
            self._census.unborn.discard(name)

    async def _networks(self, wanted: Collection[str]) -> Mapping[str, str]:
        """The networks to be in, name -> id: those that are configured, else one that our own container is in."""
        own = self._census.ground.networks or {}
        names = wanted or [name for name in sorted(own) if name != "bridge"][:1]
        return {name: await self._network(name) for name in names}

    async def _network(self, name: str) -> str:
        try:
            return str((await self._link.ask(lambda api: api.network(name)))["Id"])
        except MobyError as error:
            if not error.missing:
                raise
            raise EngineError(
                f'there is no network "{name}" on the engine; make it first: docker network create {name}'
            ) from error

    async def _image_of(self, template: Container) -> str:
        """The template's image by its name, or by its id where the name means another one, or nothing, by now."""
        try:
            described = await self._link.ask(lambda api: api.image(template.image))
        except MobyError as error:
            if not error.missing:
                raise
            return template.image_id
        return template.image if described["Id"] == template.image_id else template.image_id

    def _published_on(self, networks: Mapping[str, str]) -> str | None:
        ground = self._census.ground
        if not needs_publishing(ground, networks):
            return None
        return LOOPBACK if ground.local else EVERYWHERE

    async def _hesitate(self) -> None:
        await asyncio.sleep(max(0.0, self._census.last_halt_s + HESITATION_S - self._census.clock()))


def _port(image: Image, described: Json) -> int:
    config = described.get("Config") or {}
    exposed = tuple(sorted(int(text.partition("/")[0]) for text in config.get("ExposedPorts") or {} if text.endswith("/tcp")))
    if image.port:
        return image.port
    port, trouble = only_port(exposed, f'image "{image.name}"')
    if trouble:
        raise EngineError(trouble)
    return port
