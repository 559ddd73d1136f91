"""The application inside the test images: one file, nothing but the standard library. It is steered by its environment:

    PORT=8000            where it listens, at all addresses
    VERSION=1            said in every answer
    EXIT_AT_START=N      ends at once with that status
    READY_AFTER_S=N      /healthz answers 503 until then; "never" is possible
    MEMORY=N             octets it occupies
    CPU=0.5              cores it keeps busy

    GET /                "version VERSION", with the replica's name (X-Replica) and version (X-Version) in every answer's head
    GET /?ms=N           the same after N milliseconds; ?cpu_ms=N: after working that long
    GET /healthz         200 or 503; POST /healthz?status=503 sets it
    POST /exit?status=N  ends the process at once, without an answer

SIGTERM: it takes no new connections, finishes the requests in flight, says "stopping" and ends.
"""

import asyncio
import os
import signal
import socket
import sys
import threading
import time

NAME = socket.gethostname()
VERSION = os.environ.get("VERSION", "")


def busy(share: float, period_s: float = 0.05) -> None:
    """Keep a share of one core busy for ever."""
    while True:
        work(share * period_s)
        time.sleep((1 - share) * period_s)


def work(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


class Application:
    def __init__(self) -> None:
        ready = os.environ.get("READY_AFTER_S", "0")
        self.ready_at_s = float("inf" if ready == "never" else ready) + time.monotonic()
        self.health = 200
        self.stopping = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()
        self.in_flight = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.in_flight += 1
        self.idle.clear()
        try:
            lines = head.lower().split("\r\n")
            lengths = [int(line.split(":")[1]) for line in lines if line.startswith("content-length:")]
            await reader.readexactly(sum(lengths))
            method, target, _ = head.split(" ", 2)
            status, body = await self.answer(method, target)
            keep = not self.stopping.is_set() and "connection: close" not in lines
            writer.write(self.head(status, len(body), keep) + (b"" if method == "HEAD" else body))
            await writer.drain()
            return keep
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self.idle.set()

    async def answer(self, method: str, target: str) -> tuple[int, bytes]:
        path, _, text = target.partition("?")
        query = dict(pair.split("=", 1) for pair in text.split("&") if "=" in pair)
        if path == "/exit" and method == "POST":
            os._exit(int(query["status"]))
        if path == "/healthz":
            if method == "POST":
                self.health = int(query["status"])
            status = self.health if time.monotonic() >= self.ready_at_s else 503
            return status, b"ready" if status == 200 else b"not ready"
        if "ms" in query:
            await asyncio.sleep(int(query["ms"]) / 1000)
        work(int(query.get("cpu_ms", 0)) / 1000)
        return 200, f"version {VERSION}".encode()

    def head(self, status: int, length: int, keep: bool) -> bytes:
        fields = f"Content-Length: {length}\r\nConnection: {'keep-alive' if keep else 'close'}\r\nX-Replica: {NAME}\r\nX-Version: {VERSION}"
        return f"HTTP/1.1 {status} Said\r\n{fields}\r\n\r\n".encode()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stopping.set)
        port = int(os.environ.get("PORT", "8000"))
        listener = await asyncio.start_server(self.serve, "0.0.0.0", port, backlog=1024)  # noqa: S104 - in a container
        print(f"listening on {port}", flush=True)
        await self.stopping.wait()
        print("stopping", flush=True)
        listener.close()
        await self.idle.wait()


if __name__ == "__main__":
    if "EXIT_AT_START" in os.environ:
        print("leaving at once", file=sys.stderr, flush=True)
        sys.exit(int(os.environ["EXIT_AT_START"]))
    occupied = b"x" * int(os.environ.get("MEMORY", "0"))
    if "CPU" in os.environ:
        threading.Thread(target=busy, args=[float(os.environ["CPU"])], daemon=True).start()
    asyncio.run(Application().run())
