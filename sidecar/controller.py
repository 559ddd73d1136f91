"""The controller: puts the parts together, begins and ends them in order, and is what others see and command (`views.Control`).

Engines run replicas, the prober judges them, scalers decide how many there should be, fleets make it so, the publisher numbers the
routing table, and the data path carries it to the workers: to those of this program, or to proxies that run apart. Nothing here is
in the way of a request: while this process is stopped, traffic goes on as it was.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

from autoscaler.explanation import as_json
from autoscaler.registry import Surroundings
from autoscaler.rules import Pause
from autoscaler.scaler import Scaler
from autoscaler.slots import Slots
from balancer import limits
from balancer.table import RoutingTable
from probes.prober import Prober
from probes.signals.signals import NotPushed, Signals
from probes.spec import ProbeSpec
from probes.verdict import Outcome
from sidecar.admin import Admin, serve
from sidecar.commands.version import installed
from sidecar.config import Config
from sidecar.data_path import DataPath
from sidecar.deciding.exchange import written
from sidecar.discovery import Discovery
from sidecar.engines import Engines
from sidecar.local_path import LocalPath
from sidecar.program import Program
from sidecar.proxies.path import RemotePath
from sidecar.publisher import Publisher
from sidecar.reload import Changes, changes, needs_restart
from sidecar.running import Running
from sidecar.secrets import secret
from sidecar.services import Services
from sidecar.state import State
from sidecar.state.limits import WAITING_EVENTS
from sidecar.status import service_view, share_views
from sidecar.supervisor import Hear, Tell
from sidecar.views import NotAProxy, NotScalable, Overview, ProxyControl, Role, ServiceView, Unanswered, UnknownName

TICK_S = 1.0
DECIDED_S = 5.0  # a decision is due every TICK_S
REPLICAS_SHARE = 0.25  # of the time for ending that is kept for replicas, after the workers

Carried = Callable[[Config, Hear, Tell], DataPath]


class Controller(Program):
    """The deciding side. apart: proxies that run apart carry the requests, and not workers of this program.

    Raises EngineError if the cluster's endpoint is not one.
    """

    def __init__(self, config: Config, rng: random.Random | None = None, apart: bool = False) -> None:
        super().__init__(config)
        self._role = Role.AUTOSCALER if apart else Role.ALL
        carried: Carried = RemotePath if apart else LocalPath
        self._rng = rng or random.Random()
        self._path = carried(config, self._heard, self._journal.record)
        self._publisher = Publisher(self._table, self._path)
        self._prober = Prober(self._verdict, self._rng, execute=self._execute)
        self._vital = Prober(self._life_verdict, self._rng, execute=self._execute)
        self._engines = Engines(config, self._rng, time.monotonic)
        self._discovery = Discovery(self._journal.record, len(os.sched_getaffinity(0)))
        self._whole = replace(config, services=(), budget=None)  # what the file and the labels say together, as it runs
        self._postponed = False
        slots = Slots("replicas", limits.REPLICAS, lambda slot: self._path.in_flight(slot) > 0)
        around = Surroundings(self._prober, self._publisher, slots, time.monotonic, time.time, self._vital)
        self._state = State(config.state, self._journal.record)
        self._signals = Signals(self._journal.record, self._rng, time.monotonic)
        self._services = Services(self._engines, around, self._path, self._journal, self._state, self._signals)
        self._admin: Admin | None = None

    # Its life

    async def run(self) -> None:
        """As every program, with what is kept of earlier lives. Raises StateInUse, too."""
        try:
            await self._state.open()
            self._services.secret = secret(self._config.state)
            self._journal.resume(self._state.events, self._state.event, WAITING_EVENTS)
            await super().run()
        finally:
            await self._state.close(self._services.scalers())

    def _hurry(self) -> None:
        self._path.hurry()
        self._tasks.spawn(self._services.stop(0.0), "hurry")

    async def _open(self) -> None:
        """Whatever can fail for a reason that the user can mend comes before the first replica is started."""
        self._path.prepare(self._config)
        self._admin = await serve(self, self._config.admin_listen, self._config.admin_token, self._config.admin_hosts)
        self._follow_signals()
        self._services.inherit(await self._path.former())  # before an engine tells of services, which take slots
        await self._engines.open(self._engine_changed, self._engine_tells)
        self._go_over()
        self._path.open()
        self._tasks.spawn(self._tick(), "the autoscaler's clock")
        self._journal.record("started", f"{self._path.place}, admin API on {self._admin.address}, {self._config.source}")

    async def _close(self) -> None:
        """Autoscaler and probes, then the workers when they have drained, then replicas, then what shows it all."""
        end_s = time.monotonic() + self._config.shutdown_timeout_s
        await self._tasks.close()
        await self._prober.close()
        await self._vital.close()
        await self._signals.close()
        await self._path.stop(self._config.shutdown_timeout_s * (1 - REPLICAS_SHARE))
        self._publisher.close()
        await self._services.stop(0.0 if self._hurried else max(0.0, end_s - time.monotonic()))
        await self._engines.close()
        if self._admin:
            await self._admin.close()
        await self._tasks.close()
        self._path.close()

    async def _tick(self) -> None:
        while True:
            if self._postponed:
                self._engine_changed("")
            self._services.tick()
            await asyncio.sleep(TICK_S)

    # What it hears

    def _verdict(self, service: str, replica: str, ready: bool, reason: str) -> None:
        self._services.verdict(service, replica, ready, reason)

    def _life_verdict(self, service: str, replica: str, alive: bool, reason: str) -> None:
        self._services.life_verdict(service, replica, alive, reason)

    async def _execute(self, service: str, replica: str, spec: ProbeSpec) -> Outcome:
        return await self._services.execute(service, replica, spec)

    def _engine_changed(self, service: str) -> None:
        if service:
            self._services.look_again(service)
        elif str(what := self._go_over()) != str(Changes()):
            self._journal.record("discovered", f"by labels: {what}")

    def _engine_tells(self, service: str, kind: str, message: str) -> None:
        self._journal.record(kind, message, service)

    def _heard(self, message: dict[str, Any]) -> None:
        """From a worker."""
        if message["kind"] == "refused":
            self._services.doubt(message["service"], message["replica"])
        elif message["kind"] == "failing":
            self._services.failing(message["service"], message["replica"], message["failures"])
        elif message["kind"] == "wake":
            self._services.tick_one(message["service"])
        elif message["kind"] == "error":
            self._journal.record("worker_error", message["what"])

    def _table(self, generation: int) -> RoutingTable:
        return self._services.table(generation, self._config.settings)

    # What it is told (views.Control)

    def _refused(self, config: Config) -> list[str]:
        leaving = self._services.leaving() & {service.name for service in config.services}
        again = [f"services.{name} was removed and is still draining: try again later" for name in sorted(leaving)]
        return needs_restart(self._config, config) + again

    def _prepare(self, config: Config) -> None:
        self._path.prepare(config)

    async def _apply(self, config: Config) -> str:
        self._config = config
        what = self._go_over()
        if what.data_path:
            self._path.change()
            await self._publisher.acknowledged(self._publisher.publish())
            self._path.settle()
        self._path.reopen_logs()
        return str(what)

    def _go_over(self) -> Changes:
        """Run what the file and the labels say now. What was removed and still drains comes back when that is over."""
        leaving = self._services.leaving()
        described = self._discovery.services(self._engines.discovered(), self._config)
        found = tuple(service for service in described if service.name not in leaving)
        self._postponed = len(found) < len(described)
        whole = replace(self._config, services=(*self._config.services, *found))
        what, self._whole = changes(self._whole, whole), whole
        if what.budget:
            self._services.budget(whole.budget)
        self._services.apply(what)
        return what

    def scale(self, name: str, replicas: int | None) -> None:
        """Hold the count at `replicas`, or None: automatic again. Raises UnknownName, NotScalable, ValueError out of bounds."""
        running = self._services.named(name)
        if not running.scaler:
            raise _not_scalable(running, "ecluse does not change how many there are")
        self._check_charge()
        running.scaler.set_by_hand(replicas)
        self._journal.record("override", "automatic again" if replicas is None else f"held at {replicas} by hand", name)
        self._services.tick_one(name)

    def pause(self, name: str, what: Pause) -> None:
        """Hold the count by hand, or no longer. Raises UnknownName, NotScalable."""
        running = self._services.named(name)
        if not running.scaler:
            raise _not_scalable(running, "ecluse does not change how many there are")
        self._check_charge()
        running.scaler.pause = what
        told = {Pause.NONE: "over", Pause.DOWN: "nothing goes down by itself", Pause.ALL: "nothing changes by itself"}
        self._journal.record("pause", told[what], name)
        self._services.tick_one(name)

    def push(self, name: str, signal: str, value: float) -> None:
        """The value of a signal, now. Raises UnknownName, NotScalable."""
        running = self._services.named(name)
        if not running.scaler:
            raise _not_scalable(running, "ecluse does not change how many there are")
        self._check_charge()
        try:
            self._signals.push(name, signal, value)
        except NotPushed as error:
            raise UnknownName(str(error)) from error
        self._services.tick_one(name)

    def drain(self, name: str, replica: str) -> None:
        """Drain and stop one replica. Raises UnknownName, NotScalable."""
        running = self._services.named(name)
        known = [each.id for each in running.replicas]
        if replica not in known:
            raise UnknownName(f"{name} has no replica {replica!r}; there are: {', '.join(known) or 'none'}")
        if not running.fleet.engine.can_scale:
            raise _not_scalable(running, "ecluse does not stop them")
        if running.fleet.engine.removal_order(name) is not None:
            raise NotScalable(
                f"which of {name}'s replicas go is for the {running.config.engine} to choose; scale it down instead"
            )
        self._check_charge()
        running.fleet.drain(replica, "drained by hand")

    def _check_charge(self) -> None:
        """Raises NotScalable."""
        if not self._path.in_charge:
            raise NotScalable("another autoscaler, which began later, is in charge of the proxies: ask that one, or stop it")

    # What it shows (views.Control)

    def proxy(self) -> ProxyControl:
        """Raises NotAProxy: the tables are made here."""
        raise NotAProxy("this is no proxy of another autoscaler: `ecluse run --role proxy` is")

    def ready(self) -> bool:
        """Every service has its minimum of READY replicas, or had it once, and every worker has a table that shows it."""
        since = [running.ready_in for running in self._services.running.values()]
        known = [generation for generation in since if generation is not None]
        return len(known) == len(since) and self._path.has_table(max(known, default=1))

    def overview(self) -> Overview:
        """The program as a whole."""
        return Overview(
            version=installed(),
            build=self._path.build(),
            pid=os.getpid(),
            started_at=self._started_at,
            config=self._config.source,
            generation=self._publisher.generation,
            listen=self._path.listen,
            workers=self._path.workers(),
            reloads=self._reloads,
            reloads_failed=self._reloads_failed,
            last_reload_error=self._last_reload_error,
            role=self._role,
            proxies=self._path.proxies(),
            budget=share_views(self._services.shared),
        )

    def services(self) -> Sequence[ServiceView]:
        """All services, in the order of the configuration."""
        return [self.service(name) for name in self._services.running]

    def service(self, name: str) -> ServiceView:
        """Raises UnknownName."""
        running = self._services.named(name)
        return service_view(running, time.monotonic(), self._engines.trouble(running.config))

    def explain(self, name: str) -> dict[str, Any]:
        """The last decision with every stage. Raises UnknownName, NotScalable."""
        decision = self._scaler(name).decision
        return as_json(decision) if decision else {}

    async def snapshot(self, name: str) -> dict[str, Any]:
        """What the next decision is made from. Raises UnknownName, NotScalable, Unanswered."""
        scaler, shown = self._scaler(name), asyncio.get_running_loop().create_future()

        def show(*seen: Any) -> None:
            if not shown.done():
                shown.set_result(written(*seen))

        scaler.watchers.append(show)
        try:
            found: dict[str, Any] = await asyncio.wait_for(shown, DECIDED_S)
        except TimeoutError as error:
            scaler.watchers.remove(show)
            raise Unanswered(f"nothing was decided for {name} in {DECIDED_S:g} s; is another autoscaler in charge?") from error
        return found

    async def explain_at(self, name: str, at_s: float) -> dict[str, Any]:
        """The decision that was in force at that moment. Raises UnknownName, NotScalable, NotKept, Unanswered."""
        return await self._state.decision_at(self._scaler(name).service, at_s)

    async def past_decisions(self, name: str, since_s: float, until_s: float, changes: bool, limit: int) -> list[dict[str, Any]]:
        """The newest decisions of a time, newest first. Raises UnknownName, NotScalable, Unanswered."""
        return await self._state.decisions(self._scaler(name).service, since_s, until_s, changes, limit)

    def decisions(self) -> dict[tuple[str, str], int]:
        """How many decisions there were, by (service, reason)."""
        return {
            (scaler.service, reason): count for scaler in self._services.scalers() for reason, count in scaler.decided.items()
        }

    def _scaler(self, name: str) -> Scaler:
        """Raises UnknownName, NotScalable."""
        running = self._services.named(name)
        if not running.scaler:
            raise _not_scalable(running, "ecluse does not decide how many there are")
        return running.scaler

    def logs(self, name: str, lines: int) -> Sequence[str]:
        """The last lines that a service's replicas printed. Raises UnknownName."""
        return self._engines.logs(self._services.named(name).config.name, lines)

    def follow_logs(self, name: str) -> AsyncIterator[str]:
        """Lines as they come. Raises UnknownName."""
        return self._engines.follow_logs(self._services.named(name).config.name)


def _not_scalable(running: Running, so: str) -> NotScalable:
    """Only a command has rules, so a service without a scaler is one whose replicas are only found."""
    return NotScalable(f"{running.config.name}'s replicas are found, not started here; {so}")
