"""A replica that does exactly what the test says, and remembers exactly what it got.

A *script* is a coroutine that is given each connection in turn and its number (0, 1, ...). A script that fails makes the test fail;
a connection that ends under it (the proxy closed it) does not.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.proxy.wire import Message, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Script = Callable[[Wire, int], Awaitable[None]]


class Witness:
    """Listens; `address` is what a routing table calls it. `requests`: whole requests seen by `answering` scripts."""

    def __init__(self, listener: socket.socket, script: Script) -> None:
        self.connections: list[Wire] = []
        self.ended: list[int] = []
        self.failures: list[Exception] = []
        self.listener = listener
        self._script = script
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(listener, self.accept)

    @property
    def address(self) -> str:
        name = self.listener.getsockname()
        if isinstance(name, str):
            return f"unix:{name}"
        return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"

    @property
    def got(self) -> bytes:
        """Every octet of every connection, in order of connections."""
        return b"".join(bytes(wire.got) for wire in self.connections)

    def accept(self) -> None:
        """Take one connection that waits (the event loop calls this) and run the script on it."""
        sock, _ = self.listener.accept()
        wire = Wire(sock)
        self.connections.append(wire)
        self._tasks.add(asyncio.create_task(self._carry(wire, len(self.connections) - 1)))

    async def _carry(self, wire: Wire, number: int) -> None:
        try:
            with suppress(EOFError, ConnectionError):
                await self._script(wire, number)
        except Exception as failure:
            self.failures.append(failure)  # raised in the test by `close`
        finally:
            self.ended.append(number)
            wire.close()

    async def close(self) -> None:
        self._loop.remove_reader(self.listener)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for wire in self.connections:
            wire.close()
        self.listener.close()
        if self.failures:
            raise self.failures[0]


@asynccontextmanager
async def witness(script: Script, address: str = "127.0.0.1", port: int = 0, path: Path | None = None) -> AsyncIterator[Witness]:
    """A witness on this port (0: one of its own), or on a Unix socket at this path."""
    made = Witness(_listen(address, port, path), script)
    try:
        yield made
    finally:
        await made.close()


def _listen(address: str, port: int, path: Path | None) -> socket.socket:
    family = socket.AF_UNIX if path else socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.setblocking(False)
    listener.bind(str(path) if path else (address, port))
    listener.listen(1024)
    return listener


def answering(*answers: bytes, seen: list[Message] | None = None, drip: bool = False) -> Script:
    """Answer request after request: each with the next of the answers, the last one over and over."""
    left = list(answers or (OK,))

    async def script(wire: Wire, _number: int) -> None:
        while True:
            request = await wire.request()
            if seen is not None:
                seen.append(request)
            octets = left.pop(0) if len(left) > 1 else left[0]
            await (wire.drip(octets) if drip else wire.send(octets))

    return script


def silent(until: asyncio.Event | None = None, seen: list[Message] | None = None) -> Script:
    """Read requests and say nothing: until the event is set, then `OK` to each; without one, until the proxy gives up."""

    async def script(wire: Wire, _number: int) -> None:
        while until is not None:
            request = await wire.request()
            if seen is not None:
                seen.append(request)
            await until.wait()
            await wire.send(OK)
        await wire.rest()

    return script


def starting(octets: bytes) -> Script:
    """Send this to the first request and nothing more, until the proxy gives up."""

    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(octets)
        await wire.rest()

    return script
