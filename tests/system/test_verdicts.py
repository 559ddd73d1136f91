"""How long it takes until the workers act on a verdict: the contract is 100 ms."""

import asyncio
import time
from pathlib import Path

from tests.support import connect, get, wait_until
from tests.system.apps import TINY, running, written
from tests.system.program import Program, ecluse
from tests.system.test_crashes import port_of

TURNS = 6
CONTRACT_S = 0.1


async def verdict_at(program: Program, turn: int) -> float:
    """When the verdict of a turn was told; before the first there was one already, when the replica became ready."""
    told = await wait_until(lambda: [each for each in program.events() if each["kind"] in {"ready", "ejected"}][turn + 1 :])
    return float(told[0]["at"])


async def test_a_verdict_reaches_the_workers_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    probes = {"readiness": {"path": "/healthz", "interval": "100ms", "rise": 1, "fall": 1}}
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, probes=probes)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up()
        port = port_of(program, "web-1")
        took = []
        async with connect(program.port) as client:
            for turn in range(TURNS):
                status = 200 if turn % 2 else 503
                await get(port, f"/healthz?status={status}", body=b"x")
                async with asyncio.timeout(10):
                    while (await client.request()).status != status:
                        pass
                took.append(time.time() - await verdict_at(program, turn))
    assert sorted(took)[TURNS // 2] < CONTRACT_S, took
