"""One TCP or Unix connection, octet for octet: what is sent is what the test wrote, and nothing is read before the test asks.

It is the raw client before the proxy and the raw replica behind it alike. Invariants: nothing waits without a deadline; what was
read is kept whole in `got`; there is no buffer beside the kernel's, so a test that does not read holds the other side up.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

DEADLINE_S = 10.0
_READ = 256 * 1024
_NO_LINGER = b"\x01\0\0\0\0\0\0\0"
_BODILESS = (101, 204, 304)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response. `raw` is what came, `body` its content without framing, `trailers` what stood behind it."""

    first: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes
    trailers: str = ""

    @property
    def status(self) -> int:
        return int(self.first.split(" ", 2)[1])

    @property
    def target(self) -> str:
        return self.first.split(" ")[1]

    def field(self, name: str) -> str | None:
        """The values of the fields of this name, joined by ", "; None if there is none."""
        values = [value for key, value in self.fields if key == name.lower()]
        return ", ".join(values) if values else None


class Wire:
    """One end of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.got = bytearray()
        self.held = b""  # read, but not asked for yet
        self._loop = asyncio.get_running_loop()

    async def more(self, deadline_s: float = DEADLINE_S) -> bytes:
        """Whatever comes next; b"" at the end of the stream."""
        async with asyncio.timeout(deadline_s):
            data = await self._loop.sock_recv(self.sock, _READ)
        self.got += data
        self.held += data
        return data

    async def until(self, mark: bytes) -> bytes:
        """Everything up to and with the mark. Raises EOFError if the stream ends first."""
        while mark not in self.held:
            if not await self.more():
                raise EOFError(f"the connection ended after {self.held!r}, before {mark!r}")
        before, _, self.held = self.held.partition(mark)
        return before + mark

    async def exactly(self, size: int) -> bytes:
        """So many octets. Raises EOFError if the stream ends first."""
        while len(self.held) < size:
            if not await self.more():
                raise EOFError(f"the connection ended {size - len(self.held)} octets early, after {self.held[-80:]!r}")
        taken, self.held = self.held[:size], self.held[size:]
        return taken

    async def rest(self) -> bytes:
        """Everything up to the end of the stream."""
        while await self.more():
            pass
        taken, self.held = self.held, b""
        return taken

    async def ends(self) -> bool:
        """Whether the other side says nothing more and closes or resets the connection."""
        try:
            return self.held == b"" and await self.more() == b""
        except ConnectionResetError:
            return True

    async def head(self) -> Message:
        """A message's head alone."""
        raw = await self.until(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        pairs = [line.split(":", 1) for line in lines]
        return Message(first, tuple((name.lower(), value.strip(" \t")) for name, value in pairs), b"", raw)

    async def request(self) -> Message:
        """A whole request."""
        return await self.body(await self.head())

    async def body(self, head: Message) -> Message:
        """The rest of a request whose head has come."""
        return await self._with_body(head, "" if head.field("content-length") is None else "length")

    async def answer(self, method: str = "GET") -> Message:
        """A whole final response; interim ones before it are passed over, except 101."""
        while (head := await self.head()).status < 200 and head.status != 101:
            pass
        if method == "HEAD" or head.status in _BODILESS:
            return head
        return await self._with_body(head, "end" if head.field("content-length") is None else "length")

    async def _with_body(self, head: Message, otherwise: str) -> Message:
        if head.field("transfer-encoding") == "chunked":
            return await self._chunked(head)
        if otherwise == "length":
            body = await self.exactly(int(head.field("content-length") or 0))
        else:
            body = await self.rest() if otherwise == "end" else b""
        return Message(head.first, head.fields, body, head.raw + body)

    async def _chunked(self, head: Message) -> Message:
        body, raw = b"", head.raw
        while True:
            line = await self.until(b"\r\n")
            raw += line
            size = int(line.partition(b";")[0], 16)
            if not size:
                break
            data = await self.exactly(size + 2)
            raw, body = raw + data, body + data[:-2]
        trailers = b""
        while (line := await self.until(b"\r\n")) != b"\r\n":
            trailers += line
        return Message(head.first, head.fields, body, raw + trailers + b"\r\n", trailers.decode("latin-1"))

    async def send(self, octets: bytes, deadline_s: float = DEADLINE_S) -> None:
        """Send all of it."""
        async with asyncio.timeout(deadline_s):
            await self._loop.sock_sendall(self.sock, octets)

    async def drip(self, octets: bytes, pause_s: float = 0) -> None:
        """Send it octet by octet, each in a segment of its own, with a pause after each."""
        for octet in octets:
            await self.send(bytes([octet]))
            await asyncio.sleep(pause_s)

    def send_what_fits(self, octets: bytes) -> int:
        """Send without waiting; how much the kernel took."""
        try:
            return self.sock.send(octets)
        except BlockingIOError:
            return 0

    def finish(self) -> None:
        """Say that nothing more will be sent."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close both directions."""
        if self.sock.fileno() >= 0:
            self._loop.remove_reader(self.sock)  # of who still reads: another connection may have this descriptor at once
        self.sock.close()

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.close()


@asynccontextmanager
async def dial(port: int, address: str = "127.0.0.1", receive_buffer: int = 0) -> AsyncIterator[Wire]:
    """A client's connection, closed at the end. receive_buffer: the kernel's, in octets; 0 leaves it alone."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    try:
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
        yield Wire(sock)
    finally:
        sock.close()


async def ask(port: int, octets: bytes = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", method: str = "GET") -> Message:
    """The answer to one request on a connection of its own."""
    async with dial(port) as client:
        await client.send(octets)
        return await client.answer(method)


async def steady(value: Callable[[], T], for_s: float = 0.3, deadline_s: float = DEADLINE_S) -> T:
    """The value, once it has not changed for so long: how a test sees that something has come to a halt."""
    loop = asyncio.get_running_loop()
    since_s, last = loop.time(), value()
    async with asyncio.timeout(deadline_s):
        while loop.time() - since_s < for_s:
            await asyncio.sleep(0.01)
            if (now := value()) != last:
                since_s, last = loop.time(), now
    return last
