"""Two services share a budget for real: the important one takes back what the other has, and nothing is ever beyond it."""

import asyncio
from pathlib import Path
from typing import Any

from tests.support import wait_until
from tests.system.apps import TINY, running, written
from tests.system.program import Program, ecluse

REPLICAS = 4


def wanting(signal: str, **more: Any) -> dict[str, Any]:
    """Rules by which a service wants as many replicas as somebody says."""
    return {"min_replicas": 1, "max_replicas": 4, "metrics": [{"type": "external", "name": signal, "target": 1}], **more}


async def watched(program: Program, seen: list[int]) -> None:
    """How many replicas there are, the draining ones included, again and again."""
    while True:
        services = await asyncio.to_thread(lambda: [program.service(name) for name in ("shop", "batch")])
        seen.append(sum(len(service["replicas"]) for service in services))


async def test_the_important_service_gets_its_replicas_back_when_it_needs_them(tmp_path: Path) -> None:
    shop = running(TINY, tmp_path, routes=[{"path": "/"}], autoscale=wanting("visitors", priority=10))
    batch = running(TINY, tmp_path, routes=[{"path": "/batch"}], autoscale=wanting("jobs"))
    file = written(tmp_path / "ecluse.yaml", {"shop": shop, "batch": batch}, budget={"replicas": REPLICAS})
    seen: list[int] = []
    async with ecluse(tmp_path, str(file)) as program:
        await program.ready(1, "shop")
        await program.ready(1, "batch")
        watching = asyncio.create_task(watched(program, seen))
        await program.command("push", "batch", "jobs", "9")
        await program.ready(3, "batch")
        assert "the budget of 4 replicas leaves 3" in program.service("batch")["last_decision"]
        await program.command("push", "shop", "visitors", "3")
        await program.ready(3, "shop")
        await program.ready(1, "batch")
        told = (await program.command("status")).out
        watching.cancel()
        explained = await wait_until(lambda: program.client.get("/api/services/batch/explain"))
    assert max(seen) == REPLICAS
    assert "budget: 4 of 4 replicas" in told
    assert "shop (priority 10) comes first" in explained["sentence"]
