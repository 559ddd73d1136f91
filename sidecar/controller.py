"""The controller: puts the parts together, begins and ends them in order, and is what others see and command (`views.Control`).

Engines run replicas, the prober judges them, scalers decide how many there should be, fleets make it so, the publisher numbers the
routing table, the supervisor carries it to the workers. Nothing here is in the way of a request: while this process is
stopped, traffic goes on as it was.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from autoscaler.decision import as_json
from autoscaler.registry import Surroundings
from autoscaler.slots import Slots
from autoscaler.tasks import Tasks
from balancer import limits
from balancer.scoreboard import Scoreboard
from balancer.table import RoutingTable
from probes.prober import Prober
from sidecar.admin import Admin, serve
from sidecar.commands.version import installed
from sidecar.config import Config
from sidecar.configuration import ConfigurationErrors, load
from sidecar.configuration.load import COMMAND_LINE
from sidecar.engines import Engines
from sidecar.journal import Event, Journal
from sidecar.listeners import ListenError, Listeners, open_listeners
from sidecar.publisher import Publisher
from sidecar.reload import Changes, changes, needs_restart
from sidecar.running import Running
from sidecar.services import Services
from sidecar.status import service_view
from sidecar.supervisor import Supervisor
from sidecar.views import NotScalable, Overview, ServiceView, UnknownName

TICK_S = 1.0
REPLICAS_SHARE = 0.25  # of the time for ending that is kept for replicas, after the workers


class Controller:
    """The whole program. `run` is its life; everything else is for the admin API, on the same event loop."""

    def __init__(self, config: Config, rng: random.Random | None = None) -> None:
        self._config = config
        self._rng = rng or random.Random()
        self._workers = config.workers or min(len(os.sched_getaffinity(0)), limits.WORKERS)
        self._journal = Journal()
        self._scoreboard = Scoreboard.create(self._workers)
        self._supervisor = Supervisor(self._scoreboard, self._heard, self._journal.record)
        self._publisher = Publisher(self._table, self._supervisor, self._scoreboard)
        self._prober = Prober(self._verdict, self._rng)
        self._engines = Engines(self._rng, time.monotonic)
        slots = Slots("replicas", limits.REPLICAS, lambda slot: self._scoreboard.in_flight(slot) > 0)
        around = Surroundings(self._prober, self._publisher, slots, time.monotonic)
        self._services = Services(self._engines, around, self._scoreboard, self._journal)
        self._listeners = Listeners({}, {})
        self._admin: Admin | None = None
        self._tasks = Tasks()
        self._told_to_stop = asyncio.Event()
        self._hurried = False
        self._reloading = asyncio.Lock()
        self._reloads = self._reloads_failed = 0
        self._last_reload_error = ""
        self._started_at = time.time()

    # Its life

    async def run(self) -> None:
        """From the first socket to the last process. Raises ListenError or AdminError if it cannot begin."""
        try:
            await self._open()
            await self._told_to_stop.wait()
            self._journal.record("stopping", f"requests in flight have {self._config.shutdown_timeout_s:g} s")
        finally:
            await self._close()
        self._journal.record("stopped", "everything has ended")

    def stop(self) -> None:
        """Drain and end. Told again, hurry: cut what is in flight."""
        if self._told_to_stop.is_set():
            self._hurried = True
            self._supervisor.hurry()
            self._tasks.spawn(self._services.stop(0.0), "hurry")
        self._told_to_stop.set()

    async def _open(self) -> None:
        """Whatever can fail for a reason that the user can mend comes before the first replica is started."""
        self._listeners = open_listeners(self._config.listen, self._workers)
        self._admin = await serve(self, self._config.admin_listen, self._config.admin_token)
        self._follow_signals()
        await self._engines.open(self._services.look_again, self._engine_tells)
        self._services.apply(Changes(added=self._config.services))
        self._supervisor.open(self._listeners)
        self._tasks.spawn(self._tick(), "the autoscaler's clock")
        listening = f"listens on {', '.join(self._listeners.addresses)}, admin API on {self._admin.address}"
        self._journal.record("started", f"{listening}, {self._workers} workers, {self._config.source}")

    async def _close(self) -> None:
        """Autoscaler and probes, then the workers when they have drained, then replicas, then what shows it all."""
        end_s = time.monotonic() + self._config.shutdown_timeout_s
        await self._tasks.close()
        await self._prober.close()
        self._listeners.close()  # the workers close theirs when they have taken what waits; from then on clients are refused
        await self._supervisor.stop(self._config.shutdown_timeout_s * (1 - REPLICAS_SHARE))
        self._publisher.close()
        await self._services.stop(0.0 if self._hurried else max(0.0, end_s - time.monotonic()))
        await self._engines.close()
        if self._admin:
            await self._admin.close()
        await self._tasks.close()
        self._scoreboard.close()

    def _follow_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._tasks.spawn(self.reload(), "reload"))

    async def _tick(self) -> None:
        while True:
            self._services.tick()
            await asyncio.sleep(TICK_S)

    # What it hears

    def _verdict(self, service: str, replica: str, ready: bool, reason: str) -> None:
        self._services.verdict(service, replica, ready, reason)

    def _engine_tells(self, service: str, kind: str, message: str) -> None:
        self._journal.record(kind, message, service)

    def _heard(self, message: dict[str, Any]) -> None:
        """From a worker."""
        if message["kind"] == "refused":
            self._services.doubt(message["service"], message["replica"])
        elif message["kind"] == "wake":
            self._services.tick_one(message["service"])
        elif message["kind"] == "error":
            self._journal.record("worker_error", message["what"])

    def _table(self, generation: int) -> RoutingTable:
        return self._services.table(generation, self._config.settings)

    # What it is told (views.Control)

    async def reload(self) -> list[str]:
        """Read the configuration again. Returns the errors in words; not empty: nothing was changed."""
        async with self._reloading:
            errors = await self._reload()
        self._last_reload_error = "\n".join(errors)
        if errors:
            self._reloads_failed += 1
            self._journal.record("reload_failed", f"nothing was changed: {'; '.join(errors)}")
        return errors

    async def _reload(self) -> list[str]:
        if self._config.source == COMMAND_LINE:
            return ["started with a command instead of a file: there is nothing to read again"]
        try:
            config = await asyncio.to_thread(load, Path(self._config.source))
            if errors := self._refused(config):
                return errors
            listeners = open_listeners(config.listen, self._workers, self._listeners)
        except ConfigurationErrors as errors:
            return [str(problem) for problem in errors.problems]
        except ListenError as error:
            return [str(error)]
        await self._apply(config, listeners)
        return []

    def _refused(self, config: Config) -> list[str]:
        leaving = self._services.leaving() & {service.name for service in config.services}
        again = [f"services.{name} was removed and is still draining: try again later" for name in sorted(leaving)]
        return needs_restart(self._config, config) + again

    async def _apply(self, config: Config, listeners: Listeners) -> None:
        what = changes(self._config, config)
        former, self._config, self._listeners = self._listeners, config, listeners
        self._services.apply(what)
        if what.listen:
            self._supervisor.listen(listeners)
            await self._publisher.acknowledged(self._publisher.publish())
            former.close(but=listeners)
        self._supervisor.reopen_logs()
        self._reloads += 1
        self._journal.record("reloaded", str(what))

    def scale(self, name: str, replicas: int | None) -> None:
        """Hold the count at `replicas`, or None: automatic again. Raises UnknownName, NotScalable, ValueError out of bounds."""
        running = self._services.named(name)
        if not running.scaler:
            raise _not_scalable(running, "ecluse does not change how many there are")
        running.scaler.set_by_hand(replicas)
        self._journal.record("override", "automatic again" if replicas is None else f"held at {replicas} by hand", name)
        self._services.tick_one(name)

    def drain(self, name: str, replica: str) -> None:
        """Drain and stop one replica. Raises UnknownName, NotScalable."""
        running = self._services.named(name)
        known = [each.id for each in running.replicas]
        if replica not in known:
            raise UnknownName(f"{name} has no replica {replica!r}; there are: {', '.join(known) or 'none'}")
        if not running.fleet.engine.can_scale:
            raise _not_scalable(running, "ecluse does not stop them")
        running.fleet.drain(replica, "drained by hand")

    # What it shows (views.Control)

    def ready(self) -> bool:
        """Every service has its minimum of READY replicas, or had it once, and every worker has a table that shows it."""
        since = [running.ready_in for running in self._services.running.values()]
        known = [generation for generation in since if generation is not None]
        return len(known) == len(since) and self._supervisor.has_table(max(known, default=1))

    def overview(self) -> Overview:
        """The program as a whole."""
        return Overview(
            version=installed(),
            build=self._supervisor.build(),
            pid=os.getpid(),
            started_at=self._started_at,
            config=self._config.source,
            generation=self._publisher.generation,
            listen=self._listeners.addresses,
            workers=self._supervisor.views(),
            reloads=self._reloads,
            reloads_failed=self._reloads_failed,
            last_reload_error=self._last_reload_error,
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
        running = self._services.named(name)
        if not running.scaler:
            raise _not_scalable(running, "ecluse does not decide how many there are")
        return as_json(running.scaler.decision) if running.scaler.decision else {}

    def decisions(self) -> dict[tuple[str, str], int]:
        """How many decisions there were, by (service, reason)."""
        scalers = [running.scaler for running in self._services.running.values() if running.scaler]
        return {(scaler.service, reason): count for scaler in scalers for reason, count in scaler.decided.items()}

    def logs(self, name: str, lines: int) -> Sequence[str]:
        """The last lines that a service's replicas printed. Raises UnknownName."""
        return self._engines.logs(self._services.named(name).config.name, lines)

    def follow_logs(self, name: str) -> AsyncIterator[str]:
        """Lines as they come. Raises UnknownName."""
        return self._engines.follow_logs(self._services.named(name).config.name)

    def events(self, limit: int) -> Sequence[Event]:
        """Decisions and state changes, newest first."""
        return self._journal.newest(limit)

    def follow_events(self) -> AsyncIterator[Event]:
        """Events as they come."""
        return self._journal.follow()


def _not_scalable(running: Running, so: str) -> NotScalable:
    """Only a command has rules, so a service without a scaler is one whose replicas are only found."""
    return NotScalable(f"{running.config.name}'s replicas are found, not started here; {so}")
