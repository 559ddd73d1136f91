"""The way to one proxy's admin API over HTTP: its table, its readings as a stream, and what it is told. httpx is used here only.

Invariants: nothing is waited for without a deadline, no answer is read beyond MOST octets, no redirect is followed and no proxy of the
environment is used (the token is for this proxy alone).
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

import httpx

from balancer.limits import MESSAGE

CONNECT_S: Final = 2.0
ANSWER_S: Final = 5.0  # for a whole routing table on its way there
SILENCE_S: Final = 3.0  # a proxy says something four times a second
MOST: Final = MESSAGE
STREAM: Final = "text/event-stream"
DATA: Final = b"data: "
STRANGER: Final = "what answers there is no proxy of ecluse of this version"


class LinkError(Exception):
    """The proxy cannot be reached or understood, in words."""


class Superseded(LinkError):  # noqa: N818 - names what happened
    """It is told what to do by another autoscaler that began later."""


class Misfit(LinkError):  # noqa: N818 - names what happened
    """What changed since a table that it has not got is of no use to it: send everything."""


class Link:
    """To the proxy at "ADDRESS:PORT"."""

    def __init__(self, address: str, token: str) -> None:
        fields = {"authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        self._http = httpx.AsyncClient(
            base_url=f"http://{address}", headers=fields, timeout=timeout, trust_env=False, verify=False
        )

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def held(self) -> dict[str, Any]:
        """{"life", "epoch", "table"}: the table it has, in the form of `balancer.delta`, None if it has none. Raises LinkError."""
        return await self._asked("GET")

    async def give(self, epoch: int, table: Mapping[str, Any]) -> None:
        """Have it use a table, or what changed of it. Raises LinkError, Superseded, Misfit."""
        await self._asked("PUT", json={"epoch": epoch, "table": table})

    async def readings(self, epoch: int) -> AsyncGenerator[dict[str, Any], None]:
        """What it counts, again and again, until the stream ends. Raises LinkError, Superseded."""
        timeout = httpx.Timeout(CONNECT_S, read=SILENCE_S)
        try:
            async with self._http.stream("POST", "/api/proxy/readings", json={"epoch": epoch}, timeout=timeout) as answer:
                if answer.headers.get("content-type", "").partition(";")[0] != STREAM:
                    _check(answer, await _start(answer))
                    raise LinkError(STRANGER)
                async with aclosing(_lines(answer)) as lines:
                    async for line in lines:
                        if line.startswith(DATA):
                            yield _object(line.removeprefix(DATA))
        except httpx.HTTPError as error:
            raise LinkError(_words(error)) from error

    async def _asked(self, method: str, **how: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(ANSWER_S), self._http.stream(method, "/api/proxy/table", **how) as answer:
                body = await _start(answer)
        except (httpx.HTTPError, TimeoutError) as error:
            raise LinkError(_words(error)) from error
        _check(answer, body)
        return _object(body)


def _check(answer: httpx.Response, body: bytes) -> None:
    """Raises what an answer other than 200 means."""
    if answer.status_code == 200:
        return
    if answer.status_code == 401:
        raise LinkError("it wants another admin token: set the same admin.token for the proxies and their autoscaler")
    try:
        said = _object(body)
    except LinkError:
        said = {}
    kinds: dict[Any, type[LinkError]] = {"superseded": Superseded, "misfit": Misfit}
    raise kinds.get(said.get("error"), LinkError)(str(said.get("detail", f"it answered {answer.status_code}")))


async def _start(answer: httpx.Response) -> bytes:
    """The whole body, which is refused beyond MOST. Raises LinkError."""
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > MOST:
            raise LinkError(f"it answered with more than {MOST} octets")
    return bytes(body)


async def _lines(answer: httpx.Response) -> AsyncGenerator[bytes, None]:
    parts: list[bytes] = []
    size = 0
    async for part in answer.aiter_bytes():
        *ends, rest = part.split(b"\n")
        for end in ends:
            yield b"".join([*parts, end])
            parts, size = [], 0
        parts.append(rest)
        size += len(rest)
        if size > MOST:
            raise LinkError(f"it sent a line of more than {MOST} octets")


def _object(octets: bytes) -> dict[str, Any]:
    try:
        found = json.loads(octets)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise LinkError(STRANGER)
    return found


def _words(error: Exception) -> str:
    match error:
        case httpx.ConnectError():
            return "no connection: it does not run, or its admin API is elsewhere"
        case httpx.TimeoutException() | TimeoutError():
            return "it does not answer in time"
        case _:
            return str(error) or type(error).__name__
