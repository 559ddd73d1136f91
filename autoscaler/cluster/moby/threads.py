"""Threads for calls that block, and that may never come back: the program can end without them.

Python waits at its end for every thread of a ThreadPoolExecutor. A call to an engine that hangs would hold up the end of the program
for as long as its deadline, although nobody wants its answer any more.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Work = tuple[Future[Any], Callable[[], Any]]


class Threads(Executor):
    """At most so many, each started when it is needed first."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As of any executor. From one thread only."""
        future: Future[T] = Future()
        self._queue.put((future, lambda: fn(*args, **kwargs)))
        if not self._idle.acquire(blocking=False) and self._started < self._most:
            self._started += 1
            threading.Thread(target=self._work, name=f"{self._name} {self._started}", daemon=True).start()
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = True) -> None:
        """No further work; each thread ends with what it is doing. Nobody waits for them."""
        while not self._queue.empty():
            if work := self._queue.get():
                work[0].cancel()
        for _ in range(self._started):
            self._queue.put(None)

    def _work(self) -> None:
        while work := self._queue.get():
            _do(*work)
            self._idle.release()


def _do(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:
        future.set_exception(error)
