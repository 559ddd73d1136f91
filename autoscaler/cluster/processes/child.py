"""One local instance over all its runs: where it stands, and how that is said in words. Starts and stops nothing."""

import asyncio
import math
import signal
from typing import NamedTuple

from autoscaler.cluster.address import Address
from autoscaler.cluster.engine import Instance, InstanceSpec, InstanceStatus
from autoscaler.cluster.restarts import Crashes, RestartPolicy, after_crash

LAST_OUTPUT = 200  # characters of the last line that are shown


class Ending(NamedTuple):
    """How a run ended, in words. crash: by itself, so that the next one waits."""

    words: str
    crash: bool = True


def ending(status: int | None) -> Ending:
    """The ending that an exit status means, as told by the keeper's link."""
    if status is None:
        return Ending("was killed, because its keeper died", crash=False)
    if status >= 0:
        return Ending(f"exited with status {status}")
    try:
        return Ending(f"was killed by {signal.Signals(-status).name}")
    except ValueError:
        return Ending(f"was killed by signal {-status}")


class Child:
    """One instance. `ended` is settled with the Ending of the current run; `leaving` is set once it is to go for good."""

    def __init__(self, instance_id: str, spec: InstanceSpec, policy: RestartPolicy) -> None:
        self.id = instance_id
        self.spec = spec
        self.run = 0
        self.address = Address()
        self.pid = 0
        self.restarts = 0
        self.status = InstanceStatus.BACKOFF
        self.crashes = Crashes()
        self.last_line = ""
        self.grace_s = spec.stop_grace_s
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.leaving = asyncio.Event()
        self.replaced = asyncio.Event()
        self.gone = asyncio.Event()
        self._policy = policy
        self._since_s = 0.0
        self._starts_at_s = 0.0
        self._why = ""

    def prepare(self, run: int, address: Address) -> None:
        """A new run is about to begin."""
        self.run, self.address, self.pid = run, address, 0
        self.last_line = ""
        self.ended = asyncio.get_running_loop().create_future()

    def begun(self, pid: int, now_s: float) -> None:
        """The new run is on its way. Whoever was told to leave meanwhile stays STOPPING."""
        self.pid, self._since_s = pid, now_s
        if not self.leaving.is_set():
            self.status = InstanceStatus.RUNNING
        self.replaced.set()

    def end(self, how: Ending) -> None:
        """The current run ended."""
        self.pid = 0
        if not self.ended.done():
            self.ended.set_result(how)

    def take_note(self, how: Ending, now_s: float) -> bool:
        """Remember how it ended. Whether it was a crash, which is counted; being replaced is none, whatever the exit status."""
        if not self.replaced.is_set():
            return False
        self._why = how.words
        if how.crash:
            ran_s = now_s - self._since_s if self.status is InstanceStatus.RUNNING else 0.0
            self.crashes = after_crash(self.crashes, self._policy, ran_s, now_s)
            if self.crashes.count > 1:
                self._why += f" ({self.crashes.count} times in {now_s - self.crashes.first_at_s:.0f} s)"
        return how.crash

    def back_off(self, now_s: float, delay_s: float) -> None:
        """Wait for the next start."""
        self.status, self._since_s, self._starts_at_s = InstanceStatus.BACKOFF, now_s, now_s + delay_s

    def replace(self, now_s: float) -> None:
        """End the current run and begin another one at once."""
        self.status, self._since_s, self._starts_at_s = InstanceStatus.BACKOFF, now_s, now_s
        self._why = "was taken out to be replaced"
        self.replaced.clear()

    def leave(self, grace_s: float, now_s: float) -> None:
        """It is to go for good. Told again, only a shorter grace changes anything."""
        self.grace_s = min(grace_s, self.grace_s) if self.leaving.is_set() else grace_s
        if not self.leaving.is_set():
            self.status, self._since_s = InstanceStatus.STOPPING, now_s
            self.leaving.set()

    def view(self, now_s: float) -> Instance:
        """It, as others see it."""
        return Instance(
            id=self.id,
            service=self.spec.service,
            address=str(self.address),
            status=self.status,
            since_s=self._since_s,
            pid=self.pid,
            restarts=self.restarts,
            crash_looping=self.crashes.count >= self._policy.loop_after and not self._is_settled(now_s),
            detail=self._detail(now_s),
        )

    def _is_settled(self, now_s: float) -> bool:
        return self.status is InstanceStatus.RUNNING and now_s - self._since_s >= self._policy.settled_s

    def _detail(self, now_s: float) -> str:
        if self.status is InstanceStatus.STOPPING:
            return f"asked to stop; has {self.grace_s:g} s before it is killed"
        if not self._why or self._is_settled(now_s):
            return ""
        if self.status is InstanceStatus.RUNNING:
            return f"runs again; before, it {self._why}"
        last = f"; last output: {self.last_line[:LAST_OUTPUT]}" if self.last_line else ""
        return f"{self._why}, starts again in {max(0, math.ceil(self._starts_at_s - now_s))} s{last}"
