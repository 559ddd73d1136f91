"""Real clients: what each sees of a real application through the proxy is what it sees directly. Every test is run both ways."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import h11
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.proxy.wire import dial
from tests.proxy.workers import Workers, service_of
from tests.support import free_port, wait_until_blocking

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def app_port() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.proxy.app:app", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        try:
            wait_until_blocking(lambda: _answers(port), 20)
            yield port
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/echo", trust_env=False).status_code == 200
    except httpx.ConnectError:
        return False


@pytest.fixture(params=["direct", "proxied"])
def port(request: pytest.FixtureRequest, app_port: int) -> int:
    if request.param == "direct":
        return app_port
    proxy: Workers = request.getfixturevalue("proxy")
    proxy.serve(service_of(f"127.0.0.1:{app_port}"))
    return proxy.port


def tool(name: str) -> str:
    """A program, or a skip that says what is missing; where CI is set it must be there."""
    found = shutil.which(name)
    if found is None:
        assert not os.environ.get("CI"), f"{name} is not installed"
        pytest.skip(f"{name} is not installed")
    return found


# httpx


@pytest.fixture
async def web(port: int) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10.0) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
async def test_httpx_uses_any_method(web: httpx.AsyncClient, method: str) -> None:
    answer = await web.request(method, "/echo", content=b"hello")
    assert (answer.status_code, answer.content, answer.headers["x-method"]) == (200, b"hello", method)


async def test_httpx_streams_an_upload_in_chunks(web: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(32):
            yield bytes(65536)

    answer = await web.post("/echo", content=pieces())
    assert (len(answer.content), answer.headers["x-framing"]) == (2 * MIB, "chunked")


async def test_httpx_takes_a_stream(web: httpx.AsyncClient) -> None:
    async with web.stream("GET", "/events") as answer:
        assert [line async for line in answer.aiter_lines() if line] == ["data: 0", "data: 1", "data: 2"]


@pytest.mark.parametrize("status", [200, 204, 304, 404, 500, 503])
async def test_httpx_sees_each_status_and_keeps_the_connection(web: httpx.AsyncClient, status: int) -> None:
    for _ in range(2):
        answer = await web.get(f"/status/{status}")
        assert (answer.status_code, answer.content) == (status, b"" if status in {204, 304} else b"status")


async def test_httpx_sees_head_and_repeated_fields(web: httpx.AsyncClient) -> None:
    assert (await web.head("/echo")).headers["content-length"] == "0"
    assert (await web.get("/cookies")).headers.get_list("set-cookie") == ["a=1", "b=2"]


async def test_httpx_sends_a_hundred_requests_at_once(web: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*[web.post("/echo", content=b"%d" % number) for number in range(100)])
    assert [answer.content for answer in answers] == [b"%d" % number for number in range(100)]


# curl


def curl(port: int, *arguments: str, path: str = "/echo", stdin: bytes = b"") -> tuple[str, bytes]:
    """What `-w` said, and standard output before it."""
    command = [tool("curl"), "-sS", "--noproxy", "*", "--max-time", "10", *arguments, f"http://127.0.0.1:{port}{path}"]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    body, _, said = done.stdout.rpartition(b"\n--")
    return said.decode(), body


SAY = ("-w", "\n--%{http_code} %{http_version} %{num_connects}")


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        pytest.param(("--data-binary", "@-"), 100_000, id="with a length"),
        pytest.param(("-T", "-", "-X", "POST"), 100_000, id="in chunks"),
        pytest.param(("--data-binary", "@-", "-H", "Expect: 100-continue"), 2 * MIB, id="after 100-continue"),
        pytest.param(("--data-binary", "@-", "--http1.0"), 1000, id="over HTTP/1.0"),
    ],
)
def test_curl_uploads(port: int, arguments: tuple[str, ...], size: int) -> None:
    said, body = curl(port, *arguments, *SAY, stdin=b"x" * size)
    assert said.startswith("200 ")
    assert body == b"x" * size


def test_curl_reads_chunks_over_http_1_1_and_none_over_1_0(port: int) -> None:
    for version in ("--http1.1", "--http1.0"):
        said, body = curl(port, version, *SAY, path="/stream")
        assert said.startswith("200 1")
        assert body == b"one two three"


def test_curl_reuses_its_connection(port: int) -> None:
    url = f"http://127.0.0.1:{port}/echo"
    said, _ = curl(port, *SAY, url, "-I", *SAY, path="/stream")
    assert said.endswith(" 0")


def test_curl_is_told_413_in_the_middle_of_an_upload(port: int) -> None:
    said, body = curl(port, "--data-binary", "@-", *SAY, path="/early", stdin=bytes(8 * MIB))
    assert (said[:3], body) == ("413", b"too much")


# h11


def drive(*events: Any) -> tuple[h11.Connection, bytes]:
    """An h11 client and the octets it makes of these events."""
    client = h11.Connection(h11.CLIENT)
    return client, b"".join([client.send(event) or b"" for event in events])


async def hear(port: int, client: h11.Connection, octets: bytes, drip: bool) -> list[Any]:
    """The events h11 reads, up to the end of the answer."""
    heard: list[Any] = []
    async with dial(port) as wire:
        await (wire.drip(octets) if drip else wire.send(octets))
        while True:
            event = client.next_event()
            if event is h11.NEED_DATA:
                client.receive_data(await wire.more())
                continue
            heard.append(event)
            if type(event) in {h11.EndOfMessage, h11.ConnectionClosed}:
                return heard


HOST = ("Host", "test")
CHUNKED = ("Transfer-Encoding", "chunked")


@pytest.mark.parametrize("drip", [False, True], ids=["whole", "octet by octet"])
@pytest.mark.parametrize(
    ("events", "status", "body"),
    [
        pytest.param(
            (h11.Request(method="POST", target="/echo", headers=[HOST, CHUNKED]), h11.Data(b"one"), h11.Data(b"two"),
             h11.EndOfMessage(headers=[("X-Sum", "1")])), 200, b"onetwo", id="chunks and a trailer",
        ),
        pytest.param(
            (h11.Request(method="HEAD", target="/stream", headers=[HOST]), h11.EndOfMessage()), 200, b"", id="HEAD of a stream",
        ),
        pytest.param(
            (h11.Request(method="GET", target="/stream", headers=[HOST, ("Connection", "close")]), h11.EndOfMessage()),
            200, b"one two three", id="a stream and then close",
        ),
        pytest.param(
            (h11.Request(method="GET", target="/echo", headers=[HOST, ("X-Empty", "")]), h11.EndOfMessage()),
            200, b"", id="an empty field",
        ),
        pytest.param(
            (h11.Request(method="GET", target="/status/304", headers=[HOST]), h11.EndOfMessage()), 304, b"", id="304",
        ),
        pytest.param(
            (h11.Request(method="POST", target="/echo", headers=[HOST, ("Content-Length", "0")]), h11.EndOfMessage()),
            200, b"", id="POST of nothing",
        ),
    ],
)  # fmt: skip
async def test_h11_reads_the_answer_to(port: int, events: tuple[Any, ...], status: int, body: bytes, drip: bool) -> None:
    client, octets = drive(*events)
    heard = await hear(port, client, octets, drip)
    assert heard[0].status_code == status
    assert b"".join(bytes(event.data) for event in heard if isinstance(event, h11.Data)) == body
    assert isinstance(heard[-1], h11.EndOfMessage)


# Node


def test_node_sees_the_same(port: int) -> None:
    script = Path(__file__).with_name("node_client.js")
    done = subprocess.run([tool("node"), str(script), str(port)], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["pipelined"] == list(range(200))
    assert seen["upgraded"] == [101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
    bodies = {name: (answer["status"], answer["body"], answer["complete"]) for name, answer in seen.items() if "status" in answer}
    assert bodies == {
        "first": (200, "", True),
        "second": (200, "one two three", True),
        "chunked": (200, "one two three", True),
        "expecting": (200, "hello", True),
        "head": (200, "", True),
        "empty": (204, "", True),
    }
    assert seen["chunked"]["framing"] == "chunked"
    assert [seen[name]["reused"] for name in ("first", "second", "chunked", "head", "empty")] == [False, True, True, True, True]


# websockets


async def test_a_websocket_carries_text_binary_pings_and_fragments(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/ws", max_size=None, proxy=None) as client:
        await client.send("Grüße")
        assert await client.recv() == "Grüße"
        await client.send(bytes(range(256)) * 4096)
        assert await client.recv() == bytes(range(256)) * 4096
        await client.send(["one ", "two ", "three"])
        assert await client.recv() == "one two three"
        await (await client.ping(b"there?"))


async def test_a_websocket_negotiates_subprotocol_and_compression(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/ws", subprotocols=["chat.1", "chat.2"], proxy=None) as client:  # type: ignore[list-item] # NewType of str
        assert client.subprotocol == "chat.2"
        assert [extension.name for extension in client.protocol.extensions] == ["permessage-deflate"]
        await client.send("x" * 10_000)
        assert await client.recv() == "x" * 10_000


async def test_a_websocket_hears_why_the_other_side_closed(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None) as client:
        await client.send("bye")
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert (client.close_code, client.close_reason) == (4001, "you said so")


async def test_fifty_websockets_at_once_do_not_mix(port: int) -> None:
    async def talk(number: int) -> None:
        async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None) as client:
            for turn in range(5):
                await client.send(f"{number}.{turn}")
                assert await client.recv() == f"{number}.{turn}"

    await asyncio.gather(*[talk(number) for number in range(50)])
