"""The `processes` engine: instances are local processes, started from a command, each on a loopback port or a Unix socket of its own.

Invariants: an id is never given twice; every start, also that of a crashed instance under its old id, has a fresh address; all
processes are children of the keeper (`keeper.py`), which ends them when this process dies, however it dies.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from autoscaler.cluster import placeholders
from autoscaler.cluster.address import Address
from autoscaler.cluster.engine import Changed, EngineError, Instance, InstanceSpec, InstanceStatus, Plain, Tell, Usage, silent
from autoscaler.cluster.processes import folder
from autoscaler.cluster.processes.child import Child, Ending, ending
from autoscaler.cluster.processes.execution import executed
from autoscaler.cluster.processes.family import REPLICA, family, processes
from autoscaler.cluster.processes.keeper_link import KeeperLink
from autoscaler.cluster.processes.listeners import listening, sockets
from autoscaler.cluster.processes.outputs import Outputs
from autoscaler.cluster.processes.ports import Ports
from autoscaler.cluster.processes.socket_paths import SocketPaths
from autoscaler.cluster.processes.spawn import Program
from autoscaler.cluster.processes.usage import Meters
from autoscaler.cluster.restarts import RestartPolicy, delay_s

STOP_MARGIN_S = 5.0  # after SIGKILL, for the kernel to end a process and the keeper to tell
RESTART_MARGIN_S = 20.0  # the same, and a start
LOOPBACK = "127.0.0.1"


class Processes(Plain):
    """An `Engine` over local processes. `outputs` holds what they print."""

    def __init__(
        self,
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
        restarts: RestartPolicy | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.outputs = Outputs()
        self._rng = rng
        self._clock = clock
        self._policy = restarts or RestartPolicy()
        self._environment = environment
        self._ports = Ports(rng)
        self._paths = SocketPaths(environment)
        self._link = KeeperLink(self)
        self._meters = Meters(lambda: self._link.pid, clock)
        self._changed: Changed = _nobody_listens
        self._children: dict[str, Child] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._by_run: dict[int, Child] = {}
        self._last_run = 0
        self._last_number: dict[str, int] = {}
        self._closing = False

    @property
    def can_scale(self) -> bool:
        """Processes are started and stopped here."""
        return True

    async def open(self, changed: Changed, tell: Tell = silent) -> None:
        """Begin telling of changes. The keeper starts with the first instance."""
        self._changed = changed

    async def list(self, service: str) -> Sequence[Instance]:
        """The instances of a service, oldest first."""
        now = self._clock()
        return [child.view(now) for child in self._children.values() if child.spec.service == service]

    async def start(self, spec: InstanceSpec) -> Instance:
        """Start one more instance. Raises EngineError if the command cannot be executed."""
        if not spec.command:
            raise EngineError(f"service {spec.service} has no `command` to start")
        child = Child(self._next_id(spec.service), spec, self._policy)
        try:
            await self._launch(child)
        except EngineError as error:
            raise EngineError(f"service {spec.service}: {child.id} could not be started: {error}") from error
        if self._closing:
            raise EngineError(f"service {spec.service}: {child.id} was started and ended again: ecluse is stopping")
        self._children[child.id] = child
        self._tasks[child.id] = asyncio.create_task(self._supervise(child), name=f"supervise {child.id}")
        self._changed(spec.service)
        return child.view(self._clock())

    async def stop(self, instance_id: str, grace_s: float) -> None:
        """SIGTERM, at most grace_s, SIGKILL. Returns when it and all that it started are gone. Raises EngineError."""
        if not (child := self._children.get(instance_id)):
            return
        child.leave(grace_s, self._clock())
        self._link.stop(child.run, grace_s)
        self._changed(child.spec.service)
        try:
            await asyncio.wait_for(child.gone.wait(), grace_s + STOP_MARGIN_S)
        except TimeoutError:
            raise EngineError(
                f"{instance_id} (pid {child.pid}) is still there {STOP_MARGIN_S:g} s after SIGKILL; see its state: ps"
            ) from None

    async def restart(self, instance_id: str) -> None:
        """End an instance and start it again under its id, at another address, unless it is on its way there. Raises EngineError."""
        if not (child := self._children.get(instance_id)):
            raise EngineError(f"there is no instance {instance_id}")
        if child.status is not InstanceStatus.RUNNING:
            return
        child.replace(self._clock())
        self._link.stop(child.run, child.spec.stop_grace_s)
        self._changed(child.spec.service)
        with suppress(TimeoutError):
            await asyncio.wait_for(child.replaced.wait(), child.spec.stop_grace_s + RESTART_MARGIN_S)
        if child.status is not InstanceStatus.RUNNING:
            raise EngineError(f"{instance_id} could not be restarted: {child.view(self._clock()).detail}")

    async def execute(self, instance_id: str, command: Sequence[str], timeout_s: float) -> tuple[int, str]:
        """Run a command as the instance is run: with its environment, in its directory, placeholders replaced. Raises EngineError."""
        if not (child := self._children.get(instance_id)):
            raise EngineError(f"there is no instance {instance_id}")
        return await executed(self._program(child, command), timeout_s)

    def owns_listener(self, instance_id: str) -> bool | None:
        """Whether the instance, or something it started, is what listens on its port; None: nothing listens there yet.

        Where a socket lies is known to the instance alone: whoever listens there is meant, be it in another namespace.
        """
        child = self._children.get(instance_id)
        if not child or not child.pid:
            return None
        if child.address.path:
            return folder.is_socket(child.address.path) or None
        if not (wanted := listening(child.address.port)):
            return None
        if wanted <= (sockets([child.pid]) or set()):
            return True
        held = sockets(family(processes(), self._link.pid, child.pid, child.id))
        return held is None or wanted <= held

    def usage(self, instance_id: str) -> Usage | None:
        """What an instance and all that it started have used, as of a second ago; the first question is answered None."""
        child = self._children.get(instance_id)
        return self._meters.read(child.id, child.pid) if child and child.pid else None

    def forget(self, service: str) -> None:
        """The service is no longer configured and its instances are stopped: drop its output."""
        self.outputs.forget(service)

    async def close(self) -> None:
        """Stop all instances at once, each with its own grace, and the keeper. What does not end is killed with the keeper."""
        self._closing = True
        stops = (self.stop(child.id, child.spec.stop_grace_s) for child in [*self._children.values()])
        await asyncio.gather(*stops, return_exceptions=True)
        await self._link.close()
        await self._meters.close()
        self._paths.close()
        for task in self._tasks.values():
            task.cancel()
        self.outputs.close()

    def _next_id(self, service: str) -> str:
        number = self._last_number[service] = self._last_number.get(service, 0) + 1
        return f"{service}-{number}"

    async def _launch(self, child: Child) -> None:
        """Begin a new run. Raises EngineError."""
        self._last_run += 1
        child.prepare(self._last_run, self._address(child))
        self._by_run[child.run] = child
        try:
            pid = await self._link.spawn(child.run, self._program(child))
        except BaseException:
            self._by_run.pop(child.run, None)
            raise
        child.begun(pid, self._clock())
        if child.leaving.is_set():
            self._link.stop(child.run, child.grace_s)

    def _address(self, child: Child) -> Address:
        """A fresh one for the coming run. Raises EngineError."""
        if placeholders.names(child.spec.command, placeholders.SOCKET):
            return Address(path=self._paths.take(self._last_run))
        return Address(LOOPBACK, self._ports.take())

    def _program(self, child: Child, command: Sequence[str] = ()) -> Program:
        """command: default: what starts it. What Écluse itself was told in PORT or SOCKET is not a replica's business."""
        spec, address = child.spec, child.address
        variable, placeholder = ("SOCKET", placeholders.SOCKET) if address.path else ("PORT", placeholders.PORT)
        place = address.path or str(address.port)
        inherited = {name: value for name, value in self._environment.items() if name not in {"PORT", "SOCKET"}}
        return Program(
            command=placeholders.filled(command or spec.command, {placeholder: place, placeholders.NAME: child.id}),
            environment={**inherited, **spec.environment, variable: place, REPLICA: child.id},
            directory=spec.directory,
            scratch=self._paths.folder,
        )

    async def _supervise(self, child: Child) -> None:
        """Start it again, as often as needed, until it is to leave."""
        while True:
            how = await child.ended
            if not child.leaving.is_set():
                await self._wait_for_restart(child, how)
            if child.leaving.is_set():
                break
            await self._relaunch(child)
        del self._children[child.id], self._tasks[child.id]
        self._meters.forget(child.id)
        child.replaced.set()
        child.gone.set()
        self._changed(child.spec.service)

    async def _wait_for_restart(self, child: Child, how: Ending) -> None:
        """A replaced one waits no time at all, a crashed one longer each time."""
        now = self._clock()
        crashed = child.take_note(how, now)
        delay = delay_s(child.crashes, self._policy, self._rng.random()) if crashed else 0.0
        child.back_off(now, delay)
        self._changed(child.spec.service)
        with suppress(TimeoutError):
            await asyncio.wait_for(child.leaving.wait(), delay)

    async def _relaunch(self, child: Child) -> None:
        child.restarts += 1
        try:
            await self._launch(child)
        except EngineError as error:
            child.replaced.set()
            child.end(Ending(f"could not be started: {error}"))
        self._changed(child.spec.service)

    def run_exited(self, run: int, status: int | None, lost: int) -> None:
        """The keeper's link tells that no process of a run is left."""
        if child := self._by_run.pop(run, None):
            self.outputs.add(child.spec.service, child.id, [], lost)
            self._paths.release(child.address.path)
            child.end(ending(status))

    def run_printed(self, run: int, lines: Sequence[str], lost: int) -> None:
        """The keeper's link brings output."""
        if child := self._by_run.get(run):
            self.outputs.add(child.spec.service, child.id, lines, lost)
            child.last_line = next((line for line in reversed(lines) if line.strip()), child.last_line)


def _nobody_listens(service: str) -> None:
    """Before `open` a change is told to nobody."""
