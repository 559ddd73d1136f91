"""One run of an instance, as its keeper sees it: from one start to the end of the last process that came of it."""

import os
from collections.abc import Mapping

from autoscaler.cluster.processes.family import Process, family
from autoscaler.cluster.processes.lines import LineSplitter


class Run:
    """One start of one instance. kill_at_s: when SIGKILL follows; None while it may run. known: pids found to belong to it."""

    def __init__(self, number: int, replica: str, pid: int, output: int) -> None:
        self.number = number
        self.replica = replica
        self.pid = pid
        self.output = output
        self.lines = LineSplitter()
        self.lost = 0
        self.status: int | None = None
        self.kill_at_s: float | None = None
        self.known: set[int] = set()

    def family(self, running: Mapping[int, Process]) -> set[int]:
        """Its processes, of all that run."""
        return family(running, os.getpid(), self.pid, self.replica, self.known)

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to look at what is left of it."""
        return self.kill_at_s is not None and (self.status is not None or now_s >= self.kill_at_s)
