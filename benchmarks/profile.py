"""`python -m benchmarks.profile [WORK]`: where a worker's time goes under the load of one work.

The compiled worker is sampled by perf, and its symbols are grouped by who they belong to; the interpreted one runs under cProfile. Both run
without a controller (`direct.py`). A table is printed and written to `results/profile-WORK-BUILD.md`.
"""

import argparse
import marshal
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from balancer.hotpath import build
from balancer.table import ReplicaEntry, ReplicaState, RouteEntry, RoutingTable, ServiceEntry
from benchmarks import programs
from benchmarks.direct import WORKER, worker
from benchmarks.peers import PEERS
from benchmarks.record import RESULTS
from benchmarks.stand import Stand, allow_descriptors, set_up
from benchmarks.throughput import THROUGHPUTS, Throughput
from benchmarks.wrk import run

HERTZ = 1999
TOP = 25  # lines of a group or of the whole
# Whose a symbol is, by the file it stands in; the first that matches. Shares of a file's time are the file's own, not its callees'.
GROUPS = (
    ("kernel", re.compile(r"^\[")),
    ("hot path", re.compile(r"^(\w+)\.cpython.*\.so$")),
    ("interpreter", re.compile(r"^(lib)?python")),
    ("libc", re.compile(r"^(libc|libm|libpthread|ld-linux|linux-vdso|\[vdso)")),
)
MODULES = {path.stem for path in (Path(__file__).parent.parent / "balancer" / "hotpath").glob("*.py")}


@dataclass(frozen=True, slots=True)
class Cost:
    """A symbol's own share of the samples, in per cent."""

    group: str
    share: float
    file: str
    symbol: str


def main(words: Sequence[str]) -> int:
    """Profile one work on each build that is asked for; 1 if a program is missing."""
    works = {work.name: work for work in THROUGHPUTS}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("work", nargs="?", default="small", choices=works)
    parser.add_argument("--seconds", type=int, default=4, help="of load (default 4)")
    parser.add_argument("--builds", default="compiled,interpreted", help="by comma (default compiled,interpreted)")
    options = parser.parse_args(words)
    needed = ("wrk", "nginx", "taskset", "setpriv", "perf")
    programs.provide(needed, tell)
    missing = programs.absent(needed)
    if set(missing) - {"perf"}:
        tell(programs.advice(missing))
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    allow_descriptors()
    with set_up() as stand:
        if "compiled" in options.builds and not missing and build() == "compiled":
            costs = sampled(stand, works[options.work], options.seconds)
            write(f"profile-{options.work}-compiled", grouped(costs))
        elif "compiled" in options.builds:
            tell("compiled is left out: " + (programs.advice(missing) if missing else "the hot path is not compiled here"))
        if "interpreted" in options.builds:
            lines = traced(stand, works[options.work], options.seconds)
            write(f"profile-{options.work}-interpreted", lines)
    return 0


def sampled(stand: Stand, work: Throughput, seconds: int) -> list[Cost]:
    """What perf saw of the worker on the processor, in kernel and program."""
    data = stand.folder / "perf.data"
    with worker(stand, _table(stand, work)) as (peer, _):
        record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(HERTZ), "-o", str(data), "-p", str(peer.process.pid)]
        with subprocess.Popen([*record, "--", "sleep", str(seconds)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            run(work.load, peer.url, seconds, stand.cores.load, stand.folder)
    report = ["perf", "report", "-i", str(data), "--stdio", "--no-children", "-F", "overhead,dso,symbol", "-t", "|"]
    done = subprocess.run(report, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"perf report: {done.stderr.strip()}")
    return list(costs_of(done.stdout))


def costs_of(report: str) -> Iterator[Cost]:
    """The lines of `perf report -t '|'`: share, file, symbol."""
    for line in report.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 3 and cells[0].endswith("%"):
            share, file, symbol = cells
            yield Cost(group_of(file), float(share[:-1]), file, re.sub(r"^\[[.k]\] ", "", symbol))


def group_of(file: str) -> str:
    """Whose a file is."""
    group = next((name for name, pattern in GROUPS if pattern.match(file)), "other")
    if group == "hot path" and file.partition(".")[0] not in MODULES:
        return "interpreter"  # a compiled module of the standard library
    return group


def grouped(costs: Sequence[Cost]) -> str:
    """A table of the groups, one of the hot path's modules, and one of the symbols that cost most."""
    by_group = summed((cost.group, cost.share) for cost in costs)
    by_module = summed((cost.file.partition(".")[0], cost.share) for cost in costs if cost.group == "hot path")
    lines = ["| group | share |", "|---|---|", *by_group, "", "| module of the hot path | share |", "|---|---|", *by_module]
    lines += ["", "| share | group | file | symbol |", "|---|---|---|---|"]
    top = sorted(costs, key=lambda cost: -cost.share)[:TOP]
    lines += [f"| {cost.share:.2f} % | {cost.group} | {cost.file} | `{cost.symbol}` |" for cost in top]
    return "\n".join([*lines, ""])


def summed(shares: Iterable[tuple[str, float]]) -> list[str]:
    """Lines of a table: the sum for each name, the largest first."""
    sums: dict[str, float] = {}
    for name, share in shares:
        sums[name] = sums.get(name, 0.0) + share
    return [f"| {name} | {share:.1f} % |" for name, share in sorted(sums.items(), key=lambda item: -item[1])]


def traced(stand: Stand, work: Throughput, seconds: int) -> str:
    """What cProfile says of the interpreted worker: own time by function. It slows calls down, so shares are only a hint."""
    data = stand.folder / "cprofile"
    command = [WORKER[0], "-m", "cProfile", "-o", str(data), *WORKER[1:]]
    with worker(stand, _table(stand, work), command, PEERS["interpreted"].environment) as (peer, _):
        run(work.load, peer.url, seconds, stand.cores.load, stand.folder)
    own = [(own_s, calls, place) for place, (_, calls, own_s, *_) in marshal.loads(data.read_bytes()).items()]
    whole_s = sum(own_s for own_s, _, _ in own)
    lines = ["| own time | calls | function | place |", "|---|---|---|---|"]
    for own_s, calls, (file, line, function) in sorted(own, reverse=True)[:TOP]:
        lines.append(f"| {own_s / whole_s:.1%} | {calls:,} | `{function}` | {Path(file).name}:{line} |")
    return "\n".join([*lines, ""])


def _table(stand: Stand, work: Throughput) -> RoutingTable:
    replica = ReplicaEntry("app-1", 0, stand.sink if work.upload else stand.files, ReplicaState.READY)
    return RoutingTable(routes=(RouteEntry("", "/", "app"),), services=(ServiceEntry("app", 0, replicas=(replica,)),))


def write(name: str, table: str) -> None:
    """Print it and keep it."""
    path = RESULTS / f"{name}.md"
    RESULTS.mkdir(exist_ok=True)
    path.write_text(table)
    print(table)
    tell(f"written to {path}")


def tell(line: str) -> None:
    """Progress goes to the error output."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
