"""HTTP and TCP probes against real sockets, each with one way to be well or ill."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from probes.http import BODY, HttpProbe
from probes.spec import ProbeSpec
from probes.tcp import probe_tcp
from probes.verdict import Outcome
from probes.words import reason_of
from tests.support import free_port

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, path: Path | None = None) -> AsyncIterator[str]:
    """An endpoint where each connection is given to `serve`, then closed."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    if path:
        listener = await asyncio.start_unix_server(once, path)
        address = f"unix:{path}"
    else:
        listener = await asyncio.start_server(once, "127.0.0.1", 0)
        address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield address
    finally:
        listener.close()


def answering(octets: bytes, heads: list[bytes] | None = None) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if heads is not None:
            heads.append(head)
        writer.write(octets)
        await writer.drain()

    return serve


async def ask(address: str, spec: ProbeSpec) -> Outcome:
    probe = HttpProbe()
    try:
        return await probe.ask(address, spec)
    finally:
        await probe.close()


@pytest.mark.parametrize(
    ("status", "expect", "passes"),
    [
        pytest.param("200 OK", (), True, id="200 passes"),
        pytest.param("204 No Content", (), True, id="204 passes"),
        pytest.param("302 Found\r\nLocation: http://127.0.0.1:1/", (), True, id="a redirect passes and is not followed"),
        pytest.param("404 Not Found", (), False, id="404 fails"),
        pytest.param("503 Service Unavailable", (), False, id="503 fails"),
        pytest.param("404 Not Found", (404,), True, id="an expected 404 passes"),
        pytest.param("200 OK", (204,), False, id="200 fails where 204 is expected"),
    ],
)
async def test_the_status_decides(status: str, expect: tuple[int, ...], passes: bool) -> None:
    async with listening(answering(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())) as address:
        outcome = await ask(address, ProbeSpec(path="/healthz", expect=expect))
    assert outcome.passed is passes
    assert f"answered {status[:3]}" in outcome.reason


async def test_the_request_names_the_probe_and_the_configured_host() -> None:
    heads: list[bytes] = []
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", heads)) as address:
        await ask(address, ProbeSpec(path="/healthz?deep=1", host="shop.example.com"))
    lines = heads[0].lower().split(b"\r\n")
    assert lines[0] == b"get /healthz?deep=1 http/1.1"
    assert b"host: shop.example.com" in lines
    assert b"user-agent: ecluse-probe" in lines


async def test_proxy_settings_of_the_environment_are_not_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "http_proxy", "http://127.0.0.1:1")
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as address:
        assert (await ask(address, ProbeSpec(path="/"))).passed


async def test_a_unix_socket_is_probed_over_http_and_tcp(tmp_path: Path) -> None:
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), tmp_path / "app.sock") as address:
        assert (await ask(address, ProbeSpec(path="/"))).passed
        assert (await probe_tcp(address, 1.0)).passed


async def test_a_refused_connection_is_said_in_words() -> None:
    address = f"127.0.0.1:{free_port()}"
    assert await ask(address, ProbeSpec(path="/")) == Outcome(False, f"nothing listens on {address}")
    assert await probe_tcp(address, 1.0) == Outcome(False, f"nothing listens on {address}")


async def test_a_missing_unix_socket_is_said_in_words(tmp_path: Path) -> None:
    outcome = await probe_tcp(f"unix:{tmp_path}/none.sock", 1.0)
    assert outcome == Outcome(False, f"there is no socket {tmp_path}/none.sock")


@asynccontextmanager
async def full(path: Path) -> AsyncIterator[socket.socket]:
    """A socket whose queue of new connections is full, as that of a replica that is busy. With an `accept` there is room."""
    with socket.socket(socket.AF_UNIX) as listener, ExitStack() as held:
        listener.bind(str(path))
        listener.listen(0)
        code = 0
        while code != errno.EAGAIN:
            client = held.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            code = client.connect_ex(str(path))
        yield listener


BUSY = Outcome(False, "is busy: its queue of new connections is full")


@pytest.mark.parametrize("spec", [ProbeSpec(timeout_s=0.1), ProbeSpec(path="/", timeout_s=0.1)], ids=["tcp", "http"])
async def test_a_unix_socket_whose_queue_stays_full_is_called_busy(tmp_path: Path, spec: ProbeSpec) -> None:
    async with full(tmp_path / "app.sock"):
        address = f"unix:{tmp_path}/app.sock"
        assert await (ask(address, spec) if spec.path else probe_tcp(address, spec.timeout_s)) == BUSY


async def test_a_unix_socket_whose_queue_was_full_for_a_moment_passes(tmp_path: Path) -> None:
    async with full(tmp_path / "app.sock") as listener:
        probing = asyncio.create_task(probe_tcp(f"unix:{tmp_path}/app.sock", 10.0))
        await asyncio.sleep(0)  # one turn of the loop: the first try
        assert not probing.done()
        listener.accept()[0].close()
        assert (await probing).passed


@pytest.mark.parametrize(
    ("code", "mode", "words"),
    [
        pytest.param(errno.ECONNREFUSED, 0o600, "nothing listens on unix:PATH", id="nobody behind it"),
        pytest.param(
            errno.EACCES,
            0o600,
            "ecluse, which runs as user UID, may not write to PATH, which belongs to user UID with mode srw-------",
            id="a mode that keeps us out",
        ),
        pytest.param(errno.EPROTOTYPE, 0o600, "PATH is not a stream socket", id="a socket of datagrams"),
    ],
)
def test_what_is_wrong_with_a_unix_socket_is_said_in_words(tmp_path: Path, code: int, mode: int, words: str) -> None:
    """The errors are made here: to root, who may run this, no mode is closed."""
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(mode)
        said = reason_of(OSError(code, os.strerror(code)), f"unix:{path}")
    assert said == words.replace("PATH", str(path)).replace("UID", str(os.geteuid()))


def test_a_folder_that_keeps_us_out_is_said_in_words(tmp_path: Path) -> None:
    said = reason_of(PermissionError(errno.EACCES, "Permission denied"), f"unix:{tmp_path}/locked/app.sock")
    assert said.endswith(f"may not look into the folder of {tmp_path}/locked/app.sock")


async def test_a_file_in_place_of_a_socket_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "app.sock").touch()
    assert await probe_tcp(f"unix:{tmp_path}/app.sock", 1.0) == Outcome(False, f"{tmp_path}/app.sock is not a stream socket")


async def test_silence_ends_at_the_deadline() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as address:
        assert await ask(address, ProbeSpec(path="/", timeout_s=0.05)) == Outcome(False, "no answer within 0.05 s")


async def test_a_body_that_trickles_counts_against_the_same_deadline() -> None:
    async def trickling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        await reader.read()

    async with listening(trickling) as address:
        assert not (await ask(address, ProbeSpec(path="/", timeout_s=0.1))).passed


async def test_an_endless_body_is_not_read_beyond_its_bound() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 4096)
            sent += 4096
            await writer.drain()

    async with listening(endless) as address:
        assert (await ask(address, ProbeSpec(path="/"))).passed
    assert sent < BODY + 16 * 1024 * 1024  # what the kernel's socket buffers take besides


async def test_an_answer_that_is_not_http_fails() -> None:
    async with listening(answering(b"SSH-2.0-OpenSSH\r\n\r\n")) as address:
        assert not (await ask(address, ProbeSpec(path="/"))).passed


async def test_an_accepted_connection_passes_over_tcp() -> None:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(hold) as address:
        assert await probe_tcp(address, 1.0) == Outcome(True, "accepts connections")
