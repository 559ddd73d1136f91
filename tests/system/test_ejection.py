"""A replica whose probes pass and whose answers are no good: taken out at once, told of, and back when it is better."""

from pathlib import Path
from typing import Any

from tests.support import connect, get, wait_until
from tests.system.apps import TINY, running, written
from tests.system.program import Program, ecluse
from tests.system.test_crashes import port_of

PROBES = {"readiness": {"path": "/healthz", "interval": "200ms", "rise": 2}}


def states(program: Program) -> dict[str, str]:
    return {each["id"]: each["state"] for each in program.service("web")["replicas"]}


async def asked(program: Program, count: int) -> list[int]:
    async with connect(program.port) as client:
        return [(await client.request("GET", "/work")).status for _ in range(count)]


def web(folder: Path, **balance: Any) -> Path:
    scale = {"min_replicas": 3, "max_replicas": 3}
    return written(folder / "ecluse.yaml", {"web": running(TINY, folder, probes=PROBES, autoscale=scale, balance=balance)})


async def test_a_replica_that_fails_again_and_again_is_out_until_it_is_better(tmp_path: Path) -> None:
    async with ecluse(tmp_path, str(web(tmp_path, ejection={"failures": 4, "time": "1s"}))) as program:
        await program.up(3)
        port = port_of(program, "web-2")
        await get(port, "/work?status=503", body=b"x")
        await asked(program, 60)
        await wait_until(lambda: states(program)["web-2"] == "ejected")
        told = next(each for each in program.events("ejected") if each["replica"] == "web-2")
        assert "attempts in a row failed; out for 1 s" in told["message"]
        await program.up_to_date()
        assert set(await asked(program, 30)) == {200}
        await get(port, "/work?status=200", body=b"x")
        await wait_until(lambda: states(program)["web-2"] == "ready")
        await program.up_to_date()
        assert set(await asked(program, 30)) == {200}


async def test_where_most_fail_they_are_kept(tmp_path: Path) -> None:
    async with ecluse(tmp_path, str(web(tmp_path, ejection={"failures": 4, "time": "60s"}))) as program:
        await program.up(3)
        for name in ("web-1", "web-2", "web-3"):
            await get(port_of(program, name), "/work?status=503", body=b"x")
        await asked(program, 200)
        await wait_until(lambda: list(states(program).values()).count("ejected") == 1)
        await asked(program, 100)
        assert sorted(states(program).values()) == ["ejected", "ready", "ready"]
