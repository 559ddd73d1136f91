"""Makes a container and starts it, or leaves nothing behind; stops one and removes it.

Invariant: the name makes a repeated creation harmless: an answer that was lost is found again as a container of that name with our
marks. What cannot be cleared away at once carries our marks and was never started, by which it is found later.
"""

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from autoscaler.cluster.docker.container import State, container
from autoscaler.cluster.docker.making import Plan
from autoscaler.cluster.engine import EngineError
from autoscaler.cluster.moby.api import TIMEOUT_S, MobyError
from autoscaler.cluster.moby.link import Link

START_S = 30.0  # for one start or removal, tried again meanwhile: on a busy machine mounts and networks take their time
GONE_S = 15.0  # for the engine to finish a removal that somebody else has begun
PAUSE_S = 0.1


class NameTakenError(EngineError):
    """A container of that name is there already, and it is not the one that was to be made."""


async def make(link: Link, name: str, plan: Plan) -> str:
    """A new container, not started: its id. Raises NameTakenError, EngineError."""
    try:
        return await link.ask(lambda api: api.create(name, plan.config), patience_s=START_S)
    except MobyError as error:
        if not error.conflict:
            raise EngineError(f"{name} could not be created: {error}") from error
    found = container(await link.ask(lambda api: api.container(name)))
    if found.state is State.CREATED and plan.config["Labels"].items() <= found.labels.items():
        return found.id
    raise NameTakenError(f"there is a container {name} already that is not ours")


async def launch(link: Link, container_id: str, name: str, plan: Plan) -> None:
    """Start what was just made. Raises EngineError."""
    try:
        for network, end in plan.further.items():
            await _connect(link, network, container_id, end)
        await link.ask(lambda api: api.start(container_id), patience_s=START_S)
    except MobyError as error:
        raise EngineError(f"{name} could not be started: {error}") from error


async def stop(link: Link, container_id: str, grace_s: float) -> None:
    """Its stop signal, at most grace_s, SIGKILL. Gone already: nothing to do. Raises MobyError."""
    seconds = math.ceil(grace_s)
    try:
        await link.ask(lambda api: api.stop(container_id, seconds), answer_s=seconds + TIMEOUT_S)
    except MobyError as error:
        if not (error.missing or error.status == 304):
            raise


async def remove(link: Link, container_id: str) -> None:
    """Returns when it is gone, whoever removed it. Raises EngineError."""
    try:
        return await link.ask(lambda api: api.remove(container_id), patience_s=START_S)
    except MobyError as error:
        if error.missing:
            return None
        if not error.conflict:
            raise
    return await _until_gone(link, container_id)


async def _until_gone(link: Link, container_id: str) -> None:
    for _ in range(math.ceil(GONE_S / PAUSE_S)):
        try:
            await link.ask(lambda api: api.container(container_id))
        except MobyError as error:
            if error.missing:
                return
            raise
        await asyncio.sleep(PAUSE_S)
    raise EngineError(f"container {container_id[:12]} is being removed by somebody else, and is still there after {GONE_S:g} s")


async def _connect(link: Link, network: str, container_id: str, end: Mapping[str, Any]) -> None:
    """Connected already: the answer to an earlier try was lost."""
    try:
        await link.ask(lambda api: api.connect(network, container_id, end))
    except MobyError as error:
        if "already exists in network" not in str(error):
            raise
