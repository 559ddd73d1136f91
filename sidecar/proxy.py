"""The proxy that runs apart from its autoscaler: listeners, workers and the admin API; no engines, no probes, no rules, no socket of a
cluster. It carries requests by the table that an autoscaler gave it last (`orders.py`), also while there is no autoscaler.

Of its configuration it heeds where to listen, limits, timeouts, logs and the admin API; the services in it are the autoscaler's.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, NoReturn

from autoscaler.rules import Pause
from balancer.table import RoutingTable
from sidecar.admin import Admin, serve
from sidecar.commands.version import installed
from sidecar.config import Config
from sidecar.data_path import Message
from sidecar.local_path import LocalPath
from sidecar.orders import Orders
from sidecar.program import Program
from sidecar.reload import changes, needs_restart
from sidecar.served import Served
from sidecar.views import NotScalable, Overview, ProxyControl, Role, ServiceView

TICK_S = 1.0


class Proxy(Program):
    """`run` is its life; everything else is for the admin API, on the same event loop."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._path = LocalPath(config, self._heard, self._journal.record)
        self._served = Served(self._path, time.monotonic)
        self._orders = Orders(self._path, lambda: self._config.settings, self._took, self._journal.record)
        self._complete_in: int | None = None  # the first table that sends every service's requests somewhere
        self._admin: Admin | None = None

    # Its life

    async def _open(self) -> None:
        self._path.prepare(self._config)
        self._admin = await serve(self, self._config.admin_listen, self._config.admin_token, self._config.admin_hosts)
        self._follow_signals()
        self._orders.begin()
        self._path.open()
        self._tasks.spawn(self._tick(), "the proxy's clock")
        self._journal.record("started", f"{self._path.place}, admin API on {self._admin.address}, {self._config.source}")

    async def _close(self) -> None:
        """The workers when they have drained, then what shows it all: until then the autoscaler counts what is in flight."""
        await self._tasks.close()
        await self._path.stop(self._config.shutdown_timeout_s)
        await self._orders.close()
        if self._admin:
            await self._admin.close()
        self._path.close()

    def _hurry(self) -> None:
        self._path.hurry()

    async def _tick(self) -> None:
        while True:
            self._served.tick()
            await asyncio.sleep(TICK_S)

    def _refused(self, config: Config) -> list[str]:
        return needs_restart(self._config, config)

    def _prepare(self, config: Config) -> None:
        self._path.prepare(config)

    async def _apply(self, config: Config) -> str:
        what = changes(self._config, config)
        self._config = config
        if what.listen:
            self._path.change()
        if what.listen or what.settings:
            self._orders.send_again()
            await self._path.acknowledged(self._orders.generation)
        if what.listen:
            self._path.settle()
        self._path.reopen_logs()
        return str(what)

    # What it hears

    def _heard(self, message: Message) -> None:
        """From a worker."""
        if message["kind"] == "error":
            self._journal.record("worker_error", message["what"])
        self._orders.heard(message)

    def _took(self, table: RoutingTable) -> None:
        self._served.follow(table)
        if self._complete_in is None and self._served.complete:
            self._complete_in = self._orders.generation

    # What it is told and shows (views.Control)

    def proxy(self) -> ProxyControl:
        """For the autoscaler."""
        return self._orders

    def ready(self) -> bool:
        """An autoscaler has given it a table that sends every service's requests somewhere, and every worker uses it."""
        return self._complete_in is not None and self._path.has_table(self._complete_in)

    def overview(self) -> Overview:
        """The program as a whole. generation: as the workers know it, which is not the autoscaler's number."""
        return Overview(
            version=installed(),
            build=self._path.build(),
            pid=os.getpid(),
            started_at=self._started_at,
            config=self._config.source,
            generation=self._orders.generation,
            listen=self._path.listen,
            workers=self._path.workers(),
            reloads=self._reloads,
            reloads_failed=self._reloads_failed,
            last_reload_error=self._last_reload_error,
            role=Role.PROXY,
        )

    def services(self) -> Sequence[ServiceView]:
        """All services of the table."""
        return self._served.views()

    def service(self, name: str) -> ServiceView:
        """Raises UnknownName."""
        return self._served.view(self._served.named(name))

    def explain(self, name: str) -> dict[str, Any]:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    async def snapshot(self, name: str) -> dict[str, Any]:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    async def explain_at(self, name: str, at_s: float) -> dict[str, Any]:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    async def past_decisions(self, name: str, since_s: float, until_s: float, changes: bool, limit: int) -> list[dict[str, Any]]:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    def decisions(self) -> dict[tuple[str, str], int]:
        """None are made here."""
        return {}

    def pause(self, name: str, what: Pause) -> None:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    def scale(self, name: str, replicas: int | None) -> None:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    def push(self, name: str, signal: str, value: float) -> None:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    def drain(self, name: str, replica: str) -> None:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    def logs(self, name: str, lines: int) -> Sequence[str]:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    def follow_logs(self, name: str) -> AsyncIterator[str]:
        """Raises UnknownName, NotScalable."""
        self._leave_to_the_autoscaler(name)

    def _leave_to_the_autoscaler(self, name: str) -> NoReturn:
        entry = self._served.named(name)
        raise NotScalable(f"this proxy only carries {entry.name}'s requests: ask the autoscaler that gives it its tables")
