"""A whole Écluse for a test: a configuration file, a controller in this process, real workers and real replicas."""

import asyncio
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from autoscaler.rules import Rules
from probes.signals.spec import SignalSpec
from sidecar.config import Config
from sidecar.configuration import load
from sidecar.controller import Controller
from sidecar.views import ServiceView
from tests.support import TINY_COMMAND, wait_until

TINY = str(list(TINY_COMMAND)).replace("'", '"')

TOP = """\
listen: {listen}
admin: {{listen: "127.0.0.1:0"}}
workers: 1
shutdown_timeout: 3s
state: {state}
"""

WEB = f"""\
services:
  web:
    command: {TINY}
    probes: {{readiness: {{path: /healthz, interval: 100ms, fall: 1, rise: 1}}}}
    balance: {{drain_timeout: 5s, stop_grace: 2s}}
    autoscale: {{min_replicas: 1, max_replicas: 4}}
"""


def written(path: Path, services: str = WEB, listen: str = "127.0.0.1:0", state: str = "false") -> Path:
    """The configuration file."""
    path.write_text(TOP.format(listen=listen, state=state) + textwrap.dedent(services))
    return path


class House:
    """The controller, and what tests ask of it."""

    def __init__(self, controller: Controller, file: Path) -> None:
        self.controller = controller
        self.file = file

    @property
    def port(self) -> int:
        return int(self.controller.overview().listen[0].rsplit(":", 1)[1])

    def web(self) -> ServiceView:
        return self.controller.service("web")

    def states(self, service: str = "web") -> dict[str, str]:
        return {replica.id: replica.state for replica in self.controller.service(service).replicas}

    def kinds(self, service: str = "web") -> list[str]:
        """What happened to a service, oldest first."""
        return [event["kind"] for event in reversed(self.controller.events(1000)) if event["service"] == service]

    async def published(self) -> None:
        """Until the workers use a routing table that shows everything that is so now."""
        await self.controller._publisher.acknowledged(self.controller._publisher.publish())

    async def ready(self, count: int = 1, service: str = "web") -> None:
        """Until exactly so many replicas are there, all READY."""
        await wait_until(lambda: list(self.states(service).values()) == ["ready"] * count, 20)
        await wait_until(self.controller.ready)
        await self.published()


def with_rules(config: Config, rules: Rules, signals: tuple[SignalSpec, ...] = ()) -> Config:
    """The configuration with other rules for its first service: quicker ones than a file may have."""
    first, *others = config.services
    return replace(config, services=(replace(first, rules=rules, signals=signals), *others))


@asynccontextmanager
async def house(
    tmp_path: Path, services: str = WEB, rules: Rules | None = None, state: str = "false", signals: tuple[SignalSpec, ...] = ()
) -> AsyncIterator[House]:
    """Runs it, and ends it in order."""
    file = written(tmp_path / "ecluse.yaml", services, state=state)
    config = load(file)
    controller = Controller(with_rules(config, rules, signals) if rules else config)
    life = asyncio.create_task(controller.run())
    try:
        await wait_until(lambda: life.done() or controller.services())
        yield House(controller, file)
    finally:
        controller.stop()
        await asyncio.wait_for(life, 20)
