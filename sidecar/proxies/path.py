"""The data path of an autoscaler that runs apart from those who carry requests: all proxies that are found, as one.

Invariants: a proxy that hangs or is away holds up neither the others nor a drain for longer than `remote.LOST_S` and ACK_S; an older
autoscaler never undoes what a newer one has said (`_epoch` grows with every start).
"""

import asyncio
import time
from array import array
from collections.abc import Mapping
from typing import Any

from autoscaler.tasks import Tasks
from balancer.delta import Chronicle, updated
from balancer.scoreboard import ReplicaReading, ServiceReading
from balancer.table import RoutingTable
from sidecar.config import Config
from sidecar.proxies import cells
from sidecar.proxies.finder import Finder
from sidecar.proxies.link import LinkError
from sidecar.proxies.remote import Remote, Totals
from sidecar.proxies.sums import Sums
from sidecar.supervisor import Hear, Tell
from sidecar.views import ProxyView, WorkerView

ACK_S = 5.0  # a proxy itself waits 3 s for its workers
FIRST_LOOK_S = 2.0  # for the tables that proxies have from an earlier life of this program
CHECK_S = 0.25
LATE_S = 1.0  # later than that, this process was stopped: then it was not the proxies that were silent


class RemotePath:
    """A `DataPath`. `hear(message)`: what a worker of a proxy says. `tell(kind, message)`: what happens to proxies."""

    listen: tuple[str, ...] = ()

    def __init__(self, config: Config, hear: Hear, tell: Tell) -> None:
        self._config = config
        self._hear, self._tell = hear, tell
        self._epoch = 0
        self._totals = Totals(
            replicas=Sums(cells.REPLICA, cells.REPLICA_GAUGES),
            services=Sums(cells.SERVICE, cells.SERVICE_GAUGES),
            chronicle=Chronicle(),
            alone=lambda: not self.fresh,
        )
        self._remotes: dict[str, Remote] = {}
        self._finder = Finder(self._found)
        self._tasks = Tasks()
        self._pulse = asyncio.Event()
        self._opened = False

    # Its life

    def prepare(self, config: Config) -> None:
        """There is nothing that could be taken by somebody else."""
        self._config = config

    async def former(self) -> RoutingTable:
        """The newest table that any proxy has; this autoscaler begins after whoever made it."""
        await self._finder.follow(self._config.proxies)
        await self._finder.answered(FIRST_LOOK_S)
        answers = await asyncio.gather(*(self._held(each) for each in self._remotes.values()))
        found = [each for each in answers if each]
        self._epoch = max([time.time_ns() // 1000, *(epoch + 1 for epoch, _ in found)])
        return max(found, key=lambda each: (each[0], each[1].generation), default=(0, RoutingTable()))[1]

    def open(self) -> None:
        """Begin to talk to the proxies."""
        self._opened = True
        for remote in self._remotes.values():
            self._tasks.spawn(self._live(remote), f"proxy {remote.address}")
        self._tasks.spawn(self._check(), "the proxies' silence")

    def change(self) -> None:
        """Follow other proxies."""
        self._tasks.spawn(self._finder.follow(self._config.proxies), "the proxies' names")

    def settle(self) -> None:
        """Proxies that are not named any more go by themselves."""

    def reopen_logs(self) -> None:
        """Each proxy does so when it is told itself."""

    async def stop(self, deadline_s: float) -> None:
        """The proxies carry on by the table they have."""
        await self._finder.close()
        await self._tasks.close()

    def hurry(self) -> None:
        """There are no workers here."""

    def close(self) -> None:
        """Nothing is left."""

    # The table

    def send_table(self, table: RoutingTable) -> None:
        """Give all proxies this table, and those that come later."""
        self._totals.chronicle.enter(table)
        for remote in self._remotes.values():
            remote.more()

    async def acknowledged(self, generation: int) -> None:
        """Wait until every proxy that is heard uses this generation, for at most ACK_S. What it says it counts is of after that."""
        try:
            async with asyncio.timeout(ACK_S):
                while self._behind(generation):
                    await self._pulse.wait()
        except TimeoutError:
            for remote in self._behind(generation):
                remote.lagging = True
                said = f"proxy {remote.address} has not acknowledged generation {generation} within {ACK_S:g} s"
                self._tell("proxy_hangs", said)

    def has_table(self, generation: int = 1) -> bool:
        """Whether a proxy carries requests, and all that do have acknowledged it."""
        counted = [remote for remote in self._remotes.values() if remote.counted]
        return bool(counted) and all(remote.acknowledged >= generation for remote in counted)

    # The readings

    @property
    def fresh(self) -> bool:
        """Whether at least one proxy is heard."""
        return any(remote.counted for remote in self._remotes.values())

    @property
    def in_charge(self) -> bool:
        """Whether no proxy obeys another autoscaler."""
        return not any(remote.superseded for remote in self._remotes.values())

    def in_flight(self, slot: int) -> int:
        """Requests in flight on a replica, over all proxies that are heard."""
        return self._totals.replicas.in_flight(slot)

    def replica(self, slot: int) -> ReplicaReading:
        """What all proxies counted on a replica since they were counted in."""
        shares = [remote.replicas for remote in self._remotes.values()]
        return cells.to_replica(self._totals.replicas.read(slot, shares, _now_us()))

    def cells(self, slot: int) -> "array[int]":
        """The same as they would stand on a scoreboard."""
        return self.replica(slot).cells()

    def service(self, slot: int) -> ServiceReading:
        """The same for a service's own cells."""
        shares = [remote.services for remote in self._remotes.values()]
        return cells.to_service(self._totals.services.read(slot, shares, _now_us()))

    # What it shows

    @property
    def place(self) -> str:
        """Where it carries, in words."""
        return f"carries through proxies at {', '.join(self._config.proxies)}"

    def build(self) -> str:
        """Of the proxies' hot path."""
        return next((remote.build for remote in self._remotes.values() if remote.build), "")

    def workers(self) -> tuple[WorkerView, ...]:
        """None: they are the proxies' own."""
        return ()

    def proxies(self) -> tuple[ProxyView, ...]:
        """All that are found, heard or not, and names that cannot be looked up."""
        now_s = time.monotonic()
        found = [remote.view(now_s) for _, remote in sorted(self._remotes.items())]
        return (*found, *(ProxyView(name, 0, None, 0, 0, words) for name, words in self._finder.troubles().items()))

    # Finding and following

    def _found(self) -> None:
        """The addresses are others. One that is named no longer is followed until it is silent: it may have requests in flight."""
        for address in self._finder.addresses - self._remotes.keys():
            remote = Remote(address, self._config.admin_token, self._totals, self._hear_of(address), self._tell, self._stirred)
            self._remotes[address] = remote
            if self._opened:
                self._tasks.spawn(self._live(remote), f"proxy {address}")

    async def _live(self, remote: Remote) -> None:
        life = asyncio.ensure_future(remote.live(self._epoch))
        try:
            while remote.address in self._finder.addresses or remote.heard:
                await asyncio.wait([life], timeout=CHECK_S)
                if life.done():
                    return life.result()
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            self._remotes.pop(remote.address, None)
            self._stirred()

    async def _check(self) -> None:
        while True:
            due_s = time.monotonic() + CHECK_S
            await asyncio.sleep(CHECK_S)
            now_s = time.monotonic()
            for remote in self._remotes.values():
                if now_s - due_s < LATE_S:
                    remote.check(now_s)
                else:
                    remote.excuse(now_s)

    async def _held(self, remote: Remote) -> tuple[int, RoutingTable] | None:
        """(epoch, table) that a proxy has; None if it has none, or does not say within FIRST_LOOK_S."""
        try:
            async with asyncio.timeout(FIRST_LOOK_S):
                held = await remote.held()
            return (int(held["epoch"]), updated(RoutingTable(), held["table"])) if held["table"] else None
        except (LinkError, TimeoutError):
            return None
        except (KeyError, TypeError, ValueError) as error:
            self._tell("proxy_unreachable", f"proxy {remote.address}: its table cannot be understood ({error!r})")
            return None

    def _hear_of(self, address: str) -> Hear:
        def hear(message: Mapping[str, Any]) -> None:
            said = {"what": f"proxy {address}: {message.get('what')}"} if message.get("kind") == "error" else {}
            self._hear({**message, **said})

        return hear

    def _behind(self, generation: int) -> list[Remote]:
        return [each for each in self._remotes.values() if each.heard and not each.lagging and each.acknowledged < generation]

    def _stirred(self) -> None:
        pulse, self._pulse = self._pulse, asyncio.Event()
        pulse.set()


def _now_us() -> int:
    return time.monotonic_ns() // 1000
