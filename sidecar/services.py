"""All configured services as they run: added, changed and removed as a whole, and made into the routing table.

Invariants: a removed service loses its routes first, and only when the workers have acknowledged that do its replicas drain and
stop; until they are gone it keeps its place in the table, so that what is in flight ends in order.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from autoscaler.budget import Budget, Purse
from autoscaler.registry import Surroundings
from autoscaler.scaler import Scaler
from autoscaler.slots import Slots
from autoscaler.snapshot import Allowance
from autoscaler.tasks import Tasks
from balancer import limits
from balancer.table import RouteEntry, RoutingTable, ServiceEntry, Settings
from probes.signals.signals import Signals
from probes.spec import ProbeSpec
from probes.verdict import Outcome
from sidecar import inheritance
from sidecar.config import Service
from sidecar.data_path import DataPath
from sidecar.engines import Engines
from sidecar.journal import Journal
from sidecar.reload import Changes
from sidecar.running import Running
from sidecar.state import State
from sidecar.views import UnknownName

log = logging.getLogger("ecluse")


class Services:
    """`running`: by name, in the order of the configuration. secret: what keys are made from that nobody configured."""

    def __init__(
        self, engines: Engines, around: Surroundings, path: DataPath, journal: Journal, state: State, signals: Signals
    ) -> None:
        self.running: dict[str, Running] = {}
        self.secret = b""
        self._leaving: list[Running] = []
        self._engines = engines
        self._around = around
        self._path = path
        self._journal = journal
        self._state = state
        self._signals = signals
        self._slots = Slots("services", limits.SERVICES, lambda slot: path.service(slot).waiting > 0)
        self._former: dict[str, ServiceEntry] = {}
        self._former_routes: tuple[RouteEntry, ...] = ()
        self._former_until_s = 0.0
        self._purse: Purse | None = None
        self._tasks = Tasks()

    def inherit(self, table: RoutingTable) -> None:
        """Begin where an earlier life of this program ended: everything that is still there keeps its slots, and what was READY
        stays so until more is known; for a while also services that are not configured: they may be discovered again. Before the
        first `apply`."""
        self._former = {entry.name: entry for entry in table.services}
        self._former_routes = table.routes
        self._former_until_s = self._around.clock() + inheritance.LONGEST_S
        self._slots.keep({entry.name: entry.slot for entry in table.services})
        self._around.slots.keep({f"{entry.name}/{line.id}": line.slot for entry in table.services for line in entry.replicas})

    def named(self, name: str) -> Running:
        """Raises UnknownName."""
        if name not in self.running:
            raise UnknownName(f"no service {name!r}; there are: {', '.join(self.running) or 'none'}")
        return self.running[name]

    def leaving(self) -> set[str]:
        """The names of services that were removed and still have replicas."""
        return {running.config.name for running in self._leaving}

    def apply(self, changes: Changes) -> None:
        """Go over to another configuration."""
        for name in changes.removed:
            self._remove(name)
        for service in changes.changed:
            self._engines.declare(service)
            self.running[service.name].change(service)
        for service in changes.added:
            self.add(service)
        self._around.workers.publish()

    def add(self, service: Service) -> None:
        """Begin to run one more service."""
        self._engines.declare(service)
        engine, tell = self._engines.of(service), partial(self._tell, service.name)
        slot, former = self._slots.take(service.name), self._former.pop(service.name, None)
        hear = (self._state.decided, self._signals, self._allowance, self.secret)
        running = Running(service, slot, engine, self._around, self._path, tell, former, *hear)
        self.running[service.name] = running
        if running.scaler:
            self._restore(running.scaler)
        running.open()

    def table(self, generation: int, settings: Settings) -> RoutingTable:
        """The routing table as it is now."""
        running = list(self.running.values())
        leaving = [each for each in self._leaving if each.config.name not in self.running]
        routes = {(route.host, route.path): route for route in self._former_routes if route.service in self._former}
        routes |= {(route.host, route.path): route for each in running for route in each.routes()}
        return RoutingTable(
            generation=generation,
            routes=tuple(routes.values()),
            services=(*(each.entry() for each in (*running, *leaving)), *self._former.values()),
            settings=settings,
        )

    def tick(self) -> None:
        """Let every service sample, decide and act. One that fails does not keep the others from it."""
        self._share()
        for name in list(self.running):
            self.tick_one(name)
        if self._former and self._around.clock() >= self._former_until_s:
            self._former = {}
            self._around.workers.publish()
        self._state.tick(self.scalers())

    def budget(self, budget: Budget | None) -> None:
        """What all services share from now on; None: nothing."""
        self._purse = Purse(budget) if budget else None
        self._share()

    @property
    def shared(self) -> Purse | None:
        """The budget, and what is used of it."""
        return self._purse

    def scalers(self) -> list[Scaler]:
        """Of the services that have rules."""
        return [running.scaler for running in self.running.values() if running.scaler]

    def tick_one(self, name: str) -> None:
        """The same for one service, at once. Unknown names are no longer there."""
        try:
            if name in self.running:
                running = self.running[name]
                running.tick(self._engines.trouble(running.config))
                if self._purse:
                    self._purse.note(running.claim())
        except Exception as error:  # a rule that cannot be evaluated must not end the autoscaler of all other services
            log.exception("the autoscaler of %s failed; this is a bug, please report it", name)
            self._journal.record("tick_failed", f"not decided: {error!r}; the count stays as it is", name)

    def look_again(self, name: str) -> None:
        """An engine says that its list of a service has changed."""
        self._each(name, lambda running: running.fleet.look_again())

    def verdict(self, name: str, replica: str, ready: bool, reason: str) -> None:
        """The probes' verdict on a replica has changed."""
        self._each(name, lambda running: running.verdict(replica, ready, reason))

    def doubt(self, name: str, replica: str) -> None:
        """A worker could not connect to a replica."""
        self._each(name, lambda running: running.fleet.doubt(replica))

    def life_verdict(self, name: str, replica: str, alive: bool, reason: str) -> None:
        """The liveness probes' verdict on a replica has changed."""
        self._each(name, lambda running: running.life_verdict(replica, alive, reason))

    async def execute(self, name: str, replica: str, spec: ProbeSpec) -> Outcome:
        """An exec probe."""
        for running in (*self.running.values(), *self._leaving):
            if running.config.name == name and replica in running.fleet.registry.replicas:
                return await running.execute(replica, spec)
        return Outcome(False, "is not there")

    def failing(self, name: str, replica: str, failures: int) -> None:
        """A worker saw so many attempts in a row fail at a replica."""
        self._each(name, lambda running: running.failing(replica, failures))

    async def stop(self, longest_s: float) -> None:
        """Stop all replicas, each with its own grace but at most longest_s. The workers have ended."""
        await self._tasks.close()
        everything = Tasks()
        for running in (*self.running.values(), *self._leaving):
            grace_s = min(running.config.stop_grace_s, longest_s)
            everything.spawn(running.fleet.stop(grace_s), f"the end of {running.config.name}")
        await everything.ended(longest_s + STOP_MARGIN_S)
        await everything.close()

    def _share(self) -> None:
        """A new round of the budget. Who was removed has nothing to ask for, and takes room until it is gone."""
        if self._purse:
            gone = [replace(each.claim(), service=f"{each.config.name} (removed)", least=0, wanted=0) for each in self._leaving]
            self._purse.open([*(running.claim() for running in self.running.values()), *gone])

    def _allowance(self, running: Running) -> Allowance | None:
        """What a service may ask for now. One that begins was not there when the round was opened."""
        if not self._purse:
            return None
        if running.fleet.desired is None:
            self._share()
        self._purse.note(running.claim())
        return self._purse.allowance(running.config.name)

    def _each(self, name: str, act: Callable[[Running], None]) -> None:
        """A name may be in use twice for a while: by a service and by its predecessor on another engine."""
        for running in (*self.running.values(), *self._leaving):
            if running.config.name == name:
                act(running)

    def _restore(self, scaler: Scaler) -> None:
        if kept := self._state.kept(scaler.service):
            scaler.restore(kept, self._around.clock())
        if scaler.rules.forecast:
            self._tasks.spawn(self._restore_history(scaler), f"the history of {scaler.service}")

    async def _restore_history(self, scaler: Scaler) -> None:
        scaler.forecasts.restore(await self._state.history(scaler.service))

    def _remove(self, name: str) -> None:
        running = self.running.pop(name)
        self._leaving.append(running)
        self._state.forget(name)
        self._signals.forget(name)
        self._tasks.spawn(self._let_go(running), f"the removal of {name}")

    async def _let_go(self, running: Running) -> None:
        await self._around.workers.acknowledged(self._around.workers.publish())
        await running.fleet.empty()
        self._leaving.remove(running)
        self._slots.give_back(running.slot)
        self._around.workers.publish()
        self._engines.forget(running.config)
        self._tell(running.config.name, "removed", "", "has no replicas any more")

    def _tell(self, service: str, kind: str, replica: str, message: str) -> None:
        self._journal.record(kind, message, service, replica)


STOP_MARGIN_S = 6.0  # beyond the grace: what an engine takes to kill, and to notice
