"""An open-loop load generator: requests begin when they are due, however long the earlier ones take, as users do.

A closed loop (each client waits for its answer) would send less just when the proxy is slow, and so hide it. Every failure counts:
a status other than 200, a connection that breaks, an answer that takes longer than DEADLINE_S, a request that found no room.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

DEADLINE_S = 15.0
OPEN = 4_000  # requests under way at once; one more is not sent, and counts as failed


@dataclass(frozen=True, slots=True)
class Step:
    """So many requests per second for so long."""

    rate: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request. at: when it was over, on the event loop's clock. failure: "" for none, else what happened."""

    at: float
    latency_s: float
    replica: str
    failure: str


class BadAnswer(Exception):  # noqa: N818 - it is counted, not handled
    """An answer that is not 200."""


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Load:
    """Sends GET requests for one target to 127.0.0.1. `outcomes` grows as they end."""

    def __init__(self, port: int, target: str) -> None:
        self._port = port
        self._request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._idle: list[Connection] = []
        self._open: set[asyncio.Task[None]] = set()
        self.outcomes: list[Outcome] = []
        self.rate = 0.0

    async def run(self, steps: Sequence[Step]) -> None:
        """Send what the steps say, then wait for the answers that are still to come."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for step in steps:
            self.rate = step.rate
            # Counted: adding up pauses would drift with the clock's size.
            for number in range(round(step.rate * step.duration_s)):
                await asyncio.sleep(began + number / step.rate - loop.time())
                self._begin()
            began += step.duration_s
        await asyncio.gather(*self._open)
        self.rate = 0.0

    async def close(self) -> None:
        """Close the idle connections."""
        for _, writer in self._idle:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in self._idle), return_exceptions=True)
        self._idle.clear()

    def _begin(self) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._open) >= OPEN:
            self.outcomes.append(Outcome(now, 0.0, "", f"{OPEN} requests were under way already"))
            return
        task = asyncio.create_task(self._exchange(now))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _exchange(self, began: float) -> None:
        replica, failure = "", ""
        try:
            async with asyncio.timeout(DEADLINE_S):
                replica = await self._answer()
        except (OSError, EOFError, TimeoutError, ValueError, BadAnswer) as error:
            failure = f"{type(error).__name__}: {error}".strip(": ")
        now = asyncio.get_running_loop().time()
        self.outcomes.append(Outcome(now, now - began, replica, failure))

    async def _answer(self) -> str:
        """The replica that gave a whole answer 200; the connection is kept for the next one."""
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(self._request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            await reader.readexactly(int(fields["content-length"]) if "content-length" in fields else 0)
            if head[0].split(" ")[1:2] != ["200"]:
                raise BadAnswer(head[0])
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return fields.get("x-replica", "")


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of the values do not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -(-round(share * 1000) * len(ordered) // 1000) - 1)]
