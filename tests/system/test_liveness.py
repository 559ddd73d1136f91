"""Replicas that are not alive: a hung one and one that says so itself are restarted, and nobody who asks notices more than one try."""

import os
import signal
from pathlib import Path

from tests.support import get, wait_until
from tests.system.apps import TINY, running, written
from tests.system.program import ecluse
from tests.system.test_crashes import port_of

PROBES = {
    "readiness": {"path": "/healthz", "interval": "200ms", "timeout": "500ms"},
    "liveness": {"path": "/livez", "interval": "200ms", "timeout": "500ms", "fall": 2},
}


async def test_a_hung_replica_is_restarted(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, probes=PROBES, autoscale={"min_replicas": 2})})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up(2)
        hung = next(each for each in program.service("web")["replicas"] if each["id"] == "web-1")
        os.kill(hung["pid"], signal.SIGSTOP)
        await wait_until(lambda: "restarted" in [each["kind"] for each in program.events() if each["replica"] == "web-1"], 40)
        await wait_until(lambda: program.service("web")["ready"] == 2, 20)
        again = next(each for each in program.service("web")["replicas"] if each["id"] == "web-1")
        assert again["pid"] != hung["pid"]
        assert (await get(program.port, "/")).status == 200


async def test_a_replica_that_says_that_it_is_not_alive_is_restarted(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, probes=PROBES)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up()
        await get(port_of(program, "web-1"), "/livez?status=500", body=b"x")
        await wait_until(lambda: "restarted" in [each["kind"] for each in program.events()], 30)
        told = next(each for each in program.events() if each["kind"] == "restarted")
        assert told["message"] == "was not alive: 2 probes in a row failed, the last one: answered 500 instead of 200 to 399"
        await wait_until(lambda: program.service("web")["ready"] == 1, 20)
