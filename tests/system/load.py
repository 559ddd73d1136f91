"""Steady load from wrk, and what came of it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.system.tools import tool

_SCRIPT = Path(__file__).parent / "steady.lua"
_LONGEST_S = 600  # wrk must be given a duration; stories end it earlier
_TIMEOUT_S = 5  # an answer that takes longer is an error
_END_S = 1.0
_ENDS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What wrk counted. said: every answer that was not 200, with its body."""

    requests: int
    status: int  # answers 400 and above
    connect: int
    read: int
    write: int
    timeout: int
    longest_us: int
    said: str

    @property
    def socket_errors(self) -> int:
        """Requests without a whole answer."""
        return self.connect + self.read + self.write

    @property
    def lost(self) -> int:
        """Requests without a good answer in good time."""
        return self.status + self.socket_errors + self.timeout + len(self.said.splitlines())


class Wrk:
    """A running wrk."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def end(self) -> Outcome:
        """Tell it to end, and what it counted. Its last requests are given up and count as nothing."""
        ending = asyncio.ensure_future(self._process.communicate())
        for _ in range(_ENDS):  # one that comes before wrk begins to sleep stops its threads, and it sleeps on
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
            if (await asyncio.wait([ending], timeout=_END_S))[0]:
                break
        said, complaints = await asyncio.wait_for(ending, _END_S)
        return Outcome(**json.loads(said.decode().splitlines()[-1]), said=complaints.decode())

    async def kill(self) -> None:
        """If it is still there."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


@asynccontextmanager
async def wrk(
    port: int, path: str = "/", connections: int = 8, pause_ms: int = 10, close: bool = False, address: str = "127.0.0.1"
) -> AsyncIterator[Wrk]:
    """Steady load. close: a new connection for each request."""
    words = ["-t", "1", "-c", str(connections), "-d", f"{_LONGEST_S}s", "--timeout", f"{_TIMEOUT_S}s", "-s", str(_SCRIPT)]
    header = ["-H", "Connection: close"] if close else []
    process = await asyncio.create_subprocess_exec(
        tool("wrk"),
        *words,
        *header,
        f"http://{address}:{port}{path}",
        "--",
        str(pause_ms),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Wrk(process)
    try:
        yield running
    finally:
        await running.kill()
