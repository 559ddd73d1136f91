"""`python -m benchmarks simulation`: the model of `ecluse simulate` held against the processes engine.

The same loads, the same rules and the same application, once for real (Écluse with one worker, an open-loop load, replicas that are
processes) and once simulated. The application queues behind four requests at a time, so that what it costs the machine does not matter
much. How long a start takes is measured and told to the simulation; the rest of what that assumes is what the application is written to do.
"""

import argparse
import math
import os
import sys
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import yaml

from benchmarks import slo, slo_app
from benchmarks.processes import Process, free_port
from benchmarks.progress import minutes
from sidecar.configuration.rules_file import load_rules
from sidecar.load import request, target
from sidecar.load.arrivals import Spacing, arrivals
from sidecar.load.generator import Generator
from sidecar.load.quiet import quiet
from sidecar.simulation.application import HOUR_S, Application, Objective
from sidecar.simulation.play import Player, Scenario
from sidecar.simulation.trace import Trace

NAME = "simulation"
BIN_S = 5.0
SEEDS = 9  # simulations of each load: by chance a step is seen a little earlier or later, and asks for more or less
START_S = 4.0  # before the application listens
CONNECTIONS = 1024
RULES: dict[str, Any] = {
    "min_replicas": 1,
    "max_replicas": 6,
    "metrics": [{"type": "concurrency", "target": slo_app.LIMIT, "target_utilization": "70%"}],
    "behavior": {"scale_down": {"stabilization_window": "20s"}},
}
SPREAD = 2 / 3 / math.sqrt(12)  # of what the application waits, evenly from 2/3 to 4/3 of its mean
WATCH_S = 0.25


def _even(*parts: tuple[float, float]) -> list[float]:
    """(requests per second, seconds), one after the other."""
    return [rate for rate, seconds in parts for _ in range(round(seconds / BIN_S))]


LOADS: dict[str, list[float]] = {
    "a ramp": [20 + 7 * number for number in range(20)] + [160.0] * 6,
    "a burst of four times": _even((40, 60), (160, 60), (40, 60)),
    "a day in three minutes": [90 - 70 * math.cos(2 * math.pi * number / 36) for number in range(36)],
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one load. changes: (when, the count asked for from then on)."""

    answered: float
    lost: float
    p50_s: float
    p95_s: float
    p99_s: float
    replica_s: float
    peak: float
    changes: tuple[tuple[float, int], ...]

    def cells(self) -> tuple[str, ...]:
        """Of the table."""
        times = (f"{seconds * 1000:.0f} ms" for seconds in (self.p50_s, self.p95_s, self.p99_s))
        return (
            f"{self.answered:,.0f}",
            f"{self.lost:.0f}",
            *times,
            f"{self.replica_s:.0f}",
            f"{self.peak:g}",
            str(len(self.changes)),
        )


@dataclass
class Watch:
    """Follows the count asked for and the replicas there are, in a thread, while a load runs."""

    admin: int
    began_s: float = field(default_factory=monotonic)
    changes: list[tuple[float, int]] = field(default_factory=list)
    replica_s: float = 0.0
    peak: int = 0
    start_s: float | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    def follow(self) -> None:
        """Until `end`."""
        desired, before_s = 1, self.began_s
        while not self._ended.wait(WATCH_S):
            service, now_s = slo.asked(self.admin), monotonic()
            self.replica_s += len(service["replicas"]) * (now_s - before_s)
            self.peak, self.start_s = max(self.peak, len(service["replicas"])), service["start_s"]
            if service["desired"] != desired:
                desired = service["desired"]
                self.changes.append((now_s - self.began_s, desired))
            before_s = now_s

    def end(self) -> None:
        """Follow no more."""
        self._ended.set()


FIGURES = ("answered", "lost", "p50_s", "p95_s", "p99_s", "replica_s", "peak")
TITLES = ("load", "", "answered", "lost", "p50", "p95", "p99", "replica-seconds", "most", "changes", "counts apart by")


def main(words: Sequence[str]) -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the load for real (default 1)")
    options = parser.parse_args(words)
    slo.tell(f"about {minutes(sum(map(len, LOADS.values())) * BIN_S + 30)}")
    rows = [TITLES, ("---",) * len(TITLES)]
    with TemporaryDirectory(prefix="ecluse-simulation-") as name:
        for load, rates in LOADS.items():
            real, start_s = measured(rates, Path(name), options.seed)
            models = [simulated(rates, Path(name), start_s, seed) for seed in range(SEEDS)]
            apart = [difference(real.changes, model.changes, len(rates) * BIN_S) for model in models]
            rows += [(load, "measured", *real.cells(), "")]
            rows += [("", "simulated", *middle(models).cells(), f"{median(apart):.2f}")]
            rows += [("", "from, to", *extremes(models))]
            slo.tell(f"{load}: a start took {start_s:.1f} s; load average {os.getloadavg()[0]:.1f}")
    print("\n".join(f"| {' | '.join(row)} |" for row in rows))
    return 0


def middle(models: Sequence[Outcome]) -> Outcome:
    """The median of each figure."""
    figures = {name: median(getattr(model, name) for model in models) for name in FIGURES}
    changes = sorted((model.changes for model in models), key=len)[len(models) // 2]
    return Outcome(**figures, changes=changes)  # type: ignore[arg-type]  # by name


def extremes(models: Sequence[Outcome]) -> Iterator[str]:
    """The lowest and the highest of each, as cells."""
    for column in zip(*(model.cells() for model in models), strict=True):
        ordered = sorted(column, key=lambda cell: float(cell.removesuffix(" ms").replace(",", "")))
        yield f"{ordered[0]}, {ordered[-1]}"
    yield ""


def measured(rates: Sequence[float], folder: Path, seed: int) -> tuple[Outcome, float]:
    """(what came of it for real, how long a start usually took)."""
    with running(folder) as (port, admin):
        where, watch = target.reachable(target.parse(f"http://127.0.0.1:{port}/")), Watch(admin)
        octets = request.build(where.authority, where.path, "GET", [], b"")
        with Generator(where, octets, CONNECTIONS) as generator, quiet():
            following = threading.Thread(target=watch.follow, daemon=True)
            following.start()
            found = generator.run(due(rates, Random(seed)), len(rates) * BIN_S)
            watch.end()
            following.join()
    latency_s = found.latency_s
    times = [latency_s[name] or 0.0 for name in ("p50", "p95", "p99")]
    return Outcome(found.answered, found.bad, *times, watch.replica_s, watch.peak, tuple(watch.changes)), watch.start_s or START_S


def due(rates: Sequence[float], random: Random) -> "array[int]":
    """When each request is due, in nanoseconds: Poisson within each bin."""
    found = array("q")
    for number, rate in enumerate(rates):
        begin = round(number * BIN_S * 1e9)
        found.extend(begin + at for at in arrivals(rate, BIN_S, Spacing.POISSON, random))
    return found


def simulated(rates: Sequence[float], folder: Path, start_s: float, seed: int) -> Outcome:
    """The same by the model."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(RULES))
    application = Application(
        service_s=slo_app.HOLD_S, cv=SPREAD, concurrency=slo_app.LIMIT, start_s=start_s, jitter=0.1, max_wait_s=60.0
    )
    trace = Trace(NAME, 0.0, BIN_S, array("d", [rate * BIN_S for rate in rates]))
    tally = Player(Scenario(trace, application, Objective(), seed), load_rules(folder / "rules.yaml", 1).of("web")).play()
    times = [tally.quantile_s(share) or 0.0 for share in (0.5, 0.95, 0.99)]
    changes = tuple((change.at_s, change.after) for change in tally.told)
    return Outcome(tally.answered, tally.lost + tally.refused, *times, tally.replica_hours * HOUR_S, tally.peak, changes)


def difference(some: Sequence[tuple[float, int]], others: Sequence[tuple[float, int]], length_s: float) -> float:
    """By how many replicas two counts differ on average; both begin with one."""
    seconds = range(round(length_s))
    return sum(abs(_count(some, second) - _count(others, second)) for second in seconds) / len(seconds)


def _count(changes: Sequence[tuple[float, int]], at_s: float) -> int:
    return next((count for since_s, count in reversed(changes) if since_s <= at_s), 1)


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, int]]:
    """Écluse with one worker and the application behind it: (its port, that of its admin API)."""
    port, admin = free_port(), free_port()
    file = folder / "ecluse.yaml"
    command = [sys.executable, "-m", "benchmarks.slo_app", "limit", "{port}", f"{START_S:g}"]
    probes = {"readiness": {"path": "/healthz", "interval": "250ms"}}
    service = {"command": command, "directory": str(slo.ROOT), "probes": probes, "autoscale": RULES}
    top = {"listen": f"127.0.0.1:{port}", "admin": {"listen": f"127.0.0.1:{admin}"}, "workers": 1, "state": False}
    file.write_text(yaml.safe_dump({**top, "services": {"web": service}}))
    process = Process(
        [sys.executable, "-m", "sidecar.cli", "run", str(file)], sorted(os.sched_getaffinity(0)), folder / "ecluse.log"
    )
    try:
        process.wait_for(port)
        while not slo.asked(admin)["ready"]:
            sleep(WATCH_S)
        yield port, admin
    finally:
        process.end()
