"""SIGHUP again and again under steady load, with files that are good and files that are not: no request may notice."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import wait_until
from tests.system.apps import NODE, TINY, running, written
from tests.system.load import wrk
from tests.system.program import Program, ecluse
from tests.system.tools import in_full

ROUNDS = in_full(8, 2)  # each round reads every one of these good files, and a bad one after each

# What is changed, beside the file that the program was started with.
GOOD: tuple[Mapping[str, Any], ...] = (
    {"limits": {"head": "16KiB", "pool_per_replica": 0}},
    {"listen": ["127.0.0.1:0", "127.0.0.2:0"]},
    {"timeouts": {"pool_idle": "1s"}, "access_log": {"file": "access.log"}},
    {"services": {"web": {"balance": {"policy": "round_robin", "max_concurrency": 3}}}},
    {"services": {"web": {"environment": {"COLOUR": "blue"}}}},  # replaces the replicas, one by one
    {"services": {"other": {"routes": [{"path": "/other"}]}}},  # one more service, gone again after the next file
    {},
)
BAD = ("services: {", "services: {web: {comand: x}}", "workers: 7\nservices: {web: {command: 'true'}}")


def file_with(tmp_path: Path, change: Mapping[str, Any]) -> Path:
    services = change.get("services", {})
    web = running(NODE, tmp_path, **{"autoscale": {"min_replicas": 2}, **services.get("web", {})})
    others = {name: running(TINY, tmp_path, **keys) for name, keys in services.items() if name != "web"}
    return written(tmp_path / "ecluse.yaml", {"web": web, **others}, **{k: v for k, v in change.items() if k != "services"})


async def reload(program: Program, kind: str) -> None:
    """SIGHUP, until it is answered as it should be."""
    before = answers(program)
    program.signal(signal.SIGHUP)
    await wait_until(lambda: answers(program) != before)
    assert answers(program)[len(before) :] == [kind], program.events()[-1]


def answers(program: Program) -> list[str]:
    return [each["kind"] for each in program.events() if each["kind"] in {"reloaded", "reload_failed"}]


async def settled(program: Program) -> None:
    """Until two replicas of the command and environment in use are all that is there."""
    await program.up_to_date()
    await program.ready(2)
    await program.up_to_date()


async def test_no_request_fails_while_the_configuration_changes(tmp_path: Path) -> None:
    async with ecluse(tmp_path, str(file_with(tmp_path, {}))) as program:
        await program.up(2)
        async with wrk(program.port) as kept, wrk(program.port, close=True, connections=4) as fresh:
            for _ in range(ROUNDS):
                for number, change in enumerate(GOOD):
                    file = file_with(tmp_path, change)
                    await reload(program, "reloaded")
                    await settled(program)
                    file.write_text(BAD[number % len(BAD)])
                    await reload(program, "reload_failed")
            outcomes = {"kept connections": await kept.end(), "a connection each": await fresh.end()}
        overview = program.overview()
    assert (overview["reloads"], overview["reloads_failed"]) == (ROUNDS * len(GOOD),) * 2
    assert {name: outcome for name, outcome in outcomes.items() if outcome.lost} == {}
    assert all(outcome.requests > 20 * ROUNDS for outcome in outcomes.values()), outcomes
