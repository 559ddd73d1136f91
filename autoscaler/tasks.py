"""Tasks that run on their own: kept from being lost, ended together, and never failing in silence."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("ecluse")


class Tasks:
    """A set of running tasks. One that raises is logged with its trace; the others go on."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Run it now, beside everything else."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def ended(self, timeout_s: float) -> bool:
        """Wait until all have ended by themselves, for at most timeout_s. Whether they have."""
        if not self._running:
            return True
        _, late = await asyncio.wait(self._running, timeout=timeout_s)
        return not late

    async def close(self) -> None:
        """Cancel what still runs, and wait until it has ended."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s failed; this is a bug, please report it", task.get_name(), exc_info=error)
