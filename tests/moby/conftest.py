"""An Écluse's view of a real engine: `Docker` over the session's dockerd, and what is needed to look at it from outside."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from autoscaler.cluster.docker.engine import Docker
from autoscaler.cluster.engine import Image, Instance, InstanceSpec
from autoscaler.cluster.moby.link import Link
from autoscaler.cluster.moby.where import Where
from autoscaler.cluster.restarts import RestartPolicy
from tests.engines.daemon import Daemon
from tests.engines.images import NAME, PORT
from tests.support import get, wait_until

OWNER = "lock"
QUICK = RestartPolicy(first_s=0.2, longest_s=0.4, settled_s=60.0)
SHOP = InstanceSpec("shop", source=Image(f"{NAME}:1"), stop_grace_s=5.0)
Candidates = Callable[[], Collection[str]]


@dataclass
class Yard:
    """A `Docker` with what it told."""

    docker: Docker
    link: Link
    daemon: Daemon
    changes: list[str] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)

    async def start(self, spec: InstanceSpec, count: int = 1) -> list[Instance]:
        """So many more of a service, which is declared."""
        self.docker.declare(spec)
        await self.docker.list(spec.service)
        return list(await asyncio.gather(*(self.docker.start(spec) for _ in range(count))))

    async def names(self, service: str = "shop") -> list[str]:
        """The ids in the engine's list."""
        return [instance.id for instance in await self.docker.list(service)]

    async def one(self, name: str, service: str = "shop") -> Instance | None:
        """An instance by its id."""
        return next((instance for instance in await self.docker.list(service) if instance.id == name), None)

    def containers(self) -> list[str]:
        """What is really there."""
        return sorted(name.removeprefix("/") for one in self.daemon.api("GET", "/containers/json?all=1") for name in one["Names"])

    def said(self, kind: str) -> list[str]:
        """The messages of one kind."""
        return [message for _, told, message in self.told if told == kind]


def nowhere() -> Collection[str]:
    """Écluse runs in no container."""
    return ()


@asynccontextmanager
async def opened(
    daemon: Daemon, url: str = "", candidates: Candidates = nowhere, owner: str = OWNER, wall: Callable[[], float] = time.time
) -> AsyncIterator[Yard]:
    """An Écluse's engine for as long as the context lasts."""
    link = Link([Where(url or f"unix://{daemon.socket}")])
    yard = Yard(Docker(link, owner, random.Random(7), wall=wall, restarts=QUICK, candidates=candidates), link, daemon)
    await yard.docker.open(yard.changes.append, lambda *what: yard.told.append(what))
    try:
        yield yard
    finally:
        await yard.docker.close()
        await link.close()


@pytest.fixture
async def yard(engine: Daemon) -> AsyncIterator[Yard]:
    """`Docker` over an engine with nothing in it."""
    async with opened(engine) as one:
        yield one


async def answers(instance: Instance) -> bool:
    """Whether the application answers at the instance's address."""
    try:
        return (await get(int(instance.address.rpartition(":")[2]), "/healthz")).status == 200
    except (OSError, asyncio.IncompleteReadError):
        return False


async def until_it_answers(instance: Instance) -> None:
    await wait_until(lambda: answers(instance), 30)


__all__ = ["OWNER", "PORT", "QUICK", "SHOP", "Yard", "answers", "nowhere", "opened", "until_it_answers"]
