"""One proxy as its autoscaler knows it: followed for as long as it is wanted, given each routing table, its readings added up.

Invariants: it is counted in only while it is heard and after it has acknowledged a table that was current when it came (before that,
its slots may mean other replicas); a proxy that is silent for LOST_S is lost: it is not waited for, and what it had in flight is not
load; nothing here waits for another proxy.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from balancer import limits
from balancer.delta import Chronicle
from sidecar.proxies import cells
from sidecar.proxies.link import SILENCE_S, Link, LinkError, Misfit, Superseded
from sidecar.proxies.sums import Share, Sums
from sidecar.supervisor import Hear, Tell
from sidecar.views import ProxyView

LOST_S = SILENCE_S
RETRY_S = 0.5
SUPERSEDED = "superseded"  # also the kind of event


@dataclass(frozen=True, slots=True)
class Totals:
    """What all proxies have counted together, and the table that all are to have. alone(): no proxy is counted in."""

    replicas: Sums
    services: Sums
    chronicle: Chronicle
    alone: Callable[[], bool]


class Remote:
    """`hear(message)`: what its workers say. `tell(kind, message)`: what happens to it. `stirred()`: something is new."""

    def __init__(self, address: str, token: str, totals: Totals, hear: Hear, tell: Tell, stirred: Callable[[], None]) -> None:
        self.address = address
        self.lagging = False
        self.acknowledged = 0
        self.replicas, self.services = Share(), Share()
        self._link = Link(address, token)
        self._totals = totals
        self._hear, self._tell, self._stirred = hear, tell, stirred
        self._heard_s: float | None = None
        self._lost = True
        self._life = ""
        self._due = 0  # the table that was current when it came
        self._given = 0
        self._more = asyncio.Event()
        self._workers = self._connections = 0
        self._build = ""
        self._troubles: dict[str, str] = {}  # what is the matter now, by kind of event

    @property
    def counted(self) -> bool:
        """Whether what it counts is added."""
        return self.replicas.counted

    @property
    def heard(self) -> bool:
        """Whether it is to be waited for."""
        return not self._lost

    @property
    def superseded(self) -> bool:
        """Whether it obeys an autoscaler that began later."""
        return bool(self._troubles.get(SUPERSEDED))

    @property
    def build(self) -> str:
        """Of its workers' hot path."""
        return self._build

    async def held(self) -> dict[str, Any]:
        """The table it has. Raises LinkError."""
        return await self._link.held()

    def more(self) -> None:
        """There is a newer table."""
        self._more.set()

    async def live(self, epoch: int) -> None:
        """Follow it and give it tables, until cancelled. epoch: of this autoscaler."""
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._follow(epoch), name=f"readings of {self.address}")
                both.create_task(self._feed(epoch), name=f"tables for {self.address}")
        finally:
            self._leave()
            await self._link.close()

    def check(self, now_s: float) -> None:
        """Notice that it has been silent for too long."""
        if not self._lost and self._heard_s is not None and now_s - self._heard_s > LOST_S:
            self._leave()
            why = self._trouble or f"nothing was heard for {LOST_S:g} s"
            self._tell("proxy_lost", f"proxy {self.address} is left out: {why}")
            self._stirred()

    def excuse(self, now_s: float) -> None:
        """It was not its silence: this process did not listen until now_s."""
        if self._heard_s is not None:
            self._heard_s = now_s

    def view(self, now_s: float) -> ProxyView:
        """For people."""
        age_s = None if self._heard_s is None else now_s - self._heard_s
        detail = self._trouble or ("" if self.counted else "it has not acknowledged a routing table yet")
        return ProxyView(self.address, self.acknowledged, age_s, self._workers, self._connections, detail)

    async def _follow(self, epoch: int) -> None:
        while True:
            try:
                async with aclosing(self._link.readings(epoch)) as messages:
                    async for message in messages:
                        self._take(message)
                self._note("proxy_unreachable", "the stream of its readings ended")
            except Superseded as error:
                self._note(SUPERSEDED, str(error))
            except LinkError as error:
                self._note("proxy_unreachable", str(error))
            await asyncio.sleep(RETRY_S)

    async def _feed(self, epoch: int) -> None:
        """Tables, the newest only: what is given is what has changed since the one that it has."""
        while True:
            await self._more.wait()
            self._more.clear()
            if self._lost or self._given >= self._totals.chronicle.table.generation:
                continue
            data = self._totals.chronicle.since(self._given)
            data.pop("settings", None)  # limits, timeouts and logs are each proxy's own
            try:
                await self._link.give(epoch, data)
                self._given = data["generation"]
                self._note("table_failed", "")
            except Misfit:
                self._given = 0
            except LinkError as error:
                self._note("table_failed", f"the routing table could not be given: {error}")
                await asyncio.sleep(RETRY_S)
            self._more.set()

    def _take(self, message: dict[str, Any]) -> None:
        """Raises LinkError for a message that cannot be understood."""
        try:
            self._come(str(message["life"]), int(message["taken"]))
            self._count(message)
            self.acknowledged = int(message["acknowledged"])
            self._workers, self._connections = int(message["workers"]), int(message["connections"])
            self._build = str(message["build"])
            self._welcome()
            for each in message["heard"]:
                self._hear(each)
        except (KeyError, TypeError, ValueError) as error:
            raise LinkError(f"its readings cannot be understood ({error!r}); is it of the same version?") from error
        self._stirred()

    def _come(self, life: str, taken: int) -> None:
        """It is heard: for the first time, again, or as another process."""
        known, lost = life == self._life, self._lost
        if not known:
            self._leave()
            self.replicas.last.clear()
            self.services.last.clear()
            self._life, self._given = life, 0
        if lost or not known:
            self._due = max(1, self._totals.chronicle.table.generation)
        if lost and known and self._totals.alone():
            self._go_on()
        self._lost, self._heard_s = False, time.monotonic()
        self._note("proxy_unreachable", "")
        self._note(SUPERSEDED, "")
        self._given = taken
        if self._given < self._totals.chronicle.table.generation:
            self._more.set()

    def _count(self, message: dict[str, Any]) -> None:
        now_us = time.monotonic_ns() // 1000
        parts = (
            ("replicas", self._totals.replicas, self.replicas, cells.REPLICA, limits.REPLICAS),
            ("services", self._totals.services, self.services, cells.SERVICE, limits.SERVICES),
        )
        for name, sums, share, size, most in parts:
            share.heard_us = now_us
            for slot, data in message[name].items():
                if not 0 <= int(slot) < most:
                    raise ValueError(f"slot {slot} of {most}")
                sums.note(share, int(slot), cells.from_wire(data, size))

    def _go_on(self) -> None:
        """Nothing was sampled meanwhile, so what it counted meanwhile is spread over all that time and is no burst."""
        self.replicas.counted = self.services.counted = True
        self._tell("proxy_joined", f"proxy {self.address} is heard again")

    def _welcome(self) -> None:
        """Count it in, if it has come so far."""
        self.lagging = self.lagging and self.acknowledged < self._totals.chronicle.table.generation
        if not self.counted and self.acknowledged >= self._due:
            self._totals.replicas.join(self.replicas)
            self._totals.services.join(self.services)
            self._tell("proxy_joined", f"proxy {self.address} carries requests by table {self.acknowledged}")

    def _leave(self) -> None:
        self._totals.replicas.leave(self.replicas)
        self._totals.services.leave(self.services)
        self.acknowledged, self._lost = 0, True

    @property
    def _trouble(self) -> str:
        return next((words for words in self._troubles.values() if words), "")

    def _note(self, kind: str, words: str) -> None:
        """What is the matter is said once, until it is over ("") or something else is."""
        if words and words != self._troubles.get(kind):
            self._tell(kind, f"proxy {self.address}: {words}")
        self._troubles[kind] = words
