"""Those who wait for a start or a stop on a Swarm, and how they are answered. Nobody is answered twice, nor after he has gone."""

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from autoscaler.cluster.engine import EngineError, Instance
from autoscaler.cluster.swarm.picture import Picture

T = TypeVar("T")
Future = asyncio.Future


@dataclass(slots=True)
class Start:
    """known: the ids that were there for whoever asks."""

    known: set[str]
    future: "Future[Instance]"


@dataclass(slots=True)
class Stop:
    """ahead: the slots that were to go before it when it was marked. future: whether it stays, and is there for the next start."""

    ahead: frozenset[str]
    until_s: float
    future: "Future[bool]"


class Endings:
    """Stops whose task counts no more: Swarm stops it, or it has ended by itself."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Future[bool], float]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, instance_id: str, future: "Future[bool]", until_s: float) -> None:
        """Answer when it has ended."""
        self._waiting[instance_id] = future, until_s

    def look(self, picture: Picture, now_s: float) -> None:
        """Answer those that have ended, and give up those that take too long."""
        for instance_id, (future, until_s) in [*self._waiting.items()]:
            there = picture.there(instance_id)
            if there and now_s <= until_s:
                continue
            del self._waiting[instance_id]
            if there:
                refuse(future, EngineError(f"{instance_id} was told to stop, and Swarm still says that it runs"))
            else:
                answer(future, False)


def answer(future: "Future[T]", result: T) -> None:
    """Say what came of it."""
    if not future.done():
        future.set_result(result)


def refuse(future: "Future[T]", error: EngineError) -> None:
    """Say why it failed; each gets an error of his own."""
    if not future.done():
        future.set_exception(EngineError(str(error)))
