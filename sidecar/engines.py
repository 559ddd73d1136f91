"""The engines in use, and which service runs on which. The only place that knows which engines there are."""

import random
from collections.abc import AsyncIterator, Callable, Sequence

from autoscaler.cluster.dns import Dns
from autoscaler.cluster.engine import Changed, Engine, Tell
from autoscaler.cluster.fixed import Fixed
from autoscaler.cluster.processes import Processes
from sidecar.config import Service


class Engines:
    """One engine of each kind. `open` before, `close` after everything else."""

    def __init__(self, rng: random.Random, clock: Callable[[], float]) -> None:
        self._processes = Processes(rng, clock)
        self._fixed = Fixed(clock)
        self._dns = Dns(clock=clock)

    async def open(self, changed: Changed, tell: Tell) -> None:
        """Begin to tell which services' lists have changed, and what happens to engines."""
        for engine in (self._processes, self._fixed, self._dns):
            await engine.open(changed, tell)

    async def close(self) -> None:
        """Stop everything that was started."""
        for engine in (self._processes, self._fixed, self._dns):
            await engine.close()

    def of(self, service: Service) -> Engine:
        """The engine that a service runs on."""
        return self._of(service)

    def declare(self, service: Service) -> None:
        """The service is configured so. Raises ValueError, in words."""
        if service.dns:
            self._dns.set_name(service.name, service.dns)
        elif service.endpoints:
            self._fixed.set_endpoints(service.name, service.endpoints)

    def forget(self, service: Service) -> None:
        """The service is no longer configured, and its replicas are gone."""
        self._of(service).forget(service.name)

    def trouble(self, service: Service) -> str:
        """What is wrong with where its replicas come from, in words; "" if nothing is."""
        return self._of(service).trouble(service.name)

    def logs(self, service: str, lines: int) -> Sequence[str]:
        """The last lines that a service's replicas printed."""
        return self._processes.outputs.tail(service, lines)

    def follow_logs(self, service: str) -> AsyncIterator[str]:
        """Lines as they come."""
        return self._processes.outputs.follow(service)

    def _of(self, service: Service) -> Processes | Fixed | Dns:
        engines: dict[str, Processes | Fixed | Dns] = {"processes": self._processes, "fixed": self._fixed, "dns": self._dns}
        return engines[service.engine]
