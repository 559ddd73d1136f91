"""The way to the cluster's endpoint from the event loop: calls in threads, deadlines, retries, and the next manager when one is away.

Invariants: nothing here blocks the event loop; every call ends within its deadline, whatever the engine does; what is asked again is
safe to be asked twice (a name or a version makes a repeated start or update harmless); at most THREADS calls are under way.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from autoscaler.cluster.moby.api import TIMEOUT_S, Api, Json, MobyError
from autoscaler.cluster.moby.threads import Threads
from autoscaler.cluster.moby.where import Where

T = TypeVar("T")
Connect = Callable[[Where], Api]
Told = Callable[[str, str], None]

THREADS = 16
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
        self._streams = 0

    @property
    def where(self) -> Where:
        """The manager that is asked now."""
        return self._managers[self._turn % len(self._managers)]

    async def ask(self, use: Callable[[Api], T], patience_s: float = PATIENCE_S, answer_s: float = TIMEOUT_S) -> T:
        """What the engine answers. Asked again, and of the next manager, while it is away. Raises MobyError within patience_s, or
        answer_s and SLACK_S after it for an engine that hangs.

        answer_s: how long one answer may take.
        """
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

    async def stream(self, open_: Callable[[Api], Iterator[Json]]) -> AsyncGenerator[Json, None]:
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
        self._pool.shutdown()
        for api in self._apis.values():
            api.close()

    async def _once(self, use: Callable[[Api], T], answer_s: float) -> T:
        turn = self._turn
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(answer_s + SLACK_S):  # wait_for of Python 3.11 can lose a cancellation
                return await loop.run_in_executor(self._pool, lambda: use(self._api(turn)))
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
        return api

    def _note(self, trouble: str) -> None:
        if trouble and not self.trouble:
            self._told("endpoint_away", f"{trouble}; replicas and traffic stay as they are, and it is tried again")
        elif self.trouble and not trouble:
            self._told("endpoint_back", f"{self.where.url} answers again")
        self.trouble = trouble


class _Stream:
    """A blocking iterator, turned by a thread of its own. `next` gives None at its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, open_: Callable[[], Iterator[Json]]) -> None:
        self._loop = loop
        self._open = open_
        self._messages: deque[Json] = deque(maxlen=WAITING)
        self._more = asyncio.Event()
        self._ended = False
        self._error: MobyError | None = None
        self._iterator: Any = None
        self._closed = False
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
        self._closed = True
        if hasattr(self._iterator, "close") and not hasattr(self._iterator, "gi_frame"):  # a generator that runs cannot be closed
            with suppress(Exception):  # docker-py raises what its sockets do, and for ssh that it cannot
                self._iterator.close()

    def _turn(self) -> None:
        error: MobyError | None = None
        try:
            self._iterator = self._open()
            for message in self._iterator:
                if self._closed:
                    return
                self._call(self._take, message)
        except MobyError as failure:
            error = failure
        except Exception as failure:  # whatever docker-py, requests and urllib3 raise in the middle of a stream
            error = MobyError(f"a stream broke: {failure or type(failure).__name__}")
        self._call(self._end, error)

    def _call(self, what: Callable[..., None], argument: Any) -> None:
        with suppress(RuntimeError):  # the event loop was closed meanwhile: nobody waits any more
            self._loop.call_soon_threadsafe(what, argument)

    def _take(self, message: Json) -> None:
        self._messages.append(message)
        self._more.set()

    def _end(self, error: MobyError | None) -> None:
        self._ended, self._error = True, error
        self._more.set()
