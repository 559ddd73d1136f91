"""What happened, newest first: every decision and change of state, kept for a while, logged, and told to those who follow.

Invariants: bounded everywhere (kept events, and those that wait for each follower); writing never waits for a reader; a reader that
falls behind loses the oldest and is told how many.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

KEPT = 2000
WAITING = 1000  # events that wait for one follower

TROUBLE = frozenset(
    {
        "crash_loop",
        "crashed",
        "drain_timeout",
        "endpoint_away",
        "ejected",
        "engine_failed",
        "ignored",
        "machine_down",
        "not_ready",
        "prediction_missed",
        "proxy_hangs",
        "proxy_lost",
        "proxy_unreachable",
        "reload_failed",
        "removal_failed",
        "remove_failed",
        "resolve_failed",
        "signal_failed",
        "start_failed",
        "state_behind",
        "state_damaged",
        "state_failed",
        "stop_failed",
        "superseded",
        "table_failed",
        "tick_failed",
        "trouble",
        "worker_died",
        "worker_error",
        "worker_failed",
        "worker_hangs",
        "worker_killed",
    }
)

Event = dict[str, Any]
log = logging.getLogger("ecluse")


class _Follower:
    """One reader's queue. `lost` counts what was dropped since it last read."""

    def __init__(self, room: int) -> None:
        self.waiting: deque[Event] = deque(maxlen=room)
        self.lost = 0
        self.more = asyncio.Event()

    def add(self, event: Event) -> None:
        self.lost += len(self.waiting) == self.waiting.maxlen
        self.waiting.append(event)
        self.more.set()

    async def next(self) -> Event:
        while not self.waiting:
            self.more.clear()
            await self.more.wait()
        return self.waiting.popleft()


class Journal:
    """The events of one run. wall: seconds since the epoch."""

    def __init__(self, wall: Callable[[], float] = time.time, kept: int = KEPT, waiting: int = WAITING) -> None:
        self._wall = wall
        self._kept: deque[Event] = deque(maxlen=kept)
        self._waiting = waiting
        self._followers: set[_Follower] = set()
        self._last_id = 0
        self._keep: Callable[[Event], None] = lambda event: None

    def resume(self, events: Sequence[Event], keep: Callable[[Event], None], skipped: int = 0) -> None:
        """Go on after the events of an earlier life, newest first, and hand every new one to `keep`. skipped: ids that may have been
        given then to events that were not kept any more."""
        self._kept.extend(events[: (self._kept.maxlen or 0) - len(self._kept)])
        self._last_id += events[0]["id"] + skipped if events else 0
        self._keep = keep

    def record(self, kind: str, message: str, service: str = "", replica: str = "") -> None:
        """Something happened: a word for machines, a clause for people."""
        repeated = self._repeats(kind, message, replica)
        self._last_id += 1
        event: Event = {
            "id": self._last_id,
            "at": self._wall(),
            "kind": kind,
            "service": service,
            "replica": replica,
            "message": message,
        }
        self._kept.appendleft(event)
        self._keep(event)
        for follower in self._followers:
            follower.add(event)
        if not repeated:
            level = logging.WARNING if kind in TROUBLE else logging.INFO
            log.log(level, "%s", " ".join(filter(None, (replica or service, f"{kind}:", message))))

    def _repeats(self, kind: str, message: str, replica: str) -> bool:
        """Whether the last event said the same of the same replica with another word: a crash is an ejection, too. Who follows the
        events needs both words; who reads the log needs the sentence once."""
        last = self._kept[0] if self._kept else {}
        return bool(replica) and (last.get("replica"), last.get("message")) == (replica, message) and last["kind"] != kind

    def newest(self, limit: int) -> list[Event]:
        """The last events, newest first."""
        return list(self._kept)[: max(0, limit)]

    async def follow(self) -> AsyncIterator[Event]:
        """Events as they come, for ever; those that were lost are counted in an event of kind "lost"."""
        follower = _Follower(self._waiting)
        self._followers.add(follower)
        try:
            while True:
                event = await follower.next()
                if follower.lost:
                    yield {**event, "kind": "lost", "service": "", "replica": "", "message": f"{follower.lost} events lost here"}
                    follower.lost = 0
                yield event
        finally:
            self._followers.discard(follower)
