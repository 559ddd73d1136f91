"""What is remembered of our containers beyond what the engine tells: what was asked of each, its crashes, its next start. Pure, but
for the memory itself: time and randomness are passed in."""

import math
import signal
from dataclasses import dataclass, field
from enum import StrEnum

from autoscaler.cluster.docker.container import Container, State
from autoscaler.cluster.restarts import Crashes, RestartPolicy, after_crash, delay_s

LAST_OUTPUT = 200  # characters of the last line that are shown
_SIGNALLED = 128  # an exit status above it is a signal's number and this


class Intent(StrEnum):
    """What is under way with a container."""

    NONE = "none"
    STARTING = "starting"  # created by us a moment ago, or started again
    REPLACING = "replacing"  # stopped by us, to be started again
    STOPPING = "stopping"  # stopped by us, for good
    HALTED = "halted"  # stopped by somebody else, with a signal that asks it to end

    @property
    def leaves(self) -> bool:
        """Whether it is on its way out."""
        return self in {Intent.STOPPING, Intent.HALTED}


@dataclass
class Life:
    """One container's. due_s: when it is started again, None while nothing is due. Times are CLOCK_MONOTONIC.

    since_s: when it was made, 0 while that is not known; ran_from_s: when it was started last (started_s: the same by the engine's clock);
    halted_s: when somebody was seen to stop it.
    """

    since_s: float
    ran_from_s: float = 0.0
    started_s: float = 0.0
    intent: Intent = Intent.NONE
    grace_s: float = 0.0
    halted_s: float = 0.0
    restarts: int = 0
    crashes: Crashes = field(default_factory=Crashes)
    ending: tuple[float, float, str] | None = None
    why: str = ""
    last_line: str = ""
    due_s: float | None = None

    def crashed(self, container: Container, policy: RestartPolicy, now_s: float, random: float) -> None:
        """Take note of how it ended, once for each end, and set the time of its next start."""
        ran_s = max(0.0, container.finished_s - container.started_s) if container.started_s else 0.0
        self.ending, self.last_line = container.ending, ""
        self.crashes = after_crash(self.crashes, policy, ran_s, now_s)
        self.due_s = now_s + delay_s(self.crashes, policy, random)
        self.why = ended(container)
        if self.crashes.count > 1:
            self.why += f" ({self.crashes.count} times in {now_s - self.crashes.first_at_s:.0f} s)"

    def failed(self, why: str, policy: RestartPolicy, now_s: float, random: float) -> None:
        """It could not even be started again."""
        self.crashes = after_crash(self.crashes, policy, 0.0, now_s)
        self.due_s = now_s + delay_s(self.crashes, policy, random)
        self.why, self.last_line = f"could not be started again: {why}", ""

    def looping(self, policy: RestartPolicy, settled: bool) -> bool:
        """Whether it crashes again and again."""
        return self.crashes.count >= policy.loop_after and not settled

    def waits(self, now_s: float) -> str:
        """Why it does not run, in words."""
        last = f"; last output: {self.last_line[:LAST_OUTPUT]}" if self.last_line else ""
        when = (
            f", starts again in {max(0, math.ceil(self.due_s - now_s))} s"
            if self.due_s is not None
            else ", is being started again"
        )
        return f"{self.why or 'does not run'}{when}{last}"


def ended(container: Container) -> str:
    """How a container ended, in words."""
    if container.state is State.CREATED or (container.error and container.state is State.EXITED):
        return f"could not be started: {container.error or 'it was created and never started'}"
    if container.out_of_memory:
        limit = f"; its limit is {container.memory / 2**20:g} MiB" if container.memory else ""
        return f"was killed for want of memory{limit}"
    if container.exit_code > _SIGNALLED:
        return f"was killed by {_signal(container.exit_code - _SIGNALLED)}"
    return f"exited with status {container.exit_code}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def asks_to_end(number: str, stop_signal: str) -> bool:
    """Whether a signal ("15") is the one by which a container is stopped. SIGKILL alone is not: a crash looks the same."""
    wanted = stop_signal.removeprefix("SIG") or "TERM"
    known = {member.name.removeprefix("SIG"): str(member.value) for member in signal.Signals}
    return number == known.get(wanted, wanted)
