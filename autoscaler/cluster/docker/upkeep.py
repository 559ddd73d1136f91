"""What has to be done with our containers without being asked: crashed ones started again, leftovers removed, orphans told of.

Invariants: nothing is done to a container that is not ours; one that somebody else stopped is not started again (it was replaced), and
is removed only after LEFTOVER_S, so that whoever stopped it can remove it first, as Compose does.
"""

import asyncio
import random

from autoscaler.cluster.docker import maker
from autoscaler.cluster.docker.births import Births
from autoscaler.cluster.docker.census import Census
from autoscaler.cluster.docker.container import Container, State
from autoscaler.cluster.docker.lives import Intent, Life, asks_to_end
from autoscaler.cluster.docker.watch import Happening
from autoscaler.cluster.engine import EngineError, Tell
from autoscaler.cluster.moby import labels
from autoscaler.cluster.moby.api import MobyError
from autoscaler.cluster.moby.link import Link
from autoscaler.tasks import Tasks

TICK_S = 0.25
LEFTOVER_S = 60.0
ORPHANS_S = 10.0  # after the first list; the services are declared by then
LOG_LINES = 5
AWAY_S = 1.0  # before a start is tried again that the engine was not there for


class Upkeep:
    """Of one engine."""

    def __init__(self, census: Census, births: Births, link: Link, rng: random.Random) -> None:
        self.tell: Tell = lambda service, kind, message: None
        self._census = census
        self._births = births
        self._link = link
        self._rng = rng
        self._tasks = Tasks()
        self._told: set[str] = set()  # ids of orphans, and of those that were stopped from outside
        self._first_s: float | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(TICK_S)
            if self._census.watch.answered:
                self._tick(self._census.clock())

    async def close(self) -> None:
        """Let nothing go on."""
        await self._tasks.close()

    def happened(self, happening: Happening) -> None:
        """An event: the list cannot say that a container was told to stop, or is being."""
        life = self._census.life(happening.id)
        known = self._census.watch.containers.get(happening.id)
        if happening.action == "kill" and asks_to_end(happening.signal, known.stop_signal if known else ""):
            if life.intent is Intent.NONE:
                life.intent, life.halted_s = Intent.HALTED, self._census.clock()
                self._census.last_halt_s = life.halted_s
                self._census.tell_changes()  # no request more than need be goes there: the list comes some 50 ms later
        elif happening.action == "start" and life.intent is Intent.HALTED:
            life.intent = Intent.NONE
            self._told.discard(happening.id)

    def examined(self) -> None:
        """There is a new list."""
        for found in self._census.ours():
            life = self._census.life(found.id)
            if found.state is State.EXITED and life.ending != found.ending:
                self._note_end(found, life)
        self._tell_of_halted()

    def _note_end(self, found: Container, life: Life) -> None:
        if life.intent is not Intent.NONE:
            life.ending = found.ending
            return
        life.crashed(found, self._census.policy, self._census.clock(), self._rng.random())
        self._tasks.spawn(self._read_log(found, life), f"log of {found.name}")

    def _tell_of_halted(self) -> None:
        ours = [found for found in self._census.ours() if found.id not in self._told]
        halted = [found for found in ours if self._census.life(found.id).intent is Intent.HALTED]
        services = {found.labels.get(labels.MANAGED_SERVICE, "") for found in halted}
        self._told.update(found.id for found in halted)
        for service in sorted(services & self._census.specs.keys()):
            names = ", ".join(sorted(found.name for found in halted if found.labels.get(labels.MANAGED_SERVICE) == service))
            self.tell(
                service, "stopped_outside", f"{names}: stopped by somebody else, as `compose up` does; the count is put back"
            )

    def _tick(self, now_s: float) -> None:
        self._first_s = self._first_s or now_s
        for found in self._census.ours():
            life = self._census.life(found.id)
            declared = found.labels.get(labels.MANAGED_SERVICE) in self._census.specs
            if declared and found.state is State.EXITED and life.intent is Intent.NONE and life.due_s and now_s >= life.due_s:
                life.intent, life.due_s = Intent.STARTING, None
                self._tasks.spawn(self._revive(found, life), f"revive {found.name}")
            elif declared and self._is_left_over(found, life, now_s):
                life.intent = Intent.STOPPING
                self._tasks.spawn(self._clear(found, life), f"clear {found.name}")
        self._let_go(now_s)
        if now_s - self._first_s >= ORPHANS_S:
            self._tell_of_orphans()

    def _is_left_over(self, found: Container, life: Life, now_s: float) -> bool:
        if life.intent is Intent.HALTED:
            return now_s - life.halted_s >= LEFTOVER_S
        never_ran = found.state in {State.CREATED, State.DEAD} and life.intent is Intent.NONE
        return never_ran and found.name not in self._census.unborn and now_s - life.since_s >= LEFTOVER_S

    def _let_go(self, now_s: float) -> None:
        """Somebody else's container that was asked to end and did not goes on."""
        for found in self._census.watch.containers.values():
            life = self._census.life(found.id)
            if found.state.lives and life.intent is Intent.HALTED and now_s - life.halted_s >= LEFTOVER_S:
                life.intent = Intent.NONE
                self._census.tell_changes()

    async def _revive(self, found: Container, life: Life) -> None:
        try:
            await self._link.ask(lambda api: api.start(found.id))
            life.restarts += 1
            await self._census.watch.look_at(found.id)
        except MobyError as error:
            if error.away:
                life.due_s = self._census.clock() + AWAY_S
            elif not error.missing:
                life.failed(str(error), self._census.policy, self._census.clock(), self._rng.random())
        finally:
            life.intent = Intent.NONE
            self._census.tell_changes()

    async def _clear(self, found: Container, life: Life) -> None:
        try:
            await maker.stop(self._link, found.id, 0.0)
            await maker.remove(self._link, found.id)
        except EngineError as error:
            life.intent, life.since_s = Intent.NONE, self._census.clock()
            self.tell(found.labels.get(labels.MANAGED_SERVICE, ""), "removal_failed", f"{found.name} is left over: {error}")
        else:
            self._census.watch.gone(found.id)
            self._births.rest(found.name)

    async def _read_log(self, found: Container, life: Life) -> None:
        """Not all of the engine's ways to log can be read: then there is nothing to show."""
        ending = life.ending
        try:
            text = await self._link.ask(lambda api: api.logs(found.id, LOG_LINES))
        except MobyError:
            return
        lines = ["".join(sign for sign in line if sign.isprintable()).strip() for line in text.splitlines()]
        if life.ending == ending:
            life.last_line = next((line for line in reversed(lines) if line), "")
            self._census.tell_changes()

    def _tell_of_orphans(self) -> None:
        known = self._census.specs
        found = [
            one for one in self._census.ours() if one.labels.get(labels.MANAGED_SERVICE) not in known and one.id not in self._told
        ]
        if found:
            self._told.update(one.id for one in found)
            names = " ".join(sorted(one.name for one in found))
            left = "containers of services that are not configured any more were left alone"
            self.tell("", "orphans", f"{left}; to remove them: docker rm -f {names}")
