"""Keeps one list of an engine's containers fresh: by its events, and by asking again every few seconds, whatever the events say.

Invariants: an event only makes the list fresh and never is the news itself; what is known stays known while the engine is away; a
container that was looked at, or removed, while the list was on its way is not undone by that older list.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass

from autoscaler.cluster.docker.container import Container, Row, container, row
from autoscaler.cluster.moby.api import Api, Json, Messages, MobyError
from autoscaler.cluster.moby.link import Link

POLL_S = 5.0  # between two lists that no event asked for
QUIET_S = 0.02  # in which the events of one action are gathered
PATIENCE_S = 2.0  # after which an engine that does not answer is said to be away
PAUSE_S = 0.2  # after a failure, doubles up to LONGEST_PAUSE_S
LONGEST_PAUSE_S = 5.0
REMOVED = 1024  # ids remembered as gone; ids are never given twice
_ACTIONS = ("create", "start", "kill", "die", "stop", "pause", "unpause", "rename", "destroy", "oom")
_FILTERS = {"type": ["container"], "event": list(_ACTIONS)}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that somebody did to a container, or that it did itself. signal: a number in text, of a `kill`."""

    id: str
    action: str
    signal: str = ""


class Watch:
    """`relevant`: which rows are looked at closely. `happened` is called with each event, `refreshed` after each new list."""

    def __init__(
        self, link: Link, relevant: Callable[[Row], bool], happened: Callable[[Happening], None], refreshed: Callable[[], None]
    ) -> None:
        self.begun = 0  # lists asked for so far
        self.answered = 0  # the last of them that came
        self.rows: dict[str, Row] = {}
        self.containers: dict[str, Container] = {}
        self._link = link
        self._relevant = relevant
        self._happened = happened
        self._refreshed = refreshed
        self._stale = asyncio.Event()
        self._doubted: set[str] = set()  # what was seen of them is old
        self._seen: dict[str, int] = {}  # id -> the list that was on its way when it was looked at
        self._removed: deque[str] = deque(maxlen=REMOVED)
        self._last_event_s = 0.0
        self._ear: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Get a new list soon."""
        self._stale.set()

    async def look_at(self, container_id: str) -> Container:
        """Look at one container now. Raises MobyError."""
        self._doubted.discard(container_id)
        try:
            json = await self._link.ask(lambda api: api.container(container_id))
        except MobyError:
            self._doubted.add(container_id)
            raise
        return self._take(json)

    def gone(self, container_id: str) -> None:
        """It was removed."""
        self._removed.append(container_id)
        self.rows.pop(container_id, None)
        self.containers.pop(container_id, None)

    async def follow(self) -> None:
        """Keep the list fresh, for ever."""
        pause_s = PAUSE_S
        while True:
            try:
                await self._refresh()
            except MobyError:  # the link tells
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            pause_s = PAUSE_S
            await self._until_stale()

    async def listen(self) -> None:
        """Take events as they come, for ever; a cut stream is begun again where it ended."""
        pause_s = PAUSE_S
        while True:
            before_s = self._last_event_s
            await self._listen_once()
            self._doubted.update(self.containers)
            self.look()
            await asyncio.sleep(pause_s)
            pause_s = PAUSE_S if self._last_event_s != before_s else min(2 * pause_s, LONGEST_PAUSE_S)

    async def _listen_once(self) -> None:
        """Until the stream ends, or is found to have missed something."""
        ear = self._ear = asyncio.create_task(self._hear_all(), name="docker events")
        try:
            await asyncio.wait([ear])
        finally:
            ear.cancel()

    async def _hear_all(self) -> None:
        with suppress(MobyError):  # the link tells
            async with aclosing(self._link.stream(self._events)) as stream:
                async for event in stream:
                    self._hear(event)

    def _events(self, api: Api) -> Messages:
        return api.events(self._last_event_s, _FILTERS)

    async def _until_stale(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):  # wait_for of Python 3.11 can lose a cancellation
                await self._stale.wait()
        if self._stale.is_set():
            await asyncio.sleep(QUIET_S)

    def _hear(self, event: Json) -> None:
        """Events since the last one are asked for by the engine's own time: no clock of ours can be wrong about it."""
        self._last_event_s = float(event.get("time") or self._last_event_s)
        actor = event.get("Actor") or {}
        happening = Happening(actor.get("ID") or "", event.get("Action") or "", (actor.get("Attributes") or {}).get("signal", ""))
        self._doubted.add(happening.id)
        self._happened(happening)
        self.look()

    async def _refresh(self) -> None:
        told = self._stale.is_set()
        self._stale.clear()
        self.begun += 1
        turn = self.begun
        rows = {found["Id"]: row(found) for found in await self._link.ask(lambda api: api.containers({}), PATIENCE_S)}
        before = self.rows
        young = {name: known for name, known in before.items() if self._seen.get(name) == turn}
        self.rows = {name: found for name, found in {**rows, **young}.items() if name not in self._removed}
        if self._ear and self.answered and not told and self._missed(before):
            self._ear.cancel()
        await self._look_closely(before)
        self.containers = {name: found for name, found in self.containers.items() if name in self.rows}
        self._seen = {name: number for name, number in self._seen.items() if name in self.rows}
        self.answered = turn
        self._refreshed()

    def _missed(self, before: Mapping[str, Row]) -> bool:
        """Whether something happened that no event told of: the way they come on may be dead without anybody having closed it."""
        return {name: found.state for name, found in before.items()} != {name: found.state for name, found in self.rows.items()}

    async def _look_closely(self, before: Mapping[str, Row]) -> None:
        wanted = [found for found in self.rows.values() if self._relevant(found) and self._is_new(found, before.get(found.id))]
        looks = (self.look_at(found.id) for found in wanted)
        failures = [error for error in await asyncio.gather(*looks, return_exceptions=True) if isinstance(error, BaseException)]
        for error in failures:
            if not (isinstance(error, MobyError) and error.missing):
                raise error

    def _is_new(self, found: Row, before: Row | None) -> bool:
        known = found.id in self.containers and before is not None and before.sight == found.sight
        return not known or found.id in self._doubted

    def _take(self, json: Json) -> Container:
        found = container(json)
        if found.id not in self._removed:
            self.containers[found.id] = found
            self._seen[found.id] = self.begun
            self.rows.setdefault(found.id, Row(found.id, found.name, found.labels, found.state, ()))
        return found
