"""A small web application to put Écluse in front of: pages that wait, compute, stream, take uploads and talk over WebSockets.

It runs with any ASGI server (`uvicorn app:app --port 8000`) and knows nothing of Écluse. Each answer names the process that gave
it, in the field X-Replica, so that one can see how requests are spread.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

REPLICA = os.environ.get("PORT", str(os.getpid()))


async def index(request: Request) -> Response:
    """GET / : a greeting. With ?ms=50, after waiting so long, as for a database."""
    await asyncio.sleep(_milliseconds(request) / 1000)
    return PlainTextResponse(f"Hello from replica {REPLICA}.\n")


async def healthz(_request: Request) -> Response:
    """GET /healthz : what the readiness probe asks for."""
    return PlainTextResponse("ok\n")


def cpu(request: Request) -> Response:
    """GET /cpu?ms=20 : computes for so long. A plain function, so that it runs in a thread and holds up no other request."""
    end = time.thread_time() + _milliseconds(request) / 1000
    rounds = 0
    while time.thread_time() < end:
        rounds += sum(range(100)) > 0
    return JSONResponse({"rounds": rounds})


async def stream(request: Request) -> Response:
    """GET /stream?n=10&ms=100 : n server-sent events, one every so many milliseconds."""
    number = min(int(request.query_params.get("n", "10")), 10_000)
    pause_s = _milliseconds(request, default=100) / 1000

    async def events() -> AsyncIterator[str]:
        for count in range(number):
            yield f"id: {count}\ndata: {REPLICA}\n\n"
            await asyncio.sleep(pause_s)

    return StreamingResponse(events(), media_type="text/event-stream")


async def upload(request: Request) -> Response:
    """POST /upload : takes a body of any length and says how long it was. It is never held in memory."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return JSONResponse({"bytes": size})


async def echo(socket: WebSocket) -> None:
    """GET /ws : a WebSocket that says everything back."""
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


def _milliseconds(request: Request, default: int = 0) -> float:
    return min(float(request.query_params.get("ms", default)), 60_000.0)


class NamesReplica:
    """Adds X-Replica to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-replica", REPLICA.encode())]
            await send(message)

        await self._app(scope, receive, sending)


app = Starlette(
    routes=[
        Route("/", index),
        Route("/healthz", healthz),
        Route("/cpu", cpu),
        Route("/stream", stream),
        Route("/upload", upload, methods=["POST"]),
        WebSocketRoute("/ws", echo),
    ],
    middleware=[Middleware(NamesReplica)],
)
