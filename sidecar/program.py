"""What the program is in every role: begun and ended in order, told by signals, reloaded, with a journal of what happened.

A role (`controller.py`, `proxy.py`) says what is opened, closed and read again. Nothing here knows of replicas or requests.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from autoscaler.tasks import Tasks
from sidecar.config import Config
from sidecar.configuration import ConfigurationErrors, load
from sidecar.configuration.load import COMMAND_LINE
from sidecar.journal import Event, Journal
from sidecar.listeners import ListenError


class Program:
    """`run` is its life; everything else is for the admin API and for signals, on the same event loop."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._journal = Journal()
        self._tasks = Tasks()
        self._told_to_stop = asyncio.Event()
        self._hurried = False
        self._reloading = asyncio.Lock()
        self._reloads = self._reloads_failed = 0
        self._last_reload_error = ""
        self._started_at = time.time()

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
            self._hurry()
        self._told_to_stop.set()

    async def reload(self) -> list[str]:
        """Read the configuration again. Returns the errors in words; not empty: nothing was changed."""
        async with self._reloading:
            errors = await self._reload()
        self._last_reload_error = "\n".join(errors)
        if errors:
            self._reloads_failed += 1
            self._journal.record("reload_failed", f"nothing was changed: {'; '.join(errors)}")
        return errors

    def events(self, limit: int) -> Sequence[Event]:
        """Decisions and state changes, newest first."""
        return self._journal.newest(limit)

    def follow_events(self) -> AsyncIterator[Event]:
        """Events as they come."""
        return self._journal.follow()

    # What each role does in its own way

    async def _open(self) -> None:
        """Whatever can fail for a reason that the user can mend comes first."""
        raise NotImplementedError

    async def _close(self) -> None:
        """In order, also after an `_open` that failed half-way."""
        raise NotImplementedError

    def _hurry(self) -> None:
        """Cut what is in flight."""
        raise NotImplementedError

    def _refused(self, config: Config) -> list[str]:
        """Why this configuration cannot be gone over to, in words."""
        raise NotImplementedError

    def _prepare(self, config: Config) -> None:
        """Take hold of what it needs. Raises ListenError."""
        raise NotImplementedError

    async def _apply(self, config: Config) -> str:
        """Go over to it. Returns what that changed, in words."""
        raise NotImplementedError

    # What all roles do

    def _follow_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._tasks.spawn(self.reload(), "reload"))

    async def _reload(self) -> list[str]:
        if self._config.source == COMMAND_LINE:
            return ["started with a command instead of a file: there is nothing to read again"]
        try:
            config = await asyncio.to_thread(load, Path(self._config.source))
            if errors := self._refused(config):
                return errors
            self._prepare(config)
        except ConfigurationErrors as errors:
            return [str(problem) for problem in errors.problems]
        except ListenError as error:
            return [str(error)]
        changed = await self._apply(config)
        self._reloads += 1
        self._journal.record("reloaded", changed)
        return []
