"""What local instances use, read through psutil: processor seconds and memory of all their processes, and what they may use.

Asked for in one turn of the event loop, read together in a thread, at most once a second, and only for those that were asked for. For
100 instances of two small processes each that takes 15 ms of the thread, 50 ms with their memory, and 0.3 ms of the event loop.

- *Memory* is the proportional set size (PSS): a page that n processes share counts 1/n in each, so that the sum over an instance's
  processes is what it holds. Resident sizes (RSS) would count all that forked workers share with their parent once for each; RSS less
  what is shared with files (the cheap figure in /proc/PID/statm) too, since pages shared after a fork are anonymous. For PSS the
  kernel walks the page tables (3 ms per GiB here), and the process waits with changes of its memory map meanwhile: so it is read
  every MEMORY_EVERY_S only. Where another user's process hides it, RSS stands in.
- *What it may use* is the affinity of its first process and the tightest control group above it, or all that the machine has. A limit on
  the address space (RLIMIT_AS) holds for each process by itself, so it counts as often as there are processes. What several
  instances share, as a container around Écluse itself, each of them may use: a `request` says what one is meant to.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from autoscaler.cluster.engine import Usage
from autoscaler.cluster.processes import cgroups
from autoscaler.cluster.processes.account import Account, Life, Times
from autoscaler.cluster.processes.family import families, processes

EVERY_S = 0.9  # of a tick of a second, which may come a little early
MEMORY_EVERY_S = 5.0  # memory is a state, and changes slowly


class Meter:
    """One run of one instance. first: the pid of its first process."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.last: Usage | None = None
        self._account = Account()
        self._memory_at_s = -MEMORY_EVERY_S

    def read(self, pids: Iterable[int], now_s: float) -> None:
        """Take a reading. Nothing is known of one whose first process has ended."""
        family = [process for pid in pids if (process := _process(pid))]
        self._account.take(dict(entry for process in family if (entry := _times(process))))
        with suppress(psutil.Error, OSError):
            self.last = self._usage(family, now_s)

    def _usage(self, family: list[psutil.Process], now_s: float) -> Usage:
        last, used_s = self.last, self._account.total_s
        if last and now_s - self._memory_at_s < MEMORY_EVERY_S:
            return Usage(now_s, used_s, last.cpus, last.memory, last.memory_limit)
        self._memory_at_s = now_s
        cpus, memory_limit = _allowed(psutil.Process(self.first), len(family))
        return Usage(now_s, used_s, cpus, sum(map(_memory, family)), memory_limit)


class Meters:
    """Of one engine. keeper: the pid of what adopts processes whose parents have ended."""

    def __init__(self, keeper: Callable[[], int], clock: Callable[[], float]) -> None:
        self._keeper = keeper
        self._clock = clock
        self._meters: dict[str, Meter] = {}
        self._asked: set[str] = set()
        self._read_at_s = -EVERY_S
        self._reading: asyncio.Task[None] | None = None

    def read(self, instance_id: str, first: int) -> Usage | None:
        """The last reading, and a wish for the next one; None before the first."""
        meter = self._meters.get(instance_id)
        if not meter or meter.first != first:
            meter = self._meters[instance_id] = Meter(first)
        self._asked.add(instance_id)
        if not self._reading and self._clock() - self._read_at_s >= EVERY_S:
            self._reading = asyncio.create_task(self._read_all(), name="what local instances use")
        return meter.last

    def forget(self, instance_id: str) -> None:
        """It is gone."""
        self._meters.pop(instance_id, None)

    async def close(self) -> None:
        """Returns when nothing is being read any more."""
        if self._reading:
            await self._reading

    async def _read_all(self) -> None:
        """It begins when this turn of the loop is over, and so all have asked."""
        self._read_at_s = self._clock()
        meters = {name: meter for name in self._asked if (meter := self._meters.get(name))}
        self._asked = set()
        try:
            await asyncio.to_thread(self._read, meters, self._keeper())
        finally:
            self._reading = None

    def _read(self, meters: dict[str, Meter], keeper: int) -> None:
        found = families(processes(ended=True), keeper, {meter.first: name for name, meter in meters.items()})
        for name, meter in meters.items():
            meter.read(found[name], self._clock())


def _process(pid: int) -> psutil.Process | None:
    with suppress(psutil.Error):  # it ended meanwhile
        return psutil.Process(pid)
    return None


def _times(process: psutil.Process) -> tuple[Life, Times] | None:
    with suppress(psutil.Error), process.oneshot():  # as above
        times = process.cpu_times()
        waited_s = times.children_user + times.children_system
        return Life(process.pid, process.create_time()), Times(process.ppid(), times.user + times.system, waited_s)
    return None


def _memory(process: psutil.Process) -> int:
    with suppress(psutil.AccessDenied):
        return _octets(lambda: process.memory_full_info().pss)
    return _octets(lambda: process.memory_info().rss)


def _octets(read: Callable[[], int]) -> int:
    """Nothing of one that has ended."""
    with suppress(psutil.NoSuchProcess):
        return read()
    return 0


def _allowed(first: psutil.Process, count: int) -> tuple[float, int]:
    """Cores and octets that `count` processes may use, of which this is the first. Raises psutil.Error, OSError."""
    groups = cgroups.limits(Path(f"/proc/{first.pid}/cgroup").read_text())
    cores = float(len(first.cpu_affinity()))
    octets = [psutil.virtual_memory().total, groups.memory, _address_space(first, count)]
    return min(cores, groups.cpus or cores), min(each for each in octets if each is not None)


def _address_space(first: psutil.Process, count: int) -> int | None:
    soft, _ = first.rlimit(psutil.RLIMIT_AS)
    return None if soft == psutil.RLIM_INFINITY else soft * count
