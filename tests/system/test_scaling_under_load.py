"""Fifty times up and fifty times down under steady load, before real applications: no request may notice.

With CI=true it is fifty; otherwise six, which shows nearly the same in an eighth of the time.
"""

import random
from pathlib import Path

import pytest

from tests.support import wait_until
from tests.system.apps import NGINX, NODE, TINY, UVICORN, App, running, written
from tests.system.load import Outcome, wrk
from tests.system.program import Program, ecluse
from tests.system.tools import in_full

TIMES = in_full(50, 6)
TURNS = in_full(60, 15)


async def up_and_down(program: Program, times: int) -> None:
    for _ in range(times):
        for count in (2, 1):
            program.scale(count)
            await program.ready(count)


def changes(program: Program) -> tuple[int, int]:
    """How often the count went up, and how often down, as decided and as done."""
    decided = [each["message"] for each in program.events("decision")]
    ups = sum("from 1 to 2" in message for message in decided)
    assert ups == len(program.events("ready")) - 1
    assert len(decided) - ups == len(program.events("gone"))
    return ups, len(decided) - ups


async def idle(program: Program) -> bool:
    """Whether, for a moment, nothing at all is in flight or waits: a request that hangs would keep this from ever being so."""
    service = program.service()
    return not service["reading"]["waiting"] and not any(replica["reading"]["in_flight"] for replica in service["replicas"])


@pytest.mark.parametrize("app", [UVICORN, NODE, NGINX], ids=lambda app: app.name)
async def test_no_request_fails_while_replicas_come_and_go(tmp_path: Path, app: App) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(app, tmp_path, maximum=2)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up()
        async with wrk(program.port) as kept, wrk(program.port, close=True, connections=4) as fresh:
            await up_and_down(program, TIMES)
            await wait_until(lambda: idle(program))
            outcomes = {"kept connections": await kept.end(), "a connection each": await fresh.end()}
        assert changes(program) == (TIMES, TIMES)
    assert {name: outcome for name, outcome in outcomes.items() if outcome.lost} == {}
    assert all(busy(outcome) for outcome in outcomes.values()), outcomes


def busy(outcome: Outcome) -> bool:
    return outcome.requests > 20 * TIMES


async def turn_to(program: Program, count: int) -> None:
    """Set the count, and wait until that has begun: told, decided, and a first replica starts or drains."""
    seen = len(program.events(service="web"))
    program.scale(count)
    await wait_until(lambda: len(program.events(service="web")) >= seen + 3)


async def test_no_request_fails_while_the_count_changes_faster_than_replicas_can_follow(tmp_path: Path) -> None:
    """As many requests as the machine carries, more than the replicas may take at once, so that some always wait in line."""
    balance = {"max_concurrency": 4, "queue": 100, "queue_timeout": "30s"}
    rng = random.Random(1)
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, maximum=4, balance=balance)})
    async with ecluse(tmp_path, str(file)) as it:
        await it.up()
        async with (
            wrk(it.port, "/slow?ms=10", connections=32, pause_ms=0) as kept,
            wrk(it.port, "/slow?ms=10", connections=16, pause_ms=0, close=True) as fresh,
        ):
            for _ in range(TURNS):
                await turn_to(it, rng.randint(2, 4))
                await turn_to(it, 1)
            await it.ready(1)
            outcomes = [await kept.end(), await fresh.end()]
        assert it.events("drain_timeout") == []
    assert [outcome.lost for outcome in outcomes] == [0, 0], outcomes
