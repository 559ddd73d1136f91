"""The engines in use, and which service runs on which. The only place that knows which engines there are."""

import os
import random
from collections.abc import AsyncIterator, Callable, Sequence

from autoscaler.cluster.dns import Dns
from autoscaler.cluster.docker.engine import Docker
from autoscaler.cluster.engine import Changed, Discovered, Engine, EngineError, Tell, silent
from autoscaler.cluster.fixed import Fixed
from autoscaler.cluster.moby.link import Link
from autoscaler.cluster.moby.where import managers
from autoscaler.cluster.processes.engine import Processes
from autoscaler.cluster.swarm.engine import Swarm
from sidecar import config
from sidecar.config import Config, Service


class Engines:
    """One engine of each kind; of docker and swarm the one that the configuration chooses. `open` before, `close` after all else."""

    def __init__(self, configuration: Config, rng: random.Random, clock: Callable[[], float]) -> None:
        """Raises EngineError if the cluster's endpoint is not one."""
        self._processes = Processes(rng, clock)
        self._fixed = Fixed(clock)
        self._dns = Dns(clock=clock)
        self._kinds: dict[str, Engine] = {"processes": self._processes, "fixed": self._fixed, "dns": self._dns}
        self._link: Link | None = None
        self._labels = configuration.docker.labels
        self._tell: Tell = silent
        match configuration.engine:
            case "docker":
                self._kinds["docker"] = Docker(self._linked(configuration.docker), configuration.docker.owner, rng, clock)
            case "swarm":
                self._kinds["swarm"] = Swarm(self._linked(configuration.docker), configuration.docker.owner, self._labels, clock)

    async def open(self, changed: Changed, tell: Tell) -> None:
        """Begin to tell which services' lists have changed (of "": which services describe themselves), and what happens to engines."""
        self._tell = tell
        for engine in self._kinds.values():
            await engine.open(changed, tell)

    async def close(self) -> None:
        """Stop everything that was started and does not outlive this program."""
        for engine in self._kinds.values():
            await engine.close()
        if self._link:
            await self._link.close()

    def of(self, service: Service) -> Engine:
        """The engine that a service runs on."""
        return self._kinds[service.engine]

    def declare(self, service: Service) -> None:
        """The service is configured so. Raises ValueError, in words."""
        if service.engine == "dns":
            self._dns.set_name(service.name, service.dns)
        elif service.engine == "fixed":
            self._fixed.set_endpoints(service.name, service.endpoints)
        else:
            self.of(service).declare(service.spec)

    def forget(self, service: Service) -> None:
        """The service is no longer configured, and its replicas are gone."""
        self.of(service).forget(service.name)

    def discovered(self) -> Sequence[Discovered]:
        """What describes itself as a service by its labels, unless that is switched off."""
        return [found for engine in self._kinds.values() for found in engine.discovered()] if self._labels else []

    def trouble(self, service: Service) -> str:
        """What is wrong with where its replicas come from, in words; "" if nothing is."""
        return self.of(service).trouble(service.name)

    def logs(self, service: str, lines: int) -> Sequence[str]:
        """The last lines that a service's replicas printed."""
        return self._processes.outputs.tail(service, lines)

    def follow_logs(self, service: str) -> AsyncIterator[str]:
        """Lines as they come."""
        return self._processes.outputs.follow(service)

    def _linked(self, docker: config.Docker) -> Link:
        try:
            found = managers(docker.hosts, docker.cert_path, docker.tls_verify, os.environ)
        except ValueError as error:
            raise EngineError(str(error)) from error
        self._link = Link(found, lambda kind, message: self._tell("", kind, message))
        return self._link
