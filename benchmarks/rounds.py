"""Runs the rounds: every peer in turn, again and again, so that what the machine does meanwhile falls on all of them alike."""

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.peers import LOAD_CORE, Peer
from benchmarks.processes import Process
from benchmarks.work import Work

_REQUESTS = re.compile(r"(\d+) requests in")
_ERRORS = re.compile(r"Socket errors: (.*)|Non-2xx or 3xx responses: (\d+)")


@dataclass(slots=True)
class Figures:
    """What one peer did at one kind of work: requests per CPU-second of its processes, a number a round; and what went wrong."""

    per_cpu_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle round."""
        return median(self.per_cpu_s)


def measure(
    works: Sequence[Work],
    running: Sequence[tuple[Peer, Process, int]],
    rounds: int,
    seconds: float,
    folder: Path,
    tell: Callable[[str], None],
) -> dict[str, dict[str, Figures]]:
    """Figures by work and peer. `tell` hears of progress."""
    results = {work.name: {peer.name: Figures() for peer, _, _ in running} for work in works}
    for work in works:
        script = folder / f"{work.name}.lua"
        script.write_text(work.script)
        for number in range(rounds):
            for peer, process, port in running:
                figures = results[work.name][peer.name]
                requests, cpu_s, errors = run_once(work, process, port, seconds, script)
                figures.per_cpu_s.append(requests / cpu_s if cpu_s else 0.0)
                figures.errors += errors
                tell(f"{work.name} round {number + 1}/{rounds} {peer.name}: {figures.per_cpu_s[-1]:,.0f} requests per CPU-second")
    return results


def run_once(work: Work, process: Process, port: int, seconds: float, script: Path) -> tuple[int, float, list[str]]:
    """(requests, CPU seconds of the proxy, errors in wrk's words) of one round."""
    command = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t", "1", "-c", str(work.connections), "-d", f"{seconds:g}s"]
    if work.script:
        command += ["-s", str(script)]
    before = process.cpu_s()
    done = subprocess.run([*command, f"http://127.0.0.1:{port}{work.path}"], capture_output=True, text=True, check=True)
    after = process.cpu_s()
    found = _REQUESTS.search(done.stdout)
    return int(found[1]) if found else 0, after - before, [line[0] for line in _ERRORS.finditer(done.stdout)]
