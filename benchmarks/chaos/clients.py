"""The load, and what became of each request.

A request is *lost* if HTTP would have let it be kept: an idempotent one (RFC 9110 section 9.2.2) that got no good answer, although no
process that held its connection was killed. What cannot be kept is counted apart: connections that a killed worker or controller took
along, answers that broke off in their middle, POSTs that had been sent, and what came while the whole program was down.
"""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

METHODS = ("GET", "GET", "GET", "PUT", "POST")
KEPT_MOST = 50  # requests on one connection
DEADLINE_S = 20.0
BUSY = "status 503 b''"  # the application's own has no body
GRACE_S = 1.0  # around a kill: when exactly a connection felt it cannot be known


class Broken(Exception):  # noqa: N818 - names what the answer was
    """The answer broke off in its middle, or was none."""


@dataclass(slots=True)
class Ledger:
    """outcomes: how many of each; lost: of those the first ones, in words. killed_s: when a process that holds connections was killed;
    down: the spans in which the program was not there, or had no replica ready. latencies of good answers in seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    killed_s: list[float] = field(default_factory=list)
    down: list[tuple[float, float]] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    doubtful: list[tuple[float, float, float, str, str, bool]] = field(default_factory=list)

    def good(self, latency_s: float) -> None:
        self.outcomes["good"] += 1
        self.latencies.append(latency_s)

    def bad(self, connected_s: float, began_s: float, ended_s: float, method: str, what: str, cut: bool) -> None:
        """Judged at the end, when it is known what was killed and when. cut: the connection ended."""
        self.doubtful.append((connected_s, began_s, ended_s, method, what, cut))

    def judge(self) -> None:
        """What the doubtful ones were."""
        for connected_s, began_s, ended_s, method, what, cut in self.doubtful:
            outcome = self._outcome(connected_s, began_s, ended_s, method, what, cut)
            self.outcomes[outcome] += 1
            if outcome == "lost" and len(self.lost) < 20:
                self.lost.append(f"{method} from {began_s:.2f} to {ended_s:.2f} s: {what}")
        self.doubtful.clear()

    def _outcome(self, connected_s: float, began_s: float, ended_s: float, method: str, what: str, cut: bool) -> str:
        if any(since_s - GRACE_S <= ended_s and began_s <= until_s + GRACE_S for since_s, until_s in self.down):
            return "while the program was down"
        if cut and any(connected_s - GRACE_S <= moment_s <= ended_s + GRACE_S for moment_s in self.killed_s):
            return "with a killed worker's connection"
        if what.startswith("broke off"):
            return "answers that broke off"
        if what == BUSY:
            return "503 of a replica itself, which is an answer"
        return "POSTs that had been sent" if method == "POST" else "lost"


class Client:
    """Asks again and again until `stop` is set."""

    def __init__(self, port: int, ledger: Ledger, rng: random.Random, began_s: float) -> None:
        self._port = port
        self._ledger = ledger
        self._rng = rng
        self._zero_s = began_s
        self._count = 0
        self._connected_s = 0.0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """The client's life."""
        while not stop.is_set():
            await self._one()
        self._close()

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() - self._zero_s

    async def _one(self) -> None:
        method, began_s = self._rng.choice(METHODS), self._now_s()
        self._count += 1
        name = f"{id(self):x}-{self._count}".encode()
        try:
            async with asyncio.timeout(DEADLINE_S):
                status, body = await self._ask(method, name)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, Broken, TimeoutError) as error:
            what = str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
            self._ledger.bad(self._connected_s, began_s, self._now_s(), method, what, not isinstance(error, TimeoutError))
            self._close()
            await asyncio.sleep(0.05)
            return
        if status == 200 and body == name:
            self._ledger.good(self._now_s() - began_s)
        else:
            self._ledger.bad(self._connected_s, began_s, self._now_s(), method, f"status {status} {body[:80]!r}", False)
        if self._count % KEPT_MOST == 0:
            self._close()

    async def _ask(self, method: str, name: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._connected_s = self._now_s()
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        body = b"x" * 100 if method != "GET" else b""
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        writer.write(b"%b /work/%b HTTP/1.1\r\nHost: chaos\r\n%b\r\n%b" % (method.encode(), name, length, body))
        head = await reader.readuntil(b"\r\n\r\n")
        return int(head[9:12]), await self._body(head.lower(), reader)

    async def _body(self, head: bytes, reader: asyncio.StreamReader) -> bytes:
        try:
            if b"transfer-encoding: chunked" in head:
                return await _chunks(reader)
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Broken(f"broke off: {type(error).__name__}") from error
        if b"connection: close" in head:
            self._close()
        return body

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    with suppress(asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n")
    return body
