"""What instances print, line by line: the last lines of each service, and lines as they come for those who follow.

Invariant: nobody waits here. A reader that is too slow loses the oldest lines and is told how many.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence

KEPT_LINES = 1000  # per service
WAITING_LINES = 1000  # per reader


class _Reader:
    """One who follows. Lines wait in a bounded queue; None is the end."""

    def __init__(self, lines: Iterable[str], room: int) -> None:
        self._waiting: deque[str] = deque(lines, maxlen=room)
        self._lost = 0
        self._ended = False
        self._more = asyncio.Event()

    def add(self, line: str) -> None:
        self._lost += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(line)
        self._more.set()

    def end(self) -> None:
        self._ended = True
        self._more.set()

    async def next(self) -> str | None:
        while not self._waiting and not self._ended:
            self._more.clear()
            await self._more.wait()
        if self._lost:
            lost, self._lost = self._lost, 0
            return f"[ecluse: {lost} lines lost here: they came faster than they were read]"
        return self._waiting.popleft() if self._waiting else None


class Outputs:
    """The output of all services. On the event loop only."""

    def __init__(self, kept_lines: int = KEPT_LINES, waiting_lines: int = WAITING_LINES) -> None:
        self._kept_lines = kept_lines
        self._waiting_lines = waiting_lines
        self._kept: dict[str, deque[str]] = {}
        self._readers: dict[str, set[_Reader]] = {}

    def add(self, service: str, instance_id: str, lines: Sequence[str], lost: int = 0) -> None:
        """Lines that an instance printed, after `lost` ones that were dropped on the way."""
        note = [f"[ecluse: {lost} lines lost here: they came faster than they were taken]"] if lost else []
        kept = self._kept.setdefault(service, deque(maxlen=self._kept_lines))
        for text in (*note, *lines):
            line = f"{instance_id} | {text}"
            kept.append(line)
            for reader in self._readers.get(service, ()):
                reader.add(line)

    def tail(self, service: str, lines: int) -> list[str]:
        """The last lines of a service, oldest first, each as "shop-1 | text"."""
        kept = self._kept.get(service, ())
        return [*kept][-lines:] if lines > 0 else []

    async def follow(self, service: str, lines: int = 0) -> AsyncIterator[str]:
        """The last `lines`, then each as it comes, until the service is forgotten or the engine closes."""
        reader = _Reader(self.tail(service, lines), self._waiting_lines)
        readers = self._readers.setdefault(service, set())
        readers.add(reader)
        try:
            while (line := await reader.next()) is not None:
                yield line
        finally:
            readers.discard(reader)

    def forget(self, service: str) -> None:
        """The service is no longer configured: its lines go, and who follows it is at the end."""
        self._kept.pop(service, None)
        for reader in self._readers.pop(service, ()):
            reader.end()

    def close(self) -> None:
        """Whoever follows is at the end."""
        for readers in self._readers.values():
            for reader in readers:
                reader.end()
