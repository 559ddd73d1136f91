"""The controller is killed with SIGKILL under load: nothing is left, and the next run begins from nothing."""

import signal
from pathlib import Path

from tests.support import get, wait_until
from tests.system.apps import UVICORN, running, written
from tests.system.load import wrk
from tests.system.program import ecluse

PARTS = {"-m uvicorn": 2, "autoscaler.cluster.processes.keeper": 1, "balancer.worker": 2}


async def test_replicas_keeper_and_workers_are_gone_and_a_new_run_adopts_nothing(tmp_path: Path) -> None:
    web = running(UVICORN, tmp_path, minimum=2)
    async with ecluse(tmp_path, str(written(tmp_path / "first.yaml", {"web": web}))) as first:
        await first.up(2)
        async with wrk(first.port, "/?ms=200", pause_ms=0):
            former = first.family()
            assert [
                sum(words in line for line in former.values()) for words in ("-m uvicorn", "processes.keeper", "balancer.worker")
            ] == [2, 1, 2]
            first.signal(signal.SIGKILL)
            await first.ended()
            await wait_until(lambda: not first.family(), 8)
    again = written(tmp_path / "second.yaml", {"web": web}, listen=f"127.0.0.1:{first.port}")
    async with ecluse(tmp_path, str(again)) as second:
        await second.up(2)
        assert (await get(second.port)).status == 200
        assert not former.keys() & second.family().keys()
        assert len(second.pids("-m uvicorn")) == 2
        assert second.states() == {"web-1": "ready", "web-2": "ready"}
