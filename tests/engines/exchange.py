"""One request on its way through a man in the middle, with a connection to the client and one to the engine.

A connection carries one request only: both sides are told so, and need no understanding of bodies, streams and their ends.
"""

import asyncio
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

_CHUNK = 64 * 1024
_VERSION = re.compile(r"^/v\d+\.\d+(?=/)")
_CONNECTION = re.compile(rb"\r\nconnection:[^\r]*", re.IGNORECASE)


class Request(NamedTuple):
    """method; path without the API's version: "/containers/json"; query: what follows the question mark."""

    method: str
    path: str
    query: str


class Exchange:
    """head: the request's, as the engine gets it; its body is still to be read from the client."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, engine: Path) -> None:
        method, target, _ = head.decode("latin-1").split(" ", 2)
        url = urlsplit(target)
        self.request = Request(method, _VERSION.sub("", url.path), url.query)
        upgrades = b"\r\nupgrade:" in head.lower()
        self._head = head if upgrades else _CONNECTION.sub(b"", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        self._reader = reader
        self._writer = writer
        self._engine = engine
        self._upstream: asyncio.StreamWriter | None = None

    @classmethod
    async def read(cls, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, engine: Path) -> Self:
        """The next request of a client. Raises EOFError, or OSError."""
        return cls(await reader.readuntil(b"\r\n\r\n"), reader, writer, engine)

    async def say(self, status: int, message: str) -> None:
        """Answer as the engine words its errors."""
        body = json.dumps({"message": message}).encode()
        fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
        self._writer.write(f"HTTP/1.1 {status} Fault\r\n{fields}\r\n\r\n".encode() + body)
        await self._writer.drain()

    async def pass_on(self, answered: bool = True) -> None:
        """Let the engine answer; with answered=False the client does not get to see it."""
        reader, self._upstream = await asyncio.open_unix_connection(str(self._engine))
        self._upstream.write(self._head)
        sending = asyncio.create_task(self._send(self._upstream))
        try:
            await _pump(reader, self._writer if answered else None)
        finally:
            sending.cancel()
            self._upstream.close()

    async def _send(self, upstream: asyncio.StreamWriter) -> None:
        await _pump(self._reader, upstream)
        upstream.close()  # the client left, which ends its streams

    @property
    def passing(self) -> bool:
        """Whether the engine has it."""
        return self._upstream is not None

    def cut(self) -> None:
        """End it in the middle, on both sides."""
        for writer in (self._writer, self._upstream):
            if writer:
                writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None) -> None:
    with suppress(OSError):
        while octets := await reader.read(_CHUNK):
            if writer:
                writer.write(octets)
                await writer.drain()
