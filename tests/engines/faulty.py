"""A man in the middle between a client and an engine's socket: everything passes, except what a test wants to go wrong.

It also writes down every request, and can let only listed ones through, as a socket proxy with an allow-list does. It runs in a
thread of its own, so that clients that block can be tested with it.
"""

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.engines.exchange import Exchange, Request

_DEADLINE_S = 30

T = TypeVar("T")
Fault = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class _Rule:
    method: str
    path: str
    times: int | None
    fault: Fault

    def takes(self, request: Request) -> bool:
        """Whether it is for this request; if so, that was one of its times."""
        if self.times == 0 or not _matches((self.method, self.path), request):
            return False
        self.times = self.times and self.times - 1
        return True


class Faulty:
    """Faults are for requests whose method and path match whole (regular expressions), `times` requests long or (None) until `heal`;
    the oldest fault that matches and is not used up wins."""

    def __init__(self, engine: Path, socket: Path) -> None:
        self.engine = engine
        self.socket = socket
        self.seen: list[Request] = []
        self._rules: list[_Rule] = []
        self._allowed: Sequence[tuple[str, str]] = [(".*", ".*")]
        self._open: dict[asyncio.Task[None], Exchange] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty")
        self._thread.start()
        self.accept()

    def answer(self, status: int, message: str, method: str = ".*", path: str = ".*", times: int | None = None) -> None:
        """Answer with an error, instead of the engine."""
        self._rules.append(_Rule(method, path, times, lambda exchange: exchange.say(status, message)))

    def delay(self, seconds: float, method: str = ".*", path: str = ".*", times: int | None = None) -> None:
        """Keep a request for so long before the engine gets it."""

        async def fault(exchange: Exchange) -> None:
            await asyncio.sleep(seconds)
            await exchange.pass_on()

        self._rules.append(_Rule(method, path, times, fault))

    def hang(self, method: str = ".*", path: str = ".*", times: int | None = None) -> None:
        """Never answer; the engine does not hear of it."""

        async def fault(_: Exchange) -> None:
            await asyncio.Event().wait()

        self._rules.append(_Rule(method, path, times, fault))

    def drop(self, method: str = ".*", path: str = ".*", times: int | None = None) -> None:
        """Close the connection; the engine does not hear of it."""

        async def fault(_: Exchange) -> None:
            return

        self._rules.append(_Rule(method, path, times, fault))

    def lose(self, method: str = ".*", path: str = ".*", times: int | None = None) -> None:
        """Let the engine do it, and close the connection instead of handing its answer back."""
        self._rules.append(_Rule(method, path, times, lambda exchange: exchange.pass_on(answered=False)))

    def allow(self, *requests: tuple[str, str]) -> None:
        """Refuse everything, with 403, that matches none of these (method, path)."""
        self._allowed = requests

    def heal(self) -> None:
        """No more faults; what hangs or waits is cut."""
        self._rules.clear()
        self._cut(lambda exchange: not exchange.passing)

    def cut(self, path: str = ".*") -> None:
        """End exchanges that are open now, in the middle."""
        self._cut(lambda exchange: _matches((".*", path), exchange.request))

    def refuse(self) -> None:
        """Nobody listens, and what was open is cut: as if the engine were gone. `accept` ends it."""
        self._run(self._unlisten())
        self.socket.unlink(missing_ok=True)
        self.cut()

    def accept(self) -> None:
        self._listener = self._run(asyncio.start_unix_server(self._serve, str(self.socket)))

    def close(self) -> None:
        self.refuse()
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def calls(self) -> list[tuple[str, str]]:
        """(method, path) of each request so far."""
        return [(request.method, request.path) for request in self.seen]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        with suppress(OSError, EOFError, asyncio.CancelledError):
            self._open[task] = exchange = await Exchange.read(reader, writer, self.engine)
            self.seen.append(exchange.request)
            await self._treat(exchange)
        self._open.pop(task, None)
        writer.close()

    async def _treat(self, exchange: Exchange) -> None:
        request = exchange.request
        if not any(_matches(allowed, request) for allowed in self._allowed):
            await exchange.say(403, f"{request.method} {request.path} is not on the list")
        elif rule := next((rule for rule in self._rules if rule.takes(request)), None):
            await rule.fault(exchange)
        else:
            await exchange.pass_on()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _unlisten(self) -> None:
        self._listener.close()

    def _cut(self, chosen: Callable[[Exchange], bool]) -> None:
        async def cut() -> None:
            for exchange in self._open.values():
                if chosen(exchange):
                    exchange.cut()

        self._run(cut())

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_DEADLINE_S)


def _matches(wanted: tuple[str, str], request: Request) -> bool:
    method, path = wanted
    return bool(re.fullmatch(method, request.method) and re.fullmatch(path, request.path))


@contextmanager
def faulty(engine: Path, socket: Path) -> Iterator[Faulty]:
    """A man in the middle at `socket`, in front of the engine that listens at `engine`."""
    one = Faulty(engine, socket)
    try:
        yield one
    finally:
        one.close()
