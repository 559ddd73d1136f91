"""The smallest honest web application: one file, no package, `python tests/apps/tiny.py PORT` (or the path of a Unix socket; without
either, SOCKET or PORT in the environment).

It prints "listening on ..." once it accepts connections, "stopping" at SIGTERM, and finishes what is in flight before it exits.

    /healthz, /livez, /work   200 "ok", or the status last set with POST /healthz?status=503
    /slow?ms=N          200 after N milliseconds
    /echo               the request's body
    /headers            the request's head, as received
    /pid                its process id
    /env?name=N         an environment variable
    /exit?status=N      ends the process at once, without an answer
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

health = {"/healthz": 200, "/livez": 200, "/work": 200}


async def read_body(reader: asyncio.StreamReader, fields: dict[str, str]) -> bytes:
    if "chunked" not in fields.get("transfer-encoding", ""):
        return await reader.readexactly(int(fields.get("content-length", "0")))
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return body


async def answer(method: str, target: str, head: bytes, body: bytes) -> tuple[int, bytes]:
    url = urlsplit(target)
    query = dict(parse_qsl(url.query))
    if url.path in health:
        if method == "POST":
            health[url.path] = int(query.get("status", health[url.path]))
        return health[url.path], b"ok"
    if url.path == "/slow":
        await asyncio.sleep(int(query["ms"]) / 1000)
        return 200, b"slow"
    if url.path == "/exit":
        os._exit(int(query["status"]))
    known = {
        "/": b"hello",
        "/echo": body,
        "/headers": head,
        "/pid": str(os.getpid()).encode(),
        "/env": os.environ.get(query.get("name", ""), "").encode(),
    }
    return (200, known[url.path]) if url.path in known else (404, b"no such path")


class Tiny:
    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        self.in_flight = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        with self.busy():
            first, *lines = head.decode("latin-1").strip().split("\r\n")
            method, target, _ = first.split(" ")
            fields = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
            status, body = await answer(method, target, head, await read_body(reader, fields))
            keep = not self.stopping.is_set() and fields.get("connection") != "close"
            connection = "keep-alive" if keep else "close"
            answer_head = f"HTTP/1.1 {status} Tiny\r\nContent-Length: {len(body)}\r\nConnection: {connection}\r\n\r\n"
            writer.write(answer_head.encode() + (b"" if method == "HEAD" else body))
            await writer.drain()
            return keep

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.in_flight += 1
        self.idle.clear()
        try:
            yield
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self.idle.set()

    async def run(self, where: str) -> None:
        if where.isdecimal():
            listener = await asyncio.start_server(self.serve, "127.0.0.1", int(where), backlog=1024)
        else:
            listener = await asyncio.start_unix_server(self.serve, where, backlog=1024)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stopping.set)
        print(f"listening on {where}", flush=True)
        await self.stopping.wait()
        print("stopping", flush=True)
        listener.close()
        await self.idle.wait()


if __name__ == "__main__":
    asyncio.run(Tiny().run(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SOCKET") or os.environ["PORT"]))
