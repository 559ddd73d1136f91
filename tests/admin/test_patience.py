"""Clients of the admin API that are slow, silent or many: they hold little of it, not for long, and the others are answered."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator

import pytest

from sidecar.admin import patience, serve
from tests.admin.control import FakeControl, replica, service
from tests.support import wait_until

HEAD = b"GET /api/overview HTTP/1.1\r\nHost: localhost\r\n"
SCALE = (
    b"POST /api/services/shop/scale HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
)
SOON_S = 0.3


@pytest.fixture
async def port(control: FakeControl) -> AsyncIterator[int]:
    """Where the admin API listens on loopback."""
    admin = await serve(control, "127.0.0.1:0", "")
    yield int(admin.address.rpartition(":")[2])
    await admin.close()


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def of(cls, port: int) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def status(self, request: bytes) -> int:
        """The status of the answer to a request that closes the connection."""
        self.writer.write(request)
        answer = await self.rest()
        return int(answer.split(b" ", 2)[1])

    async def rest(self) -> bytes:
        """What comes until the connection ends, however that happens."""
        got = bytearray()
        async with asyncio.timeout(10.0):
            try:
                while octets := await self.reader.read(65536):
                    got += octets
            except ConnectionResetError:
                pass
        self.writer.close()
        return bytes(got)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="who says nothing"),
        pytest.param(HEAD, id="who does not end the head"),
        pytest.param(SCALE + b'{"repl', id="who does not end the body"),
        pytest.param(
            b"GET /api/overview HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9\r\n\r\n", id="who was refused already"
        ),
    ],
)
async def test_the_connection_is_cut_of(
    port: int, control: FakeControl, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, octets: bytes
) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", SOON_S)
    client = await Client.of(port)
    client.writer.write(octets)
    await client.rest()
    assert control.asked == []
    assert caplog.records == []


async def test_octets_that_come_one_by_one_gain_no_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", SOON_S)
    client = await Client.of(port)
    ended = asyncio.ensure_future(client.rest())
    async with asyncio.timeout(10.0):
        while not ended.done():
            client.writer.write(b"X")
            await asyncio.wait({ended}, timeout=0.02)


async def test_a_second_request_has_its_own_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await Client.of(port)
    client.writer.write(HEAD + b"\r\n")
    await client.reader.readuntil(b"}")
    monkeypatch.setattr(patience, "REQUEST_S", SOON_S)
    client.writer.write(HEAD)
    assert b"HTTP/1.1" not in await client.rest()


async def test_a_stream_has_all_the_time_it_wants(port: int, control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REQUEST_S", SOON_S)
    stream = await Client.of(port)
    stream.writer.write(b"GET /api/services/shop/logs?follow=1&lines=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await stream.reader.readuntil(b": open")
    silent = await Client.of(port)
    await silent.rest()  # its time is over, and so would be the stream's
    control.new_lines.put("still here")
    async with asyncio.timeout(10.0):
        await stream.reader.readuntil(b"still here")
    stream.writer.close()


async def test_who_does_not_read_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WRITE_S", SOON_S)
    many = FakeControl(service("shop", *(replica(f"shop-{number}") for number in range(20_000))))
    admin = await serve(many, "127.0.0.1:0", "")
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", int(admin.address.rpartition(":")[2])))
        slow.sendall(HEAD.replace(b"overview", b"services") + b"\r\n")
        await wait_until(lambda: slow.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET)
    await admin.close()


async def test_a_flood_of_silent_connections_locks_nobody_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "CONNECTIONS", 8)
    silent = [await Client.of(port) for _ in range(50)]
    for _ in range(20):
        assert await (await Client.of(port)).status(HEAD + b"Connection: close\r\n\r\n") == 200
    monkeypatch.setattr(patience, "CONNECTIONS", 0)
    for client in silent[:42]:
        assert await client.rest() == b""
    for client in silent[42:]:
        client.writer.close()


async def test_what_is_being_answered_is_not_cut_for_newcomers(
    port: int, control: FakeControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "CONNECTIONS", 2)
    streams = [await Client.of(port) for _ in range(2)]
    for stream in streams:
        stream.writer.write(b"GET /api/services/shop/logs?follow=1&lines=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await stream.reader.readuntil(b": open")
    assert await (await Client.of(port)).rest() == b""
    control.new_lines.put("still here")
    for stream in streams:
        async with asyncio.timeout(10.0):
            await stream.reader.readuntil(b"still here")
        stream.writer.close()
