"""`python -m benchmarks slo`: three applications of different kinds that Écluse has never seen, each with no more than an objective.

Each runs on the processes engine behind one worker, under an open-loop load that begins with one replica. After LEARN_S it is measured:
in windows of WINDOW_S, by the client, from when each request was due. Then the same load meets 1, 2, ... replicas that do not
change, until the objective is met: the least that would do, had one known.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import yaml

from benchmarks.processes import Process, free_port
from benchmarks.progress import minutes
from sidecar.load import request, target
from sidecar.load.arrivals import Spacing, arrivals
from sidecar.load.generator import Generator
from sidecar.load.quiet import quiet

NAME = "slo"
ROOT = Path(__file__).parent.parent
WINDOW_S = 10.0
MOST = 4  # replicas
ENOUGH = 0.9  # of the windows: so many are to meet the objective
DOWN_S = 60.0  # the stabilization window for going down: the default of 300 s would make each run an hour
LEAST_S = 40.0  # how long each fixed number of replicas is tried
CONNECTIONS = 512


@dataclass(frozen=True, slots=True)
class Kind:
    """name: as `slo_app` has it. rate: requests per second."""

    name: str
    meaning: str
    objective_ms: int
    rate: float


KINDS = (
    Kind("cpu", "burns 10 ms of processor time", 80, 85.0),
    Kind("wait", "waits 100 ms on something else", 300, 200.0),
    Kind("limit", "50 ms, four at a time, the rest queue", 150, 150.0),
)


@dataclass(frozen=True, slots=True)
class Window:
    """latencies are the client's. replicas: READY at its end."""

    p95_s: float
    replicas: int
    lost: int


@dataclass(frozen=True, slots=True)
class Row:
    """One application's. least: replicas that would do, None if MOST did not."""

    kind: Kind
    windows: tuple[Window, ...]
    concurrency: float | None
    why: str
    least: int | None

    def cells(self) -> tuple[str, ...]:
        """Of the table."""
        latencies = sorted(window.p95_s for window in self.windows)
        replicas = sum(window.replicas for window in self.windows) / len(self.windows)
        return (
            f"{self.kind.name}: {self.kind.meaning}",
            f"{self.kind.rate:g}/s",
            f"p95 under {self.kind.objective_ms} ms",
            f"{latencies[len(latencies) // 2] * 1000:.0f} ms",
            f"{met(self.windows, self.kind):.0%} of {len(self.windows)}",
            f"{replicas:.1f}",
            "-" if self.concurrency is None else f"{self.concurrency:.1f}",
            f"over {MOST}" if self.least is None else str(self.least),
            str(sum(window.lost for window in self.windows)),
        )


TITLES = (
    "application",
    "load",
    "objective",
    "p95 (median window)",
    "windows that met it",
    "replicas",
    "learned",
    "least",
    "lost",
)


def main(words: Sequence[str]) -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks slo", description=__doc__)
    parser.add_argument("kind", nargs="*", choices=[*(kind.name for kind in KINDS), []], help="applications, all unless given")
    parser.add_argument("--learn", type=float, default=120.0, metavar="S", help="how long nothing is measured (default 120)")
    parser.add_argument("--measure", type=float, default=180.0, metavar="S", help="how long it is measured (default 180)")
    options = parser.parse_args(words)
    kinds = [kind for kind in KINDS if not options.kind or kind.name in options.kind]
    tell(f"about {minutes(len(kinds) * (options.learn + options.measure + 2 * LEAST_S))}")
    with TemporaryDirectory(prefix="ecluse-slo-") as name:
        rows = [measured(kind, Path(name), options.learn, options.measure) for kind in kinds]
    print(table(rows))
    return 0


def measured(kind: Kind, folder: Path, learn_s: float, measure_s: float) -> Row:
    """One application, all of it."""
    with running(kind, folder, 1, MOST) as (port, admin):
        load(kind, port, admin, learn_s)
        windows = load(kind, port, admin, measure_s)
        slo = asked(admin)["slo"]
    least = next((count for count in range(1, MOST + 1) if does(kind, folder, count)), None)
    return Row(kind, tuple(windows), slo["concurrency"], slo["why"], least)


def does(kind: Kind, folder: Path, replicas: int) -> bool:
    """Whether so many would do."""
    with running(kind, folder, replicas, replicas) as (port, admin):
        _, *windows = load(kind, port, admin, LEAST_S)
    return met(windows, kind) >= ENOUGH


def met(windows: Sequence[Window], kind: Kind) -> float:
    """The share of the windows that met the objective."""
    return sum(window.p95_s * 1000 <= kind.objective_ms for window in windows) / len(windows)


def load(kind: Kind, port: int, admin: int, seconds: float) -> list[Window]:
    """Window after window. What is due in one is waited for before the next one begins."""
    where, random = target.reachable(target.parse(f"http://127.0.0.1:{port}/")), Random(1)
    octets = request.build(where.authority, where.path, "GET", [], b"")
    windows = []
    with Generator(where, octets, CONNECTIONS) as generator, quiet():
        for _ in range(round(seconds / WINDOW_S)):
            found = generator.run(arrivals(kind.rate, WINDOW_S, Spacing.POISSON, random), WINDOW_S)
            service = asked(admin)
            windows.append(Window(found.latency_s["p95"] or WINDOW_S, service["ready"], found.bad))
            tell(f"{kind.name}: p95 {windows[-1].p95_s * 1000:.0f} ms with {service['ready']} replicas; {service['slo']['why']}")
    return windows


@contextmanager
def running(kind: Kind, folder: Path, least: int, most: int) -> Iterator[tuple[int, int]]:
    """Écluse with one worker and the application behind it: (its port, that of its admin API)."""
    port, admin = free_port(), free_port()
    file = folder / "ecluse.yaml"
    file.write_text(yaml.safe_dump(configuration(kind, port, admin, least, most)))
    command = [sys.executable, "-m", "sidecar.cli", "run", str(file)]
    process = Process(command, sorted(os.sched_getaffinity(0)), folder / "ecluse.log")
    try:
        process.wait_for(port)
        yield port, admin
    finally:
        process.end()


def configuration(kind: Kind, port: int, admin: int, least: int, most: int) -> dict[str, Any]:
    """All of it but the objective is about this machine and the time that a benchmark may take."""
    return {
        "listen": f"127.0.0.1:{port}",
        "admin": {"listen": f"127.0.0.1:{admin}"},
        "workers": 1,
        "state": False,
        "services": {
            "web": {
                "command": [sys.executable, "-m", "benchmarks.slo_app", kind.name, "{port}"],
                "directory": str(ROOT),
                "probes": {"readiness": {"path": "/healthz", "interval": "500ms"}},
                "autoscale": {
                    "slo": f"p95 under {kind.objective_ms}ms",
                    "min_replicas": least,
                    "max_replicas": most,
                    "behavior": {"scale_down": {"stabilization_window": f"{DOWN_S:g}s"}},
                },
            }
        },
    }


def asked(admin: int) -> dict[str, Any]:
    """What the admin API tells of the service."""
    with urlopen(f"http://127.0.0.1:{admin}/api/services/web", timeout=5) as answer:
        return dict(json.load(answer))


def table(rows: Sequence[Row]) -> str:
    """As Markdown, and what was learned below it."""
    lines = [TITLES, ("---",) * len(TITLES), *(row.cells() for row in rows)]
    return "\n".join(
        ["| " + " | ".join(line) + " |" for line in lines] + ["", *(f"- {row.kind.name}: {row.why}" for row in rows)]
    )


def tell(line: str) -> None:
    """Progress goes to standard error."""
    print(line, file=sys.stderr, flush=True)
