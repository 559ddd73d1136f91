"""What can be wrong with the way to a proxy, and the words for it: a listener that answers what the test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sidecar.proxies import link as linking
from sidecar.proxies.link import Link, LinkError, Misfit, Superseded
from tests.support import free_port


@asynccontextmanager
async def answering(octets: bytes, stay: bool = False) -> AsyncIterator[Link]:
    """stay: the connection is left open."""
    ending = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(octets)
        if stay:
            await ending.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    made = Link(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", "secret")
    try:
        yield made
    finally:
        ending.set()
        await made.close()
        server.close()
        await server.wait_closed()


def http(body: bytes, status: str = "200 OK", media: str = "application/json") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    )


@pytest.mark.parametrize(
    ("octets", "kind", "words"),
    [
        pytest.param(http(b"<html>"), LinkError, "no proxy of ecluse", id="something else listens there"),
        pytest.param(http(b"[1]"), LinkError, "no proxy of ecluse", id="other JSON"),
        pytest.param(http(b"", "401 Unauthorized"), LinkError, "another admin token", id="the token is another one"),
        pytest.param(http(b"", "302 Found"), LinkError, "answered 302", id="a redirect is not followed"),
        pytest.param(http(b'{"error": "superseded", "detail": "stop one"}', "409 Conflict"), Superseded, "stop one", id="409"),
        pytest.param(http(b'{"error": "misfit", "detail": "all"}', "409 Conflict"), Misfit, "all", id="409 for changes"),
        pytest.param(http(b"{}")[:-1], LinkError, "peer closed", id="it breaks off"),
        pytest.param(b"", LinkError, "disconnected", id="it says nothing"),
    ],
)
async def test_an_answer_that_is_none(octets: bytes, kind: type[LinkError], words: str) -> None:
    async with answering(octets) as link:
        with pytest.raises(kind, match=words):
            await link.give(1, {})
        with pytest.raises(kind, match=words):
            await anext(link.readings(1))


async def test_nobody_there() -> None:
    link = Link(f"127.0.0.1:{free_port()}", "")
    with pytest.raises(LinkError, match="does not run"):
        await link.held()
    await link.close()


async def test_silence_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "ANSWER_S", 0.2)
    async with answering(b"", stay=True) as link:
        with pytest.raises(LinkError, match="does not answer in time"):
            await link.held()


async def test_answers_and_lines_without_end_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "MOST", 1000)
    endless = http(b"data: " + b"1" * 5000, media="text/event-stream")
    async with answering(endless, stay=True) as link:
        with pytest.raises(LinkError, match="more than 1000 octets"):
            await link.held()
    async with answering(endless, stay=True) as link:
        with pytest.raises(LinkError, match="a line of more than 1000 octets"):
            await anext(link.readings(1))


async def test_readings_come_as_they_are_sent_whatever_the_pieces() -> None:
    stream = b': open\n\ndata: {"a": 1}\n\n: still here\n\nid: 3\ndata: {"b"' + b": 2}\n\n"
    async with answering(http(stream, media="text/event-stream; charset=utf-8")) as link:
        assert [message async for message in link.readings(1)] == [{"a": 1}, {"b": 2}]
