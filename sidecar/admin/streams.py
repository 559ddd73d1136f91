"""Server-sent events: endless answers that end when the reader leaves or the program does.

Invariants: at most LIMIT at once, besides reserved ones, of which whoever gives their messages allows but one; a comment goes out
every HEARTBEAT_S, so that a reader that vanished is noticed and a proxy between does not think the connection idle; whatever is
followed is closed with the stream.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from sidecar.admin.problem import Problem

LIMIT = 64
HEARTBEAT_S = 10.0
MEDIA_TYPE = "text/event-stream"

T = TypeVar("T")


def message(data: str, kind: str = "", number: object = None) -> str:
    """One event in the form of the HTML standard, section 9.2.6 (interpreting an event stream)."""
    lines = [f"id: {number}"] if number is not None else []
    lines += [f"event: {kind}"] if kind else []
    return "\n".join([*lines, *(f"data: {line}" for line in data.split("\n"))]) + "\n\n"


def event_message(event: Mapping[str, Any]) -> str:
    """An event of the controller."""
    return message(json.dumps(event), str(event.get("kind", "")), event.get("id"))


class _Stream(StreamingResponse):
    """Closes its source even when the reader left between two messages."""

    def __init__(self, source: AsyncGenerator[str, None]) -> None:
        super().__init__(source, media_type=MEDIA_TYPE, headers={"x-accel-buffering": "no"})
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._source):
            await super().__call__(scope, receive, send)


class Streams:
    """All open streams. Made and used on one event loop."""

    def __init__(self, limit: int = LIMIT, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.open = 0
        self._limit = limit
        self._heartbeat_s = heartbeat_s
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End them all."""
        self._closing.set()

    def response(self, messages: AsyncIterator[str], reserved: bool = False) -> StreamingResponse:
        """The messages as an answer. Raises Problem 503 if too many streams are open. reserved: there is always room for it."""
        if self.open >= self._limit and not reserved:
            raise Problem(503, "too_many_streams", f"{self.open} streams are open, which is the limit; close one or poll instead")
        return _Stream(self._beating(messages))

    async def _beating(self, messages: AsyncIterator[str]) -> AsyncGenerator[str, None]:
        self.open += 1
        closing = asyncio.ensure_future(self._closing.wait())
        coming = asyncio.ensure_future(_next(messages))
        try:
            yield ": open\n\n"
            while not closing.done():
                done, _ = await asyncio.wait({coming, closing}, timeout=self._heartbeat_s, return_when=asyncio.FIRST_COMPLETED)
                if coming in done:
                    if (arrived := coming.result()) is None:
                        return
                    coming = asyncio.ensure_future(_next(messages))
                    yield arrived
                elif not done:
                    yield ": still here\n\n"
        finally:
            self.open -= 1
            closing.cancel()
            coming.cancel()
            await asyncio.gather(closing, coming, return_exceptions=True)
            await close(messages)


async def _next(items: AsyncIterator[T]) -> T | None:
    return await anext(items, None)


async def joined(past: Callable[[], Iterable[T]], following: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """What there was, then what comes. Following begins first, so that nothing falls between; some of it may come twice."""
    coming = asyncio.ensure_future(_next(following))
    try:
        await asyncio.sleep(0)  # an asynchronous generator begins when it is first asked, and that is the task's first step
        for item in past():
            yield item
        while (came := await coming) is not None:
            coming = asyncio.ensure_future(_next(following))
            yield came
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await close(following)


async def close(iterator: AsyncIterator[Any]) -> None:
    """Close an asynchronous generator now instead of when it is collected; other iterators have nothing to close."""
    if isinstance(iterator, AsyncGenerator):
        await iterator.aclose()
