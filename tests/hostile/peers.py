"""Other parsers of HTTP/1.1, and how they read a stream of requests: nginx, Node (llhttp) and h11, all real and strict."""

import asyncio
import base64
import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import h11

from tests.proxy.wire import dial
from tests.support import connect, free_port, wait_until

Read = tuple[bytes, bytes, bytes | None]  # method, target, body; None: the peer does not tell
Peer = Callable[[bytes], Awaitable[list[Read]]]

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; large_client_header_buffers 8 64k; ignore_invalid_headers off;
  underscores_in_headers on; merge_slashes off; keepalive_requests 10000;
  server {{ listen 127.0.0.1:{port}; location / {{ add_header X-Read "$request_method $request_uri" always; return 200 "x"; }} }}
}}
"""
SCRIPT = Path(__file__).parent / "parser.js"


@asynccontextmanager
async def nginx(folder: Path) -> AsyncIterator[Peer]:
    """nginx, which tells method and target."""
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    process = await asyncio.create_subprocess_exec("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"))
    try:
        await wait_until(lambda: _listens(port), 10)

        async def ask(stream: bytes) -> list[Read]:
            heads = (await answers(port, stream)).split(b"HTTP/1.1 ")[1:]
            good = [head for head in heads if b"X-Read: " in head]  # what it cannot read comes to no location
            lines = [head.partition(b"X-Read: ")[2].partition(b"\r\n")[0].split(b" ") for head in good]
            return [(method, target, None) for method, target in lines]

        yield ask
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def node() -> AsyncIterator[Peer]:
    """Node, which tells the body, too."""
    process = await asyncio.create_subprocess_exec("node", str(SCRIPT), stdout=subprocess.PIPE, env={**os.environ})
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    try:

        async def ask(stream: bytes) -> list[Read]:
            heads = (await answers(port, stream)).split(b"X-Read: ")[1:]
            told = [json.loads(base64.b64decode(head.partition(b"\r\n")[0])) for head in heads]
            return [tuple(each[part].encode("latin-1") for part in ("method", "target", "body")) for each in told]

        yield ask
    finally:
        process.terminate()
        await process.wait()


async def h11_parser(stream: bytes) -> list[Read]:
    """h11, which reads without a socket."""
    found: list[Read] = []
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(stream)
    connection.receive_data(b"")
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                method, target, body = event.method, event.target, b""
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                found.append((method, target, body))
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return found
                connection.start_next_cycle()
            else:
                return found
    except h11.ProtocolError:
        return found


async def answers(port: int, stream: bytes) -> bytes:
    """Everything that a server says to a stream, whose end is the end of what it is told."""
    async with dial(port) as wire:
        await wire.send(stream)
        wire.finish()
        return await wire.rest()


async def _listens(port: int) -> bool:
    try:
        async with connect(port):
            return True
    except OSError:
        return False
