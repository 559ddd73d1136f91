"""The way to the cluster's endpoint from the event loop: calls in threads, deadlines, retries, and the next manager when one is away.

Invariants: nothing here blocks the event loop; every call ends within its deadline, whatever the engine does; what is asked again is
safe to be asked twice (a name or a version makes a repeated start or update harmless); at most THREADS calls are under way, and SLOW
of those whose answer may take longer.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from autoscaler.cluster.moby.api import TIMEOUT_S, Api, Json, Messages, MobyError
from autoscaler.cluster.moby.threads import Threads
from autoscaler.cluster.moby.where import Where

T = TypeVar("T")
Connect = Callable[[Where], Api]
Told = Callable[[str, str], None]

THREADS = 16
SLOW = 64  # further ones, for calls whose answer may take longer than usual: a stop with its grace. They must not keep others waiting
STREAMS = 256  # of one link at once, each with a thread of its own
WAITING = 256  # messages of one stream that nobody has taken; the oldest are dropped
PATIENCE_S = 15.0  # for one call, tries at all managers included
SLACK_S = 2.0  # beyond which a thread that does not come back is given up
PAUSE_S = 0.1  # before the first repetition, about; doubles up to LONGEST_PAUSE_S
LONGEST_PAUSE_S = 2.0


class Link:
    """One cluster. `told(kind, message)`: that the endpoint went away, came back, or that another manager is used."""

    def __init__(self, managers: Sequence[Where], told: Told = lambda kind, message: None, connect: Connect = Api) -> None:
        self.trouble = ""  # why the endpoint cannot be used now, in words
        self._managers = list(managers)
        self._told = told
        self._connect = connect
        self._turn = 0
        self._apis: dict[int, Api] = {}
        self._lock = threading.Lock()
        self._pool = Threads(THREADS, "docker")
        self._slow = Threads(SLOW, "docker slow")
        self._slow_places = asyncio.Semaphore(SLOW)
        self._streams = 0
        self._closed = threading.Event()

    @property
    def where(self) -> Where:
        """The manager that is asked now."""
        return self._managers[self._turn % len(self._managers)]

    async def ask(self, use: Callable[[Api], T], patience_s: float = PATIENCE_S, answer_s: float = TIMEOUT_S) -> T:
        """What the engine answers. Asked again, and of the next manager, while it is away. Raises MobyError within patience_s, or
        answer_s and SLACK_S after it for an engine that hangs.

        answer_s: how long one answer may take; of those that may take longer than usual, SLOW are asked at once.
        """
        if answer_s > TIMEOUT_S:
            async with self._slow_places:
                return await self._ask(use, patience_s, answer_s)
        return await self._ask(use, patience_s, answer_s)

    async def stream(self, open_: Callable[[Api], Messages]) -> AsyncGenerator[Json, None]:
        """Messages as they come, until the other side ends it. Raises MobyError if it cannot be opened or breaks."""
        if self._streams >= STREAMS:
            raise MobyError(f"{STREAMS} streams from {self.where.url} are open, which is the most")
        self._streams += 1
        stream = _Stream(asyncio.get_running_loop(), lambda: open_(self._api(self._turn)))
        try:
            while (message := await stream.next()) is not None:
                yield message
        finally:
            self._streams -= 1
            stream.close()

    async def close(self) -> None:
        """Ask nothing any more. Calls that hang in their threads are left to end by themselves."""
        self._closed.set()
        for pool in (self._pool, self._slow):
            pool.shutdown()
        for api in self._apis.values():
            api.close()

    async def _ask(self, use: Callable[[Api], T], patience_s: float, answer_s: float) -> T:
        tries = AsyncRetrying(
            stop=stop_after_delay(patience_s),
            wait=wait_random_exponential(multiplier=PAUSE_S, max=LONGEST_PAUSE_S),
            retry=retry_if_exception(lambda error: isinstance(error, MobyError) and error.away),
            reraise=True,
        )
        try:
            answer: T = await tries(self._once, use, answer_s)
        except MobyError as error:
            self._note(str(error) if error.away else "")
            raise
        self._note("")
        return answer

    async def _once(self, use: Callable[[Api], T], answer_s: float) -> T:
        turn = self._turn
        loop = asyncio.get_running_loop()
        pool = self._slow if answer_s > TIMEOUT_S else self._pool
        try:
            async with asyncio.timeout(answer_s + SLACK_S):  # wait_for of Python 3.11 can lose a cancellation
                return await loop.run_in_executor(pool, lambda: use(self._api(turn)))
        except TimeoutError:
            error = MobyError(f"no answer from {self._managers[turn % len(self._managers)].url} within {answer_s + SLACK_S:g} s")
            self._turn_away(turn, error)
            raise error from None
        except MobyError as error:
            if error.away:
                self._turn_away(turn, error)
            raise

    def _turn_away(self, turn: int, error: MobyError) -> None:
        """The next manager's turn, unless another call has seen to that already."""
        if turn == self._turn and len(self._managers) > 1:
            self._turn += 1
            self._told("manager_changed", f"{error}; {self.where.url} is asked instead")

    def _api(self, turn: int) -> Api:
        """The connection to a manager, opened with its first use. In a thread. Raises MobyError."""
        index = turn % len(self._managers)
        with self._lock:
            api = self._apis.get(index)
        if api is None:
            api = self._connect(self._managers[index])
            with self._lock:
                self._apis[index] = api
            if self._closed.is_set():  # meanwhile
                api.close()
        return api

    def _note(self, trouble: str) -> None:
        if trouble and not self.trouble:
            self._told("endpoint_away", f"{trouble}; replicas and traffic stay as they are, and it is tried again")
        elif self.trouble and not trouble:
            self._told("endpoint_back", f"{self.where.url} answers again")
        self.trouble = trouble


class _Stream:
    """A blocking stream, turned by a thread of its own. `next` gives None at its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, open_: Callable[[], Messages]) -> None:
        self._loop = loop
        self._open = open_
        self._messages: deque[Json] = deque(maxlen=WAITING)
        self._more = asyncio.Event()
        self._ended = False
        self._error: MobyError | None = None
        self._source: Messages | None = None
        self._closed = threading.Event()
        threading.Thread(target=self._turn, name="docker stream", daemon=True).start()

    async def next(self) -> Json | None:
        while not self._messages and not self._ended:
            self._more.clear()
            await self._more.wait()
        if self._messages:
            return self._messages.popleft()
        if self._error:
            raise self._error
        return None

    def close(self) -> None:
        """No more messages. The thread ends with the stream, at once where that can be cut."""
        self._closed.set()
        if self._source:
            self._source.cut()

    def _turn(self) -> None:
        error: MobyError | None = None
        try:
            self._source = self._open()
            self._read(self._source)
        except MobyError as failure:
            error = failure
        except Exception as failure:  # whatever docker-py, requests and urllib3 raise in the middle of a stream
            error = MobyError(f"a stream broke: {failure or type(failure).__name__}")
        self._call(self._end, error)

    def _read(self, source: Messages) -> None:
        """It may have been closed before there was something to cut."""
        try:
            messages = iter(source)
            while not self._closed.is_set() and (message := next(messages, None)) is not None:
                self._call(self._take, message)
        finally:
            source.close()

    def _call(self, what: Callable[..., None], argument: Any) -> None:
        with suppress(RuntimeError):  # the event loop was closed meanwhile: nobody waits any more
            self._loop.call_soon_threadsafe(what, argument)

    def _take(self, message: Json) -> None:
        self._messages.append(message)
        self._more.set()

    def _end(self, error: MobyError | None) -> None:
        self._ended, self._error = True, error
        self._more.set()
