"""The controller's side of the keeper: starts it, tells it what to do, hears from it, and starts another one when it is lost.

Invariants: when the exit of a run is told, no process of it is left; a new keeper starts only when nothing is left of the former.
"""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from autoscaler.cluster.engine import EngineError
from autoscaler.cluster.processes.family import RUN, carrying
from autoscaler.cluster.processes.spawn import Program
from balancer.channel import Channel, ChannelClosed

SPAWN_DEADLINE_S = 10.0
SWEEP_DEADLINE_S = 5.0
CLOSE_DEADLINE_S = 15.0  # the keeper's own: ABANDONED_GRACE_S + GIVE_UP_S
_LOOK_S = 0.02
_ROOT = Path(__file__).resolve().parents[3]


class Hearer(Protocol):
    """Who hears what happens to runs. Called on the event loop."""

    def run_exited(self, run: int, status: int | None, lost: int) -> None:
        """No process of the run is left. status: as in `os.waitstatus_to_exitcode`; None: it was ended by its keeper's death.

        lost: lines of its output that were dropped and not told of by `run_printed`.
        """
        ...

    def run_printed(self, run: int, lines: list[str], lost: int) -> None:
        """Lines of output, after `lost` ones that were dropped."""
        ...


class KeeperLink:
    """One keeper after the other, started when needed."""

    def __init__(self, hearer: Hearer) -> None:
        self._hearer = hearer
        self._keeper: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._token = ""
        self._starting: dict[int, asyncio.Future[int]] = {}
        self._running: set[int] = set()
        self._sweeping: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def pid(self) -> int:
        """The keeper's; 0 if none runs."""
        return self._keeper.pid if self._keeper else 0

    async def spawn(self, run: int, program: Program, deadline_s: float = SPAWN_DEADLINE_S) -> int:
        """Start a program as this run; its pid. Raises EngineError, in words."""
        if self._sweeping:
            await asyncio.shield(self._sweeping)
        self._open()
        future = self._starting[run] = asyncio.get_running_loop().create_future()
        environment = {**program.environment, RUN: self._token}
        try:
            self._send("spawn", run=run, **program._replace(environment=environment)._asdict())
            return await asyncio.wait_for(future, deadline_s)
        except TimeoutError:
            self.stop(run, 0.0)
            raise EngineError(f"the keeper (pid {self.pid}) did not start it within {deadline_s:g} s") from None
        except asyncio.CancelledError:
            self.stop(run, 0.0)
            raise
        finally:
            del self._starting[run]

    def stop(self, run: int, grace_s: float) -> None:
        """End a run: SIGTERM, at most grace_s, SIGKILL. `run_exited` follows. A run that is gone already is ignored."""
        self._send("stop", run=run, grace_s=grace_s)

    async def close(self) -> None:
        """End the keeper and whatever it still keeps."""
        self._closed = True
        if self._sweeping:
            await self._sweeping
        if keeper := self._detach("is no longer needed"):
            await _until(lambda: keeper.poll() is not None, CLOSE_DEADLINE_S)
            await self._sweep(keeper)

    def _open(self) -> None:
        """Start a keeper unless there is one, apart from the terminal's signals and from what lies in the working directory."""
        if self._closed:
            raise EngineError("ecluse is stopping")
        if self._keeper:
            return
        mine, its = socket.socketpair()
        with its:
            command = [sys.executable, "-P", "-m", "autoscaler.cluster.processes.keeper", str(its.fileno())]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))}
            try:
                self._keeper = subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()], start_new_session=True
                )
            except OSError as error:
                mine.close()
                raise EngineError(f"the keeper of local processes cannot be started: {error}") from error
        self._token = secrets.token_hex(8)
        self._channel = Channel(mine)
        asyncio.get_running_loop().add_reader(mine.fileno(), self._hear)

    def _send(self, kind: str, **fields: Any) -> None:
        if self._channel:
            try:
                self._channel.send(kind, **fields)
                self._watch_writing()
            except ChannelClosed:
                self._lose()

    def _watch_writing(self) -> None:
        """Be called again when the keeper can take the rest of what waits."""
        if self._channel:
            loop = asyncio.get_running_loop()
            if self._channel.wants_write:
                loop.add_writer(self._channel.fileno(), self._flush)
            else:
                loop.remove_writer(self._channel.fileno())

    def _flush(self) -> None:
        if self._channel:
            try:
                self._channel.flush()
                self._watch_writing()
            except ChannelClosed:
                self._lose()

    def _hear(self) -> None:
        try:
            for message, _ in self._channel.receive() if self._channel else ():
                self._take(message)
        except ChannelClosed:
            self._lose()

    def _take(self, message: dict[str, Any]) -> None:
        kind, run = message["kind"], message["run"]
        if kind == "output":
            self._hearer.run_printed(run, message["lines"], message["lost"])
        elif kind == "exited":
            self._running.discard(run)
            self._hearer.run_exited(run, message["status"], message["lost"])
        elif kind == "spawned":
            self._running.add(run)
            if future := _waiting(self._starting.get(run)):
                future.set_result(message["pid"])
        elif future := _waiting(self._starting.get(run)):
            future.set_exception(EngineError(message["what"]))

    def _lose(self) -> None:
        if keeper := self._detach("died"):
            self._sweeping = asyncio.create_task(self._replace(keeper))

    def _detach(self, why: str) -> subprocess.Popen[bytes] | None:
        for future in filter(_waiting, self._starting.values()):
            future.set_exception(EngineError(f"the keeper (pid {self.pid}) {why}"))
        if self._channel:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._channel.fileno())
            loop.remove_writer(self._channel.fileno())
            self._channel.close()
        keeper, self._keeper, self._channel = self._keeper, None, None
        return keeper

    async def _replace(self, keeper: subprocess.Popen[bytes]) -> None:
        try:
            await self._sweep(keeper)
        finally:
            self._sweeping = None
            lost, self._running = self._running, set()
            for run in lost:
                self._hearer.run_exited(run, None, 0)

    async def _sweep(self, keeper: subprocess.Popen[bytes]) -> None:
        """Make sure that nothing of the keeper and what it started is left. The kernel has killed the first processes."""
        keeper.kill()
        await _until(lambda: keeper.poll() is not None, SWEEP_DEADLINE_S)
        await _until(self._nothing_left, SWEEP_DEADLINE_S)

    def _nothing_left(self) -> bool:
        left = carrying(RUN, self._token)
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):  # it ended meanwhile, or became another user's
                os.kill(pid, signal.SIGKILL)
        return not left


def _waiting(future: asyncio.Future[int] | None) -> asyncio.Future[int] | None:
    return future if future and not future.done() else None


async def _until(condition: Callable[[], bool], deadline_s: float) -> bool:
    end = time.monotonic() + deadline_s
    while not (so := condition()) and time.monotonic() < end:  # noqa: ASYNC110 - see below
        await asyncio.sleep(_LOOK_S)  # no event tells of processes that are not one's children
    return so
