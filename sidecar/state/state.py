"""What the rest of the program knows of what is kept: it hands over, and asks; a thread of its own does the work.

Invariants: nothing here waits for the disk. What waits for the thread is bounded: of each service's memory only the newest, of all else
so many; decisions that are dropped are counted and told.
"""

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from zlib import crc32

from autoscaler.decision import Decision, differs
from autoscaler.portable import from_json, shifted
from autoscaler.scaler import Kept, Scaler
from autoscaler.season import Bin
from sidecar import render
from sidecar.journal import KEPT, Event
from sidecar.state import limits
from sidecar.state.database import Database
from sidecar.state.pending import Pending
from sidecar.state.rows import DecisionRow, unpacked
from sidecar.state.store import Store, Tell
from sidecar.state.turns import Turns
from sidecar.views import NotKept, Unanswered

T = TypeVar("T")
log = logging.getLogger("ecluse")


class State:
    """directory: "" keeps decisions in memory, and nothing else. tell(kind, message): for the journal.

    events: what happened in earlier lives, newest first, known from `open` on.
    """

    def __init__(
        self, directory: str, tell: Tell, wall: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.events: Sequence[Event] = ()
        self._on_disk = bool(directory)
        self._tell = tell
        self._wall = wall
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "state")
        self._store = Store(directory, self._tell_from_thread, wall, clock)
        self._pending = Pending()
        self._turns = Turns()
        self._former: dict[str, str] = {}
        self._decided: dict[str, tuple[float, Decision]] = {}  # by service, what was kept last, and when it is kept again
        self._writing = 0
        self._readers = asyncio.Semaphore(limits.READERS)

    async def open(self) -> None:
        """Take hold of the directory, and read what was kept. Raises StateInUse."""
        self._loop = asyncio.get_running_loop()
        if self._on_disk:
            kept, events = await self._loop.run_in_executor(self._thread, self._opened)
            self._former = {service: content for service, _, content in kept}
            self.events = [json.loads(content) for _, content in events]

    async def close(self, scalers: Sequence[Scaler]) -> None:
        """Keep everything as it is now, and give the directory back. A disk that hangs is not waited for here; the kernel may keep the
        process until it answers."""
        self._save(scalers, len(scalers))
        self._write()
        ended = asyncio.get_running_loop().run_in_executor(self._thread, self._store.close)
        _, late = await asyncio.wait([ended], timeout=limits.CLOSE_S)
        if late:
            log.warning("the state was not written within %g s: what is new in it may be lost", limits.CLOSE_S)
        self._thread.shutdown(wait=False, cancel_futures=bool(late))

    # What is handed over

    def tick(self, scalers: Sequence[Scaler]) -> None:
        """Keep what some of them remember and the bins that have ended, and write what waits. About once a second."""
        self._save(scalers, limits.SAVED)
        for scaler in scalers:
            for ended in scaler.forecasts.take_ended():
                self.add_bin(scaler.service, ended)
        if not self._writing:
            self._write()

    def decided(self, service: str, decision: Decision) -> None:
        """A decision was made just now."""
        now_s = self._wall()
        due_s, last = self._decided.get(service, (math.inf, None))
        changed = last is None or differs(decision, last)
        if changed or not due_s - limits.STEADY_S <= now_s < due_s:
            self._decided[service] = _next_due_s(service, now_s), decision
            self._pending.decision(service, now_s, changed, decision)

    def forget(self, service: str) -> None:
        """The service was removed. What was decided may still be asked for."""
        self._turns.forget(service)
        self._decided.pop(service, None)
        self._former.pop(service, None)
        if self._on_disk:
            self._pending.kept(service, None)

    def event(self, event: Event) -> None:
        """Something happened just now."""
        if self._on_disk:
            self._pending.event(event)

    def add_bin(self, service: str, load: Bin) -> None:
        """A bin has ended."""
        if self._on_disk:
            self._pending.bin(service, load)

    # What can be asked for

    def kept(self, service: str) -> Kept | None:
        """What the service's scaler knew in the last life, by today's clock; once. What was kept by a clock that was ahead of today's
        is taken to have been kept just now."""
        content = self._former.pop(service, None)
        try:
            kept = from_json(Kept, json.loads(content)) if content else None
        except (TypeError, ValueError) as error:
            self._tell("state_damaged", f"what was kept of {service} cannot be used ({error}): it begins anew")
            return None
        now_s = self._wall()
        return shifted(kept, self._clock() - now_s - max(0.0, kept.at_s - now_s)) if kept else None

    async def history(self, service: str) -> Sequence[Bin]:
        """All of a service's bins that are kept, oldest first. Raises Unanswered."""
        return await self._ask(lambda database: database.bins(service)) if self._on_disk else ()

    async def decision_at(self, service: str, at_s: float) -> dict[str, Any]:
        """The decision that was in force at that moment, with "at", when it was made. Raises NotKept, Unanswered."""
        row, span = await self._ask(lambda database: (database.decision_at(service, at_s), database.span(service)))
        if row:
            return _shown(row)
        if not span:
            raise NotKept(f"no decision of {service} is kept yet")
        first, last = map(render.moment, span)
        raise NotKept(
            f"no decision of {service} from {render.moment(at_s)} or before is kept; there are those from {first} to {last}"
        )

    async def decisions(self, service: str, since_s: float, until_s: float, changes: bool, limit: int) -> list[dict[str, Any]]:
        """The newest decisions of a time, newest first; changes: only those that differ from the one before. Raises Unanswered."""

        def found(database: Database) -> list[dict[str, Any]]:
            return [_shown(row) for row in database.decisions(service, since_s, until_s, changes, limit)]

        return await self._ask(found)

    def _opened(self) -> tuple[Any, Any]:
        self._store.open()
        return self._store.read(lambda database: (database.kept(), database.events(KEPT)))

    def _save(self, scalers: Sequence[Scaler], most: int) -> None:
        if self._on_disk:
            for service, kept in self._turns.due(scalers, self._clock(), most):
                self._pending.kept(service, kept)

    def _write(self) -> None:
        if self._pending:
            self._writing += 1
            now_s = self._wall()
            taken = self._pending.take(now_s, now_s - self._clock())
            writing = asyncio.get_running_loop().run_in_executor(self._thread, self._store.write, taken)
            writing.add_done_callback(self._written)

    def _written(self, writing: "asyncio.Future[None]") -> None:
        self._writing -= 1
        if not writing.cancelled() and (error := writing.exception()):
            log.error("what happened could not be kept; this is a bug, please report it", exc_info=error)
        if dropped := self._pending.dropped:
            self._pending.dropped = 0
            self._tell("state_behind", f"the disk is too slow: {dropped} decisions are not kept")

    async def _ask(self, question: Callable[[Database], T]) -> T:
        """What is in use answers when all that was handed over is in it."""
        try:
            async with asyncio.timeout(limits.ANSWER_S), self._readers:
                if self._writing < limits.WRITES:
                    self._write()
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._store.read, question)
        except TimeoutError:
            raise Unanswered(f"the disk did not answer within {limits.ANSWER_S:g} s: try again later") from None

    def _tell_from_thread(self, kind: str, message: str) -> None:
        self._loop.call_soon_threadsafe(self._tell, kind, message)


def _next_due_s(service: str, now_s: float) -> float:
    """When it is kept again if nothing changes: each service at a time of its own, so that the thread has as much to do each second."""
    phase_s = crc32(service.encode()) % 1000 / 1000 * limits.STEADY_S
    return now_s + limits.STEADY_S - (now_s - phase_s) % limits.STEADY_S


def _shown(row: DecisionRow) -> dict[str, Any]:
    _, at_s, changed, content = row
    return {"at": at_s, "changed": bool(changed), **unpacked(content)}
