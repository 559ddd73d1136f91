"""The application of the chaos run: `python -m benchmarks.chaos.app PORT`. It answers /work/ID with ID, and misbehaves when told to.

/chaos?mode=M&s=N   for N seconds every answer is: slow (half a second late), none (never), head (no HTTP), chunk (a size that is none),
                    cut (half of the body, and the end), busy (503)
/healthz            200, or as the mode is
"""

import asyncio
import sys
from urllib.parse import parse_qsl, urlsplit

SLOW_S = 0.5
WORK_S = 0.002
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"
BAD = {
    "head": b"SSH-2.0-nothing\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnothing\r\n",
    "busy": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
}


class App:
    """One replica."""

    def __init__(self) -> None:
        self._mode = ""
        self._until_s = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        for line in head.split("\r\n"):
            if line.lower().startswith("content-length:"):
                await reader.readexactly(int(line.split(":")[1]))
        target = urlsplit(head.split(" ")[1])
        loop = asyncio.get_running_loop()
        if target.path == "/chaos":
            told = dict(parse_qsl(target.query))
            self._mode, self._until_s = told["mode"], loop.time() + float(told["s"])
            writer.write(OK % (2, b"ok"))
            return True
        mode = self._mode if loop.time() < self._until_s else ""
        return await self._misbehave(mode, target.path.rpartition("/")[2].encode(), writer)

    async def _misbehave(self, mode: str, body: bytes, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(SLOW_S if mode == "slow" else 3600 if mode == "none" else WORK_S)
        answer = OK % (len(body), body)
        if mode == "cut":
            writer.write(answer[: -max(1, len(body) // 2)])
            return False
        writer.write(BAD.get(mode, answer))
        await writer.drain()
        return mode not in {"head", "chunk"}


async def main(port: int) -> None:
    server = await asyncio.start_server(App().serve, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
