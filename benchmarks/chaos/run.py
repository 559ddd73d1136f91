"""Puts the chaos run together, for so long, and says what came of it."""

import argparse
import asyncio
import os
import random
import shutil
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.chaos import NAME
from benchmarks.chaos.clients import Client, Ledger
from benchmarks.chaos.faults import Faults
from benchmarks.chaos.house import House, descriptors, resident

__all__ = ["NAME", "chaos", "main"]  # what `python -m benchmarks` and the tests use

CLIENTS = 24
DISK = "8m"
FULL_S, ROOM_S = 6.0, 4.0  # how long the log's disk is full, and has room
SAMPLE_S = 1.0
SETTLED_S = 5.0
COUNTED = (
    ("attempts after the first", "ecluse_retries_total"),
    ("of these denied, as the budget was spent", "ecluse_retries_denied_total"),
    ("replicas ejected for their answers", "ecluse_ejections_total"),
    ("log lines written", "ecluse_access_log_lines_total"),
    ("log lines dropped while the disk was full", "ecluse_access_log_lines_dropped_total"),
)
MIB = 1024**2


@dataclass(slots=True)
class Report:
    """used: of each process, (since its start in seconds, octets in memory, descriptors)."""

    seconds: float
    ledger: Ledger
    faults: Counter[str]
    used: dict[tuple[str, int], list[tuple[float, int, int]]] = field(default_factory=dict)
    counted: dict[str, float] = field(default_factory=dict)

    def growth(self) -> dict[str, tuple[float, float, int, int]]:
        """By kind of process: the most MiB, MiB per minute in the second half of the longest life, the least and most descriptors."""
        found: dict[str, tuple[float, float, int, int]] = {}
        for kind in ("controller", "worker"):
            lives = [samples for (name, _), samples in self.used.items() if name.startswith(kind)]
            longest = max(lives, key=len, default=[])
            counts = [each[2] for life in lives for each in life if each[0] >= SETTLED_S] or [0]
            most = max((each[1] for life in lives for each in life), default=0) / MIB
            found[kind] = (most, slope(longest[len(longest) // 2 :]), min(counts), max(counts))
        return found

    def lines(self) -> list[str]:
        """For people."""
        latencies = sorted(self.ledger.latencies)
        p50, p99 = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99)) if latencies else (0.0, 0.0)
        rows = [f"| requests | {sum(self.ledger.outcomes.values()):,} in {self.seconds:.0f} s |"]
        rows += [f"| {name} | {count:,} |" for name, count in sorted(self.ledger.outcomes.items(), key=lambda each: -each[1])]
        rows += [f"| lost | {self.ledger.outcomes['lost']} |"] if "lost" not in self.ledger.outcomes else []
        rows += [f"| latency p50, p99 | {p50:.1f} ms, {p99:.0f} ms |"]
        rows += [f"| {name} | {count} times |" for name, count in sorted(self.faults.items())]
        for kind, (most, slope_, least, top) in self.growth().items():
            rows.append(
                f"| {kind}: memory at most; growth in the second half of the longest life | {most:.0f} MiB; {slope_:+.2f} MiB/min |"
            )
            rows.append(f"| {kind}: descriptors | {least} to {top} |")
        rows += [
            f"| {words} (since the last start of the program or of a worker) | {self.counted.get(name, 0):,.0f} |"
            for words, name in COUNTED
        ]
        return ["| what | how much |", "|---|---|", *rows]


def slope(life: Sequence[tuple[float, int, int]]) -> float:
    """MiB per minute: the line of least squares through a process's memory."""
    if not life:
        return 0.0
    count, total = len(life), sum(each[0] for each in life)
    mean_s, mean = total / count, sum(each[1] for each in life) / count
    over = sum((each[0] - mean_s) ** 2 for each in life)
    return sum((each[0] - mean_s) * (each[1] - mean) for each in life) / over / MIB * 60 if over else 0.0


def chaos(seconds: float, seed: int) -> Report:
    """The whole run, in a folder of its own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "log").mkdir()
        report = asyncio.run(_chaos(folder, seconds, random.Random(seed)))
        shutil.copy(folder / "said", Path(os.environ.get("CHAOS_SAID", os.devnull)))
        return report


async def _chaos(folder: Path, seconds: float, rng: random.Random) -> Report:
    async with small_disk(folder / "log") as disk:
        house = House(folder, *free_ports(), disk / "access.log")
        await house.start()
        try:
            return await _under_load(house, disk, seconds, rng)
        finally:
            await house.stop()


async def _under_load(house: House, disk: Path, seconds: float, rng: random.Random) -> Report:
    zero_s, stop, ledger = asyncio.get_running_loop().time(), asyncio.Event(), Ledger()
    faults = Faults(house, ledger, rng, zero_s)
    report = Report(seconds, ledger, faults.counted)
    clients = [
        asyncio.create_task(Client(house.port, ledger, random.Random(rng.random()), zero_s).run(stop)) for _ in range(CLIENTS)
    ]
    harm = [
        faults.replicas(),
        faults.workers(),
        faults.controller(seconds / 2),
        faults.reloads(),
        fill(disk),
        watch(house, report, zero_s),
    ]
    tasks = [asyncio.create_task(each) for each in harm]
    await asyncio.wait([*tasks], timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    stop.set()
    await asyncio.gather(*clients)
    ledger.judge()
    report.counted = await house.counted()
    return report


async def watch(house: House, report: Report, zero_s: float) -> None:
    """Memory and descriptors, once a second."""
    born: dict[int, float] = {}
    while True:
        await asyncio.sleep(SAMPLE_S)
        now_s = asyncio.get_running_loop().time() - zero_s
        for name, pid in (await house.processes()).items():
            since_s = now_s - born.setdefault(pid, now_s)
            if octets := resident(pid):
                report.used.setdefault((name, pid), []).append((since_s, octets, descriptors(pid)))


async def fill(disk: Path) -> None:
    """The disk of the log is full, and has room again, and so on."""
    while True:
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        await asyncio.sleep(FULL_S)
        (disk / "filler").unlink(missing_ok=True)
        with suppress(OSError):
            os.truncate(disk / "access.log", 0)
        await asyncio.sleep(ROOM_S)


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[Path]:
    """A disk that can be filled; without the right to mount one, a folder, which is not."""
    mounted = os.geteuid() == 0 and await _done("mount", "-t", "tmpfs", "-o", f"size={DISK}", "chaos", str(folder))
    try:
        yield folder
    finally:
        if mounted:
            await _done("umount", "-l", str(folder))


async def _done(*words: str) -> bool:
    """Whether a command succeeded."""
    return await (await asyncio.create_subprocess_exec(*words)).wait() == 0


def free_ports() -> tuple[int, int]:
    """Two that are free now."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


def main(words: Sequence[str]) -> int:
    """0: nothing was lost."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {NAME}", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    report = chaos(given.minutes * 60, given.seed)
    print("\n".join([*report.lines(), *report.ledger.lost]))
    return 1 if report.ledger.outcomes["lost"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
