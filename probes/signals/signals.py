"""Keeps the values of all services' signals: asks for them again and again, each in a task of its own, and takes what is pushed.

Invariants: at most one request for a value is under way, at most CONCURRENCY over all; the next one is due an interval after the last
was due, so that slow answers cause no drift; that a signal begins to fail, and that it is back, is told once each. What the values mean
is not known here.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final

from probes.signals.ask import ask
from probes.signals.fetch import Fetcher
from probes.signals.numbers import Unusable
from probes.signals.source import Reading, Source, alike
from probes.signals.spec import SignalSpec

Ask = Callable[[SignalSpec, str], Awaitable[float]]
Tell = Callable[[str, str, str, str], None]
_Kept = tuple[Source, asyncio.Task[None]]

CONCURRENCY: Final = 64
JITTER: Final = 0.1  # share of the interval, either way: signals declared together shall not be asked for together for ever


class NotPushed(LookupError):  # noqa: N818 - an answer for who pushes
    """No such signal is pushed to the service; the message names those that are."""


class Signals:
    """`tell(kind, message, service, replica)` hears what begins to fail and what is back. clock: CLOCK_MONOTONIC seconds."""

    def __init__(self, tell: Tell, rng: random.Random, clock: Callable[[], float], asked: Ask | None = None) -> None:
        self._tell = tell
        self._rng = rng
        self._clock = clock
        self._fetcher = Fetcher()
        self._ask = asked or (lambda spec, address: ask(self._fetcher, spec, address))
        self._places = asyncio.Semaphore(CONCURRENCY)
        self._specs: dict[str, tuple[SignalSpec, ...]] = {}
        self._replicas: dict[str, dict[str, str]] = {}
        self._sources: dict[str, dict[tuple[str, str], _Kept]] = {}  # by service; then by signal and replica
        self._failures: Counter[tuple[str, str]] = Counter()

    def declare(self, service: str, specs: Sequence[SignalSpec]) -> None:
        """These are the service's signals from now on. Values of those that were there before are kept."""
        self._specs[service] = tuple(specs)
        self._go_over(service)

    def follow(self, service: str, addresses: Mapping[str, str]) -> None:
        """These replicas are asked for the signals that have a path. addresses: by replica, "unix:/path" or "host:port"."""
        found = dict(addresses) if any(spec.path for spec in self._specs.get(service, ())) else {}
        if found != self._replicas.get(service, {}):
            self._replicas[service] = found
            self._go_over(service)

    def forget(self, service: str) -> None:
        """Ask for nothing of it any more."""
        if self._specs.pop(service, None) is None:
            return
        self._replicas.pop(service, None)
        self._go_over(service)
        del self._sources[service]
        for key in [key for key in self._failures if key[0] == service]:
            del self._failures[key]

    def push(self, service: str, name: str, value: float) -> None:
        """Somebody brings the value of now. Raises NotPushed."""
        pushed = {each.spec.name: each for each in self._of(service) if each.pushed}
        source = pushed.get(name)
        if source is None:
            raise NotPushed(f"no signal {name!r} is pushed to {service}; there are: {', '.join(pushed) or 'none'}")
        self._take(source, value)
        source.news.set()

    def readings(self, service: str, now_s: float) -> dict[str, dict[str, Reading]]:
        """What each signal of the service says, by its name and by replica; "" is the service as a whole."""
        found: dict[str, dict[str, Reading]] = {spec.name: {} for spec in self._specs.get(service, ())}
        for source in self._of(service):
            found[source.spec.name][source.replica] = source.reading(now_s)
        return found

    def failures(self, service: str, name: str) -> int:
        """How often asking for it gave no value, or a pushed one grew too old."""
        return self._failures[service, name]

    async def close(self) -> None:
        """Forget everything."""
        tasks = [task for kept in self._sources.values() for _, task in kept.values()]
        for service in list(self._specs):
            self.forget(service)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._fetcher.close()

    def _of(self, service: str) -> list[Source]:
        return [source for source, _ in self._sources.get(service, {}).values()]

    def _go_over(self, service: str) -> None:
        """Begin and end what has changed."""
        kept = self._sources.setdefault(service, {})
        wanted = {(each.spec.name, each.replica): each for each in self._wanted(service)}
        for key, (source, task) in list(kept.items()):
            new = wanted.get(key)
            if new and new.address == source.address and alike(new.spec, source.spec):
                source.spec = new.spec
                del wanted[key]
            else:
                task.cancel()
                del kept[key]
        for key, source in wanted.items():
            kept[key] = (source, asyncio.create_task(self._keep(source), name=f"signal {service}/{key[0]}"))

    def _wanted(self, service: str) -> Iterator[Source]:
        for spec in self._specs.get(service, ()):
            if spec.path:
                yield from (Source(service, *replica, spec) for replica in self._replicas.get(service, {}).items())
            else:
                yield Source(service, "", "", spec)

    async def _keep(self, source: Source) -> None:
        await (self._await_pushes(source) if source.pushed else self._keep_asking(source))

    async def _keep_asking(self, source: Source) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            async with self._places:
                await self._ask_once(source)
            due = max(due + source.spec.interval_s * self._rng.uniform(1 - JITTER, 1 + JITTER), loop.time())
            await asyncio.sleep(due - loop.time())

    async def _ask_once(self, source: Source) -> None:
        try:
            value = await self._ask(source.spec, source.address)
        except Unusable as unusable:
            self._fail(source, str(unusable))
        else:
            self._take(source, value)

    async def _await_pushes(self, source: Source) -> None:
        while True:
            source.news.clear()
            try:
                async with asyncio.timeout(source.spec.stale_after_s):
                    await source.news.wait()
            except TimeoutError:
                self._fail(source, f"nothing was pushed for {source.spec.stale_after_s:g} s")
                await source.news.wait()

    def _take(self, source: Source, value: float) -> None:
        source.value, source.told_s = value, self._clock()
        if source.failing:
            self._tell("signal_back", f"{source.spec.name} is told again", source.service, source.replica)
        source.failing = ""

    def _fail(self, source: Source, why: str) -> None:
        self._failures[source.service, source.spec.name] += 1
        if not source.failing:
            self._tell("signal_failed", f"{source.spec.name}: {why}", source.service, source.replica)
        source.failing = why
