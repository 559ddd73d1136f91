"""Load alone moves the count: up when it doubles, down when it ends, to zero and back. And what people say goes before it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sidecar.demo.load import Load, Step
from tests.support import get, wait_until
from tests.system.apps import TINY, UVICORN, running, written
from tests.system.load import wrk
from tests.system.program import Program, ecluse
from tests.system.tools import in_full

# What is usual is judged over a minute. While the beginning of the load is part of that minute, it is taken for noise, and a step
# of a few requests is seen a little later (autoscaler/sampling.py).
SETTLE_S = in_full(75.0, 20.0)
DECISION_S = in_full(2.0, 4.0)
SLACK_S = 0.5  # for requests to overlap, of which each takes 0.2 s, and for a busy machine


def scaled(**more: Any) -> Mapping[str, Any]:
    """Rules in which a replica carries six requests, and nothing is waited for longer than it must be."""
    down = {"scale_down": {"stabilization_window": "1s"}}
    return {
        "min_replicas": 1,
        "max_replicas": 3,
        "metrics": [{"type": "concurrency", "target": 6}],
        "stable_window": "6s",
        "burst": {"window": "2s"},
        "behavior": down,
        **more,
    }


@asynccontextmanager
async def program_with(tmp_path: Path, rules: Mapping[str, Any], **more: Any) -> AsyncIterator[Program]:
    web = running(more.pop("app", TINY), tmp_path, **{"autoscale": rules, **more})
    web["autoscale"] = dict(rules)
    async with ecluse(tmp_path, str(written(tmp_path / "ecluse.yaml", {"web": web}))) as program:
        yield program


async def test_a_doubling_is_decided_within_two_seconds_and_its_end_takes_the_replicas_away(tmp_path: Path) -> None:
    async with program_with(tmp_path, scaled(), app=UVICORN) as program:
        await program.up()
        load = Load(program.port, "/?ms=200")
        steps = asyncio.create_task(load.run([Step(25, SETTLE_S), Step(50, 5.0)]))
        await wait_until(lambda: load.rate == 50, SETTLE_S + 5)
        doubled_at = time.time()
        assert program.events("decision") == []
        decision = (await wait_until(lambda: program.events("decision")))[0]
        await program.ready(2)
        await steps
        await load.close()
        await program.ready(1)
    reaction_s = decision["at"] - doubled_at
    assert reaction_s < DECISION_S + SLACK_S, decision["message"]
    assert [outcome.failure for outcome in load.outcomes if outcome.failure] == []


async def test_a_dry_run_decides_and_does_nothing(tmp_path: Path) -> None:
    async with program_with(tmp_path, scaled(dry_run=True)) as program:
        await program.up()
        async with wrk(program.port, "/slow?ms=50", connections=24, pause_ms=0) as load:
            decision = (await wait_until(lambda: program.events("decision")))[0]["message"]
            explained = program.client.get("/api/services/web/explain")
            assert (await load.end()).lost == 0
        assert explained["desired"] > 1
        assert explained["dry_run"]
        assert decision.startswith("web would go from 1 to 3 replicas")
        assert program.states() == {"web-1": "ready"}
        assert program.service()["desired"] == 1


async def test_a_count_set_by_hand_stands_until_it_is_given_back(tmp_path: Path) -> None:
    async with program_with(tmp_path, scaled()) as program:
        await program.up()
        held = await program.command("scale", "web", "3")
        assert held.out == "web: held at 3 replicas from now on (ready: 1); `ecluse scale web auto` ends that\n"
        await program.ready(3)
        assert "held" in (await program.command("status")).out
        assert (await program.command("scale", "web", "7")).err.startswith("ecluse: web has from 1 to 3 replicas, so not 7")
        await program.command("scale", "web", "auto")
        await program.ready(1)


async def test_a_replica_drained_by_hand_finishes_its_requests_and_is_replaced(tmp_path: Path) -> None:
    async with program_with(tmp_path, scaled(min_replicas=2)) as program:
        await program.up(2)
        slow = [asyncio.create_task(get(program.port, "/slow?ms=1500")) for _ in range(6)]
        await wait_until(lambda: program.service()["load"] > 1)
        drained = await program.command("drain", "web", "web-1")
        assert drained.out == "web-1: no new requests from now on; it is stopped when those it has are done\n"
        await wait_until(lambda: program.states() == {"web-2": "ready", "web-3": "ready"})
        assert [(await answer).status for answer in slow] == [200] * 6
        assert (await program.command("drain", "web", "web-1")).code == 4


async def test_an_idle_service_goes_to_zero_and_the_next_request_waits_for_a_replica(tmp_path: Path) -> None:
    rules = scaled(min_replicas=0, scale_to_zero={"idle_after": "2s", "wake_timeout": "20s"})
    async with program_with(tmp_path, rules, app=UVICORN) as program:
        await program.up()
        for replica in ("web-2", "web-3"):
            await program.ready(0)
            answers = await asyncio.gather(*(get(program.port) for _ in range(10)))
            assert [answer.status for answer in answers] == [200] * 10
            assert replica in program.states()
