"""One worker process as the controller holds it: started by exec, spoken to over its channel, its end put into words.

Invariant: nothing here waits for the worker. What it does not take is queued (a newer routing table replaces an older one), and a
worker whose channel is lost is left to drain by itself for ORPHAN_S, then killed.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from balancer.channel import Channel, ChannelClosed

ORPHAN_S = 15.0  # a worker whose channel ended drains for 10 s by itself

Hear = Callable[[dict[str, Any]], None]


class WorkerProcess:
    """A running worker. `hear(message)` is called on the event loop with each message it sends."""

    def __init__(self, process: asyncio.subprocess.Process, channel: Channel, hear: Hear) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._channel: Channel | None = channel
        self._descriptor = channel.fileno()
        self._hear = hear
        self._orphan: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._descriptor, self._readable)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, kind: str, descriptors: Sequence[int] = (), **fields: Any) -> None:
        """Say something, now or as soon as the worker takes it. To one whose channel is lost it is not said."""
        if self._channel:
            self._guarded(lambda channel: channel.send(kind, descriptors, **fields))

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> int:
        """Wait for its end. Returns the status as in `subprocess.Popen.returncode`."""
        status = await self._process.wait()
        self._readable()  # its last words may still be in the socket
        self._lose()
        if self._orphan:
            self._orphan.cancel()
        return status

    def _readable(self) -> None:
        if not self._channel:
            return
        try:
            messages = self._channel.receive()
        except ChannelClosed:
            self._lose()
            return
        for message, descriptors in messages:
            for descriptor in descriptors:  # workers send none
                os.close(descriptor)
            self._hear(message)

    def _writable(self) -> None:
        self._guarded(Channel.flush)

    def _guarded(self, use: Callable[[Channel], None]) -> None:
        if not self._channel:
            return
        try:
            use(self._channel)
        except ChannelClosed:
            self._lose()
            return
        if self._channel.wants_write:
            self._loop.add_writer(self._descriptor, self._writable)
        else:
            self._loop.remove_writer(self._descriptor)

    def _lose(self) -> None:
        """The channel is of no more use: the worker has closed it or is gone."""
        if self._channel:
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._channel.close()
            self._channel = None
            if self._process.returncode is None:
                self._orphan = self._loop.call_later(ORPHAN_S, self.kill)


async def launch(row: int, hear: Hear, command: Sequence[str]) -> WorkerProcess:
    """Start a worker for a row of the scoreboard. Raises OSError if the system cannot."""
    ours, theirs = socket.socketpair()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            "--channel",
            str(theirs.fileno()),
            "--row",
            str(row),
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": _import_path()},
            start_new_session=True,  # Ctrl-C in a terminal is for the controller, which lets its workers drain
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return WorkerProcess(process, Channel(ours), hear)


def worker_command() -> tuple[str, ...]:
    """-P: a package `balancer` in the directory where ecluse was started must not be taken for ours."""
    return sys.executable, "-P", "-m", "balancer.worker"


def _import_path() -> str:
    """A worker imports exactly what its controller would."""
    return os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)


def how_it_ended(status: int) -> str:
    """A process's end in words: "was killed by SIGKILL", "exited with status 3"."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
