"""The controller is stopped (SIGSTOP) for a while under load, as by a machine that swaps or a debugger: traffic goes on untouched."""

import asyncio
import signal
from pathlib import Path

from tests.support import get, wait_until
from tests.system.apps import TINY, running, written
from tests.system.load import wrk
from tests.system.program import Program, ecluse
from tests.system.tools import in_full

STOPPED_S = in_full(30, 10)

# Nine requests at once ask for two replicas; windows so short that a single wrong sample would change that.
RULES = {
    "min_replicas": 1,
    "max_replicas": 4,
    "metrics": [{"type": "concurrency", "target": 6}],
    "stable_window": "6s",
    "burst": {"window": "2s", "threshold": "110%"},
    "behavior": {"scale_down": {"stabilization_window": "1s"}},
}
# A probe is under way most of the time, also when the controller stops, and a single failure ejects.
PROBES = {"readiness": {"path": "/slow?ms=200", "interval": "250ms", "timeout": "1s", "fall": 1}}


async def decisions(program: Program, count: int) -> None:
    """Until so many more have been made."""

    def made() -> float:
        return sum(program.metrics("ecluse_decisions_total").values())

    before = made()
    await wait_until(lambda: made() >= before + count)


async def test_traffic_goes_on_and_the_pause_is_no_reason_to_scale_or_eject(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, probes=PROBES, autoscale=RULES)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up()
        async with wrk(program.port, "/slow?ms=50", connections=9, pause_ms=0) as load:
            await program.ready(2)
            before = {event["id"] for event in program.events()}
            program.signal(signal.SIGSTOP)
            await asyncio.sleep(STOPPED_S)
            statuses = [(await get(program.port)).status for _ in range(20)]
            program.signal(signal.SIGCONT)
            await decisions(program, 4)
            assert [event for event in program.events() if event["id"] not in before] == []
            outcome = await load.end()
        assert statuses == [200] * 20
        assert outcome.lost == 0
        assert outcome.requests > STOPPED_S * 20
        await program.ready(1)  # the load has ended: scaling goes on
