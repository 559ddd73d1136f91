"""The `docker` engine: instances are containers of one Docker engine, made from an image, cloned from a Compose service's, or found.

Invariants: only containers that carry our marks are ever started, stopped or removed; what is decided is decided on one list of
containers, which `moby/watch.py` keeps fresh; containers outlive this program, and the next one takes them over as they are. An
instance's id is its container's name, which rests for a while before it is given again.
"""

import asyncio
import random
import socket
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from autoscaler.cluster.docker import maker, own
from autoscaler.cluster.docker.births import Births
from autoscaler.cluster.docker.census import Census
from autoscaler.cluster.docker.container import Container
from autoscaler.cluster.docker.lives import Intent
from autoscaler.cluster.docker.meters import Meters
from autoscaler.cluster.docker.pulls import Pulls
from autoscaler.cluster.docker.upkeep import Upkeep
from autoscaler.cluster.engine import Changed, Discovered, EngineError, Image, Instance, InstanceSpec, Plain, Tell, Usage, silent
from autoscaler.cluster.moby import labels
from autoscaler.cluster.moby.api import MobyError
from autoscaler.cluster.moby.link import Link
from autoscaler.cluster.restarts import RestartPolicy
from autoscaler.tasks import Tasks

AROUND_S = 10.0  # between two looks at what the names of images and machines mean
LOCATE_S = 1.0


EXECUTE_MARGIN_S = 2.0  # beyond a command's own time, for the engine to begin it and to say how it ended
OUTPUT = 4096  # octets at the end of what a command prints, that are looked at


class Docker(Plain):
    """An `Engine` over the containers of one Docker engine. owner: the name under which it knows its own; one for each Écluse.

    wall: seconds since the epoch. candidates: ids that may be our own container's.
    """

    def __init__(
        self,
        link: Link,
        owner: str,
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        restarts: RestartPolicy | None = None,
        candidates: Callable[[], Collection[str]] = own.candidates,
    ) -> None:
        self._link = link
        self._census = Census(link, owner, clock, wall, restarts or RestartPolicy(), candidates())
        self._pulls = Pulls(link, clock)
        self._births = Births(self._census, link, self._pulls)
        self._upkeep = Upkeep(self._census, self._births, link, rng)
        self._meters = Meters(link, clock)
        self._tasks = Tasks()
        self._census.happened, self._census.examined = self._upkeep.happened, self._upkeep.examined

    @property
    def can_scale(self) -> bool:
        """Containers are started and stopped here."""
        return True

    @property
    def outlives(self) -> bool:
        """Containers are the engine's children, not ours."""
        return True

    async def open(self, changed: Changed, tell: Tell = silent) -> None:
        """Begin to follow the engine, which may be away."""
        self._census.changed, self._births.tell, self._upkeep.tell = changed, tell, tell
        works = {
            "list": self._follow(),
            "events": self._census.watch.listen(),
            "upkeep": self._upkeep.run(),
            "names": self._look_around(),
        }
        for name, work in works.items():
            self._tasks.spawn(work, f"docker {name}")

    def declare(self, spec: InstanceSpec) -> None:
        """The service is configured so, from now on or again."""
        self._census.declare(spec)

    def forget(self, service: str) -> None:
        """The service is no longer configured."""
        self._census.forget(service)

    def discovered(self) -> Sequence[Discovered]:
        """What describes itself as a service by its labels."""
        return self._census.discovered

    async def list(self, service: str) -> Sequence[Instance]:
        """The instances of a service, oldest first. Raises EngineError while nothing is known of it."""
        return await self._census.instances(service)

    async def start(self, spec: InstanceSpec) -> Instance:
        """One more container, started. Raises EngineError, with nothing left behind."""
        if not self._census.complete(spec.service):
            raise EngineError(self._link.trouble or f"{self._link.where.url} has not told yet what is there")
        found = await self._births.start(spec)
        self._census.tell_changes()
        return self._census.instance(spec.service, found)

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """Its stop signal, at most grace_s, SIGKILL, and removed. Raises EngineError."""
        if not (found := self._census.named(instance_id)):
            return
        self._demand_ours(found)
        life = self._census.life(found.id)
        life.intent, life.grace_s = Intent.STOPPING, grace_s
        self._census.tell_changes()
        await maker.stop(self._link, found.id, grace_s)
        await maker.remove(self._link, found.id)
        self._census.watch.gone(found.id)
        self._births.rest(found.name)
        self._meters.forget(found.id)
        self._census.tell_changes()

    async def restart(self, instance_id: str) -> None:
        """Stop a container and start it again, unless it is on its way there. Raises EngineError."""
        if not (found := self._census.named(instance_id)):
            raise EngineError(f"there is no container {instance_id}")
        self._demand_ours(found)
        life = self._census.life(found.id)
        if life.intent is not Intent.NONE or not found.state.lives:
            return
        life.intent = Intent.REPLACING
        self._census.tell_changes()
        try:
            await maker.stop(self._link, found.id, self._grace_s(found))
            await self._link.ask(lambda api: api.start(found.id))
            life.restarts += 1
            await self._census.watch.look_at(found.id)
        except MobyError as error:
            life.why, life.due_s = f"could not be restarted: {error}", self._census.clock()
            raise EngineError(f"{instance_id} could not be restarted: {error}") from error
        finally:
            life.intent = Intent.NONE
            self._census.tell_changes()

    async def execute(self, instance_id: str, command: Sequence[str], timeout_s: float) -> tuple[int, str]:
        """Run a command in a container. The engine has no way to end one that does not end in time. Raises EngineError."""
        if not (found := self._census.named(instance_id)):
            raise EngineError(f"there is no container {instance_id}")
        answer_s = timeout_s + EXECUTE_MARGIN_S
        status, octets = await self._link.ask(lambda api: api.execute(found.id, command, timeout_s, OUTPUT), answer_s, answer_s)
        if status is None:
            raise EngineError(f"{command[0]} did not end within {timeout_s:g} s")
        lines = [line.strip() for line in octets.decode(errors="replace").splitlines()]
        return status, next((line for line in reversed(lines) if line), "")

    def owns_listener(self, instance_id: str) -> bool | None:
        """A container's address is its own."""
        return True

    def trouble(self, service: str) -> str:
        """What is wrong with where its instances come from, in words."""
        return self._census.trouble(service)

    def way(self, service: str) -> str:
        """How its instances are reached."""
        return self._census.way(service)

    def usage(self, instance_id: str) -> Usage | None:
        """What a container uses. The first question begins the measuring, which ends when nobody asks any more."""
        found = self._census.named(instance_id)
        used = self._meters.read(found.id, found.cpus) if found and found.state.lives else None
        return replace(used, memory_request=found.memory_request) if used and found else used

    async def close(self) -> None:
        """Stop following; the containers stay as they are, and so does the link."""
        for part in (self._tasks, self._upkeep, self._pulls, self._meters):
            await part.close()

    def _demand_ours(self, found: Container) -> None:
        if not labels.owned(found.labels, self._census.owner):
            raise EngineError(
                f"{found.name} was not started by Écluse, so it is not stopped from here; stop it where it was started"
            )

    def _grace_s(self, found: Container) -> float:
        service = found.labels.get(labels.MANAGED_SERVICE, "")
        spec = self._census.specs.get(service)
        return (spec or InstanceSpec(service)).stop_grace_s

    async def _follow(self) -> None:
        while not await self._locate():  # noqa: ASYNC110 - a resolver has no event to wait for
            await asyncio.sleep(LOCATE_S)
        await self._census.watch.follow()

    async def _locate(self) -> bool:
        """Where ports are reached that the engine's machine publishes, if it is another one; again when another manager is asked."""
        where = self._link.where
        if where.local or not where.host:
            return True
        try:
            found = await asyncio.get_running_loop().getaddrinfo(where.host, None, type=socket.SOCK_STREAM)
        except OSError:
            return bool(self._census.ground.host)
        self._census.ground = replace(self._census.ground, host=str(found[0][4][0]))
        return True

    async def _look_around(self) -> None:
        """A name that means another image now makes the containers of the former one outdated."""
        while True:
            await asyncio.sleep(AROUND_S)
            await self._locate()
            sources = [spec.source for spec in self._census.specs.values()]
            for name in {source.name for source in sources if isinstance(source, Image)}:
                await self._look_at_image(name)
            self._census.tell_changes()

    async def _look_at_image(self, name: str) -> None:
        with suppress(MobyError):  # not there, or the engine is away: then what is known stays
            self._census.images[name] = str((await self._link.ask(lambda api: api.image(name)))["Id"])
