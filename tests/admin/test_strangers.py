"""Requests of pages and of programs that are up to no good, octet by octet on a real socket: none reaches the controller."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sidecar.admin import serve
from sidecar.admin.guard import CAREFUL
from tests.admin.control import FakeControl

SCALE = b"POST /api/services/shop/scale HTTP/1.1\r\n"
REPLICAS = b'{"replicas":5}'
LENGTH = b"Content-Length: 14\r\n"
JSON = b"Content-Type: application/json\r\n"
HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
UPGRADE = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n"
UPGRADE += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"


@pytest.fixture
async def address(control: FakeControl) -> AsyncIterator[tuple[str, int]]:
    """Where the admin API listens."""
    admin = await serve(control, "127.0.0.1:0", "", ["admin.example"])
    host, _, port = admin.address.rpartition(":")
    yield host, int(port)
    await admin.close()


async def said(address: tuple[str, int], octets: bytes) -> bytes:
    """Everything that comes back, after which nothing is left open."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(octets)
    async with asyncio.timeout(10.0):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(SCALE + HOST + CLOSE + JSON + LENGTH + b"\r\n" + REPLICAS, 200, id="what is asked properly is done"),
        pytest.param(SCALE + b"Host: admin.example:80\r\n" + CLOSE + JSON + LENGTH + b"\r\n" + REPLICAS, 200, id="also at its name"),
        pytest.param(SCALE + b"Host: evil.example\r\n" + CLOSE + JSON + LENGTH + b"\r\n" + REPLICAS, 421, id="a rebound name"),
        pytest.param(SCALE + HOST + HOST + CLOSE + JSON + LENGTH + b"\r\n" + REPLICAS, 400, id="two Hosts"),
        pytest.param(SCALE + CLOSE + JSON + LENGTH + b"\r\n" + REPLICAS, 400, id="no Host"),
        pytest.param(
            SCALE.replace(b" /", b" http://localhost/") + b"Host: evil.example\r\n" + CLOSE + JSON + LENGTH + b"\r\n" + REPLICAS,
            421,
            id="a Host that the absolute form denies",
        ),
        pytest.param(
            SCALE.replace(b" /", b" http://evil.example/") + HOST + CLOSE + JSON + LENGTH + b"\r\n" + REPLICAS,
            404,
            id="an absolute form that Host denies",
        ),
        pytest.param(
            SCALE + HOST + CLOSE + b"Content-Type: text/plain\r\n" + LENGTH + b"\r\n" + REPLICAS, 415, id="a form's text/plain"
        ),
        pytest.param(
            SCALE + HOST + CLOSE + b"Content-Type: application/x-www-form-urlencoded\r\n" + LENGTH + b"\r\n" + REPLICAS,
            415,
            id="a form",
        ),
        pytest.param(SCALE + HOST + CLOSE + LENGTH + b"\r\n" + REPLICAS, 415, id="a body of no type"),
        pytest.param(
            SCALE + HOST + CLOSE + JSON + b"Origin: http://localhost:1\r\n" + LENGTH + b"\r\n" + REPLICAS, 403, id="another port"
        ),
        pytest.param(
            SCALE + HOST + CLOSE + JSON + b"Sec-Fetch-Site: cross-site\r\n" + LENGTH + b"\r\n" + REPLICAS, 403, id="another site"
        ),
        pytest.param(
            b"OPTIONS /api/reload HTTP/1.1\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n"
            + HOST
            + CLOSE
            + b"\r\n",
            403,
            id="a preflight",
        ),
        pytest.param(b"GET /api/events HTTP/1.1\r\nOrigin: http://evil.example\r\n" + HOST + UPGRADE + b"\r\n", 403, id="a WebSocket"),
        pytest.param(
            b"GET /api/events?follow=1 HTTP/1.1\r\nAccept: text/event-stream\r\nOrigin: http://evil.example\r\n"
            + HOST
            + CLOSE
            + b"\r\n",
            403,
            id="an EventSource",
        ),
        pytest.param(b"GET /api/overview HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 20_000, 400, id="a head without end"),
        pytest.param(
            SCALE + HOST + CLOSE + JSON + b"Content-Length: 20000\r\n\r\n" + b" " * 20_000, 413, id="a body that is too large"
        ),
        pytest.param(
            SCALE + HOST + CLOSE + JSON + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b" " * 4096 + b"\r\n" + b"4000\r\n"
            + b" " * 16_384 + b"\r\n0\r\n\r\n", 413, id="a body that grows too large",
        ),
        pytest.param(SCALE + HOST + CLOSE + JSON + b"Content-Length: 30000\r\n\r\n" + b"[" * 10_000 + b"]" * 10_000 + b" " * 10_000,
            413, id="JSON that is too deep and too large"),
        pytest.param(SCALE + HOST + CLOSE + JSON + b"Content-Length: 12000\r\n\r\n" + b"[" * 6_000 + b"]" * 6_000, 400,
            id="JSON that is too deep"),
        pytest.param(SCALE + HOST + CLOSE + JSON + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400,
            id="two lengths"),
    ],
)  # fmt: skip
async def test_answers(address: tuple[str, int], control: FakeControl, request_: bytes, status: int) -> None:
    answer = await said(address, request_)
    assert status_of(answer) == status
    assert control.asked == ([("scale", "shop", 5)] if status == 200 else [])
    assert b"access-control" not in answer.lower()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(b"GET /api/overview HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", 200, id="an answer"),
        pytest.param(b"GET /api/overview HTTP/1.1\r\nHost: evil.example\r\n" + CLOSE + b"\r\n", 421, id="a refusal"),
        pytest.param(b"GET /nothing HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", 404, id="nothing"),
        pytest.param(b"GET /api/services/broken HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", 500, id="a fault of ours"),
    ],
)
async def test_fields_that_browsers_heed_stand_on(
    address: tuple[str, int], control: FakeControl, monkeypatch: pytest.MonkeyPatch, request_: bytes, status: int
) -> None:
    if status == 500:
        monkeypatch.setattr(control, "service", lambda name: 1 / 0)
    answer = await said(address, request_)
    assert status_of(answer) == status
    for name, value in CAREFUL:
        assert answer.count(f"\r\n{name}: {value}\r\n".encode()) == 1
