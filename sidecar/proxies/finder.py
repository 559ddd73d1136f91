"""Where the proxies are: addresses, and names that are looked up again and again, every address of which is a proxy."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from autoscaler.cluster.dns import Dns, Resolver, resolve
from autoscaler.tasks import Tasks


class Finder:
    """`changed()` is called when `addresses` are others."""

    def __init__(self, changed: Callable[[], None], resolver: Resolver = resolve) -> None:
        self.addresses: frozenset[str] = frozenset()
        self._names: tuple[str, ...] = ()
        self._dns = Dns(resolver)
        self._changed = changed
        self._tasks = Tasks()
        self._answered = asyncio.Event()

    async def follow(self, names: Sequence[str]) -> None:
        """Look these up from now on, "NAME:PORT" or "ADDRESS:PORT" each. Raises ValueError, in words."""
        await self._dns.open(lambda _: self._tasks.spawn(self._look(), "addresses of proxies"))
        for name in names:
            self._dns.set_name(name, name)
        for name in set(self._names) - set(names):
            self._dns.forget(name)
        self._names = tuple(names)

    async def answered(self, timeout_s: float) -> None:
        """Wait until every name has been looked up once, for at most timeout_s."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not await self._all():
                    self._answered.clear()
                    await self._answered.wait()
        await self._look()

    def troubles(self) -> dict[str, str]:
        """The names that cannot be looked up, and why."""
        return {name: words for name in self._names if (words := self._dns.trouble(name))}

    async def close(self) -> None:
        """Look up nothing any more."""
        await self._dns.close()
        await self._tasks.close()

    async def _all(self) -> bool:
        return all([self._dns.trouble(name) or await self._dns.list(name) for name in self._names])

    async def _look(self) -> None:
        found = [instance.address for name in self._names for instance in await self._dns.list(name)]
        before, self.addresses = self.addresses, frozenset(found)
        self._answered.set()
        if self.addresses != before:
            self._changed()
