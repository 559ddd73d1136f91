"""An application for real clients to talk to, directly or through the proxy: plain ASGI, run by uvicorn.

/echo        the request's body, with its method and how it was framed in x- fields
/stream      three pieces without a length
/events      three server-sent events
/status/N    that status; 204 and 304 without a body
/cookies     two Set-Cookie fields
/early       413 before the body was read
/ws          a WebSocket: echoes messages; "bye" makes it close with 4001
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await chat(scope, receive, send)
    elif scope["type"] == "http":
        await serve(scope, receive, send)


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    path = scope["path"]
    if path == "/early":
        await answer(send, 413, b"too much")
        return
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    if path == "/stream":
        await answer_in_pieces(send, b"text/plain", [b"one ", b"two ", b"three"])
    elif path == "/events":
        await answer_in_pieces(send, b"text/event-stream", [b"data: %d\n\n" % number for number in range(3)])
    elif path == "/cookies":
        await answer(send, 200, b"", (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"))
    elif path.startswith("/status/"):
        status = int(path.rpartition("/")[2])
        await answer(send, status, b"" if status in {204, 304} else b"status")
    else:
        framing = b"chunked" if any(name == b"transfer-encoding" for name, _ in scope["headers"]) else b"length"
        await answer(send, 200, body, (b"x-method", scope["method"].encode()), (b"x-framing", framing))


async def answer(send: Send, status: int, body: bytes, *fields: tuple[bytes, bytes]) -> None:
    length = [] if status in {204, 304} else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*length, *fields]})
    await send({"type": "http.response.body", "body": body})


async def answer_in_pieces(send: Send, kind: bytes, pieces: list[bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def chat(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    protocol = "chat.2" if "chat.2" in scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": protocol})
    while (event := await receive())["type"] == "websocket.receive":
        if event.get("text") == "bye":
            await send({"type": "websocket.close", "code": 4001, "reason": "you said so"})
            return
        key = "text" if event.get("text") is not None else "bytes"
        await send({"type": "websocket.send", key: event[key]})
