"""SIGTERM under load: what was sent before is answered, what comes after is refused, and the exit status is 0."""

import asyncio
import signal
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import Answer, connect, get, wait_until
from tests.system.apps import UVICORN, running, written
from tests.system.program import Program, ecluse


@dataclass
class Clients:
    """Clients that ask again and again. answered, failed: when each request was sent, on the event loop's clock."""

    program: Program
    path: str
    answered: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)

    async def keep(self) -> None:
        """On one connection, until it ends."""
        with suppress(OSError, EOFError):
            async with connect(self.program.port) as client:
                while await self._ask(client.request("GET", self.path)):
                    pass

    async def begin_anew(self) -> None:
        """On a connection for each request, until one fails."""
        while await self._ask(get(self.program.port, self.path)):
            pass

    async def _ask(self, request: Awaitable[Answer]) -> bool:
        sent = asyncio.get_running_loop().time()
        try:
            answer = await request
        except (OSError, EOFError):
            self.failed.append(sent)
            return False
        good = answer.status == 200
        (self.answered if good else self.failed).append(sent)
        return good


async def refused(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def test_requests_sent_before_sigterm_are_answered(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(UVICORN, tmp_path, minimum=2)}, shutdown_timeout="15s")
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        quick, slow = Clients(program, "/"), Clients(program, "/?ms=2000")
        tasks = [asyncio.create_task(clients.keep()) for clients in (quick, slow) for _ in range(8)]
        tasks += [asyncio.create_task(clients.begin_anew()) for clients in (quick, slow) for _ in range(4)]
        await wait_until(lambda: len(quick.answered) > 200 and in_flight(program) >= 12)
        told = asyncio.get_running_loop().time()
        program.signal(signal.SIGTERM)
        await wait_until(lambda: refused(program.port), 1.5)  # long before the slow ones have ended
        assert await program.ended() == 0
        await asyncio.gather(*tasks)
    assert [sent - told for sent in (*quick.failed, *slow.failed) if sent < told] == []
    assert len(slow.answered) >= 12


def in_flight(program: Program) -> int:
    return sum(int(replica["reading"]["in_flight"]) for replica in program.service()["replicas"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
async def test_told_twice_it_does_not_wait(tmp_path: Path, number: signal.Signals) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(UVICORN, tmp_path)}, shutdown_timeout="60s")
    async with ecluse(tmp_path, str(file)) as program:
        await program.up()
        async with connect(program.port) as endless:
            await endless.send(b"GET /?ms=60000 HTTP/1.1\r\nHost: test\r\n\r\n")
            await wait_until(lambda: in_flight(program) == 1)
            program.signal(number)
            await wait_until(lambda: "stopping:" in program.said())
            program.signal(number)
            assert await program.ended(8) == 0


async def test_without_load_it_ends_at_once(tmp_path: Path) -> None:
    async with ecluse(tmp_path, str(written(tmp_path / "ecluse.yaml", {"web": running(UVICORN, tmp_path)}))) as program:
        await program.up()
        program.signal(signal.SIGTERM)
        assert await program.ended(5) == 0
