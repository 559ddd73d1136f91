"""`slo` mode in earnest: an application that the program has never seen, an objective, and nothing else."""

from pathlib import Path

from tests.support import wait_until
from tests.system.apps import TINY, running, written
from tests.system.load import wrk
from tests.system.program import ecluse

MISSED_S = 40.0  # a window of 10 s after the replica has settled, and what a busy machine adds


async def test_a_missed_objective_brings_replicas_and_loses_nothing(tmp_path: Path) -> None:
    """Each request takes 60 ms and one is let in at a time, so that the others wait in the proxy's own queue."""
    balance = {"max_concurrency": 1, "queue": 100}
    web = running(TINY, tmp_path, maximum=4, balance=balance, autoscale={"slo": "p95 under 150ms"})
    async with ecluse(tmp_path, str(written(tmp_path / "ecluse.yaml", {"web": web}))) as program:
        await program.up()
        async with wrk(program.port, "/slow?ms=60", connections=8, pause_ms=20) as load:
            await wait_until(lambda: program.service()["ready"] > 1, MISSED_S)
            learned = await wait_until(lambda: program.service()["slo"]["concurrency"], MISSED_S)
            assert (await load.end()).lost == 0
        assert learned >= 1
        assert "p95 stays under 150 ms up to" in program.service()["slo"]["why"]
        assert "p95 stays under 150 ms up to" in (await program.command("explain", "web")).out
