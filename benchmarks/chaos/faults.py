"""What goes wrong, and when: a seeded order of faults, of which at most BAD replicas bear one at the same time.

Every fault ends: what hangs goes on or is killed, what is slow or answers nonsense recovers. Between two kills of the program there is time
for all replicas to be ready again.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from typing import Any

import httpx

from benchmarks.chaos.clients import Ledger
from benchmarks.chaos.house import House

BAD = 2  # replicas at once, of five
PAUSE_S = (0.3, 1.2)  # between faults of replicas
MODES = ("slow", "none", "head", "chunk", "cut", "busy")
MODE_S = 1.5
WORKER_S = 15.0
CONTROLLER_S = 40.0


class Faults:
    """counted: how many of each kind."""

    def __init__(self, house: House, ledger: Ledger, rng: random.Random, zero_s: float) -> None:
        self.counted: Counter[str] = Counter()
        self._house = house
        self._ledger = ledger
        self._rng = rng
        self._zero_s = zero_s
        self._bearing: set[str] = set()
        self._calm = asyncio.Event()
        self._calm.set()

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() - self._zero_s

    async def replicas(self) -> None:
        """Faults of replicas, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(self._rng.uniform(*PAUSE_S))
                await self._calm.wait()
                able = [each for each in await self._house.ready() if each["id"] not in self._bearing]
                if len(self._bearing) < BAD and len(able) > BAD:
                    victim = self._rng.choice(able)
                    self._bearing.add(victim["id"])
                    group.create_task(self._harm(victim))

    async def _harm(self, replica: dict[str, Any]) -> None:
        kind = self._rng.choice(("killed", "hung", "hung and killed", *MODES))
        self.counted[f"replica: {kind}"] += 1
        pid = replica["pid"]
        with suppress(ProcessLookupError, httpx.HTTPError):
            if kind == "killed":
                os.kill(pid, signal.SIGKILL)
            elif kind in MODES:
                await self._tell(replica, kind)
                await asyncio.sleep(MODE_S)
            else:
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(MODE_S)
                os.kill(pid, signal.SIGCONT if kind == "hung" else signal.SIGKILL)
        await asyncio.sleep(MODE_S)
        self._bearing.discard(replica["id"])

    async def _tell(self, replica: dict[str, Any], mode: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            await client.get(f"http://{replica['address']}/chaos?mode={mode}&s={MODE_S}")

    async def workers(self) -> None:
        """A worker is killed now and then."""
        while True:
            await asyncio.sleep(WORKER_S * self._rng.uniform(0.7, 1.3))
            await self._calm.wait()
            pids = [pid for name, pid in (await self._house.processes()).items() if name.startswith("worker")]
            if pids:
                self._ledger.killed_s.append(self._now_s())
                with suppress(ProcessLookupError):
                    os.kill(self._rng.choice(pids), signal.SIGKILL)
                self.counted["worker killed"] += 1

    async def controller(self, until_s: float) -> None:
        """The controller is killed now and then, and the program started again by whoever supervises it. Not in the second half of the
        run: of a long life it shows whether memory stays flat."""
        while self._now_s() < until_s:
            await asyncio.sleep(CONTROLLER_S * self._rng.uniform(0.8, 1.2))
            self._calm.clear()
            since_s = self._now_s()
            await self._house.kill()
            await self._house.start()
            self._ledger.down.append((since_s, self._now_s()))
            self.counted["controller killed"] += 1
            self._calm.set()

    async def reloads(self) -> None:
        """The configuration changes every second."""
        while True:
            await asyncio.sleep(1.0)
            if self._calm.is_set():
                self._house.reload()
                self.counted["configuration reloaded"] += 1
