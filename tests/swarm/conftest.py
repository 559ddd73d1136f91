"""An Écluse's view of a real Swarm: the engine over its managers, and what it told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from autoscaler.cluster.engine import EngineError, Instance, InstanceSpec, InstanceStatus, SwarmService
from autoscaler.cluster.moby.link import Link
from autoscaler.cluster.moby.where import Where
from autoscaler.cluster.swarm.engine import Swarm
from tests.engines import swarm as engines
from tests.support import wait_until

OWNER = "lock"
WEB = InstanceSpec("shop", source=SwarmService("web", 8000))
COUNTING = frozenset({InstanceStatus.PENDING, InstanceStatus.RUNNING, InstanceStatus.BACKOFF})
DEADLINE_S = 60.0


@dataclass
class Sight:
    """A `Swarm` and what it told. counts: of the instances that counted, each time it said that they had changed."""

    swarm: Swarm
    told: list[tuple[str, str]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    async def shown(self) -> Sequence[Instance]:
        """None while nothing is known."""
        try:
            return await self.swarm.list("shop")
        except EngineError:
            return ()

    async def settled(self, replicas: int) -> list[Instance]:
        """The instances, once there are so many and all of them run."""

        async def so_many() -> Sequence[Instance]:
            shown = [one for one in await self.shown() if one.status is not InstanceStatus.EXITED]
            return shown if len(shown) == replicas and all(one.status is InstanceStatus.RUNNING for one in shown) else ()

        return [*await wait_until(so_many, DEADLINE_S)]

    @property
    def running(self) -> set[str]:
        """The ids of what runs, as seen last."""
        picture = self.swarm._followed["shop"].picture
        return {one.id for one in picture.instances if one.status is InstanceStatus.RUNNING} if picture else set()

    def words(self, kind: str) -> str:
        """What was told last of a kind; "" if nothing was."""
        return next((words for other, words in reversed(self.told) if other == kind), "")

    async def hears(self, kind: str) -> str:
        return await wait_until(lambda: self.words(kind), DEADLINE_S)

    def changed(self, service: str) -> None:
        self.changes.append(service)
        if picture := service and self.swarm._followed[service].picture:  # what a fleet will see, without waiting for it
            self.counts.append(sum(one.status in COUNTING for one in picture.instances))


@asynccontextmanager
async def look(*urls: str, spec: InstanceSpec = WEB, attached: bool = False) -> AsyncIterator[Sight]:
    """The engine over these managers, following one service. attached: as if it were in a container on each of the task's networks."""
    sight: Sight
    link = Link([Where(url) for url in urls], lambda kind, message: sight.told.append((kind, message)))
    sight = Sight(Swarm(link, OWNER, attached=lambda cidr: attached))
    await sight.swarm.open(sight.changed, lambda service, kind, message: sight.told.append((kind, message)))
    sight.swarm.declare(spec)
    try:
        yield sight
    finally:
        await sight.swarm.close()
        await link.close()


@pytest.fixture(scope="session")
def quick(session_swarm: engines.Swarm) -> None:
    """A lost machine is noticed after three seconds instead of fifteen."""
    session_swarm.docker("swarm", "update", "--dispatcher-heartbeat=1s")


@pytest.fixture
async def sight(swarm3: engines.Swarm, quick: None) -> AsyncIterator[Sight]:
    """The engine over the Swarm's manager, following its service "web" under the name of "shop"."""
    async with look(swarm3.manager.endpoint) as one:
        yield one
