"""What tests of every part share: waiting with a deadline, free ports, the tiny application, a raw HTTP client.

Invariant: nothing here waits without a deadline, and whatever is started here is ended here.
"""

import asyncio
import inspect
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, overload

TINY = Path(__file__).parent / "apps" / "tiny.py"
TINY_COMMAND = (sys.executable, str(TINY), "{port}")
_PAUSE_S = 0.01

T = TypeVar("T")


@overload
async def wait_until(condition: Callable[[], Coroutine[Any, Any, T]], deadline_s: float = 10.0) -> T: ...


@overload
async def wait_until(condition: Callable[[], T], deadline_s: float = 10.0) -> T: ...


async def wait_until(condition: Callable[[], Any], deadline_s: float = 10.0) -> Any:
    """The condition's first true value. The condition may be a coroutine function; its source is shown if it stays false."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        result = await value if isinstance(value, Awaitable) else value
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"still not so after {deadline_s} s: {_source(condition)} gives {result!r}")
        await asyncio.sleep(_PAUSE_S)


def wait_until_blocking(condition: Callable[[], T], deadline_s: float = 10.0) -> T:
    """`wait_until` for tests without an event loop."""
    end = time.monotonic() + deadline_s
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"still not so after {deadline_s} s: {_source(condition)} gives {result!r}")
        time.sleep(_PAUSE_S)
    return result


class _VirtualSelector(selectors.SelectSelector):
    """Where a real selector would sleep, this one moves the clock."""

    now_s = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is None:
            raise AssertionError("everything waits and nothing is due: this would wait for ever")
        self.now_s += 0 if events or timeout is None else max(timeout, 0)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when all wait: an hour takes milliseconds, to the same end every time."""

    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s


def in_virtual_time(story: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run a story in virtual time. For what uses no sockets, processes or threads."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story())


def _source(condition: Callable[[], object]) -> str:
    try:
        return inspect.getsource(condition).strip()
    except (OSError, TypeError):
        return repr(condition)


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nothing listened on a moment ago."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


@contextmanager
def tiny_app(port: int | None = None) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The tiny application in its own process, listening: its port and its process. Killed at the end if still there."""
    chosen = port or free_port()
    with subprocess.Popen([sys.executable, str(TINY), str(chosen)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == f"listening on {chosen}\n"
            yield chosen, process
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. Field names are in lower case; of a repeated field the values are joined by ", "."""

    status: int
    fields: Mapping[str, str]
    body: bytes


class Client:
    """One connection, octet for octet: what is sent is what the test wrote."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def request(
        self, method: str = "GET", target: str = "/", fields: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One exchange; Host and (with a body) Content-Length are added unless given."""
        given = {name.lower(): value for name, value in (fields or {}).items()}
        sent = {"host": "test", **({"content-length": str(len(body))} if body else {}), **given}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        await self.send(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        return await self.answer(method)

    async def answer(self, method: str = "GET", deadline_s: float = 20.0) -> Answer:
        """The next final response. Raises asyncio.IncompleteReadError if the connection ends first."""
        async with asyncio.timeout(deadline_s):
            while True:
                head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
                status = int(head[0].split(" ", 2)[1])
                fields = _fields(head[1:])
                if status == 101 or status >= 200:
                    return Answer(status, fields, await self._body(method, status, fields))

    async def _body(self, method: str, status: int, fields: Mapping[str, str]) -> bytes:
        if method == "HEAD" or status in {101, 204, 304}:
            return b""
        if "chunked" in fields.get("transfer-encoding", ""):
            return await self._chunks()
        if "content-length" in fields:
            return await self.reader.readexactly(int(fields["content-length"]))
        return await self.reader.read()

    async def _chunks(self) -> bytes:
        body = b""
        while size := int((await self.reader.readline()).split(b";")[0], 16):
            body += await self.reader.readexactly(size)
            await self.reader.readline()
        while (await self.reader.readline()).strip():
            pass
        return body

    async def at_end(self, deadline_s: float = 10.0) -> bool:
        """Whether the other side closes the connection without sending anything more."""
        async with asyncio.timeout(deadline_s):
            return await self.reader.read(1) == b""


def _fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        name, value = line.split(":", 1)
        key = name.strip().lower()
        fields[key] = f"{fields[key]}, {value.strip()}" if key in fields else value.strip()
    return fields


@asynccontextmanager
async def connect(port: int, address: str = "127.0.0.1") -> AsyncIterator[Client]:
    """A client on a fresh connection, closed at the end."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):  # the test may have made the other side reset it
            await writer.wait_closed()


async def get(
    port: int, target: str = "/", fields: Mapping[str, str] | None = None, body: bytes = b"", address: str = "127.0.0.1"
) -> Answer:
    """One GET (POST if there is a body) on a connection of its own."""
    async with connect(port, address) as client:
        return await client.request("POST" if body else "GET", target, {"connection": "close", **(fields or {})}, body)
