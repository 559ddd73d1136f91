"""`python -m benchmarks tick`: what one tick of the autoscaler costs for many services: read the scoreboard, sample, decide.

Each service has REPLICAS that serve and rules on three metrics. The readings are the scoreboard's, sampler and scaler the program's own.
Requests are made up, a second of them before every tick; time is virtual, so that ticks follow each other. Left out: probes, the
engine's list, and the state on disk, to which a decision goes only where it differs from the last one. Each size has its own process.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from autoscaler.rules import MetricRule, MetricType, Rules
from autoscaler.sampling import ReplicaStatus, Sampler
from autoscaler.scaler import Scaler
from balancer.hotpath import build_of
from balancer.scoreboard import Scoreboard
from balancer.table import ReplicaState
from sidecar.configuration.rules import DEFAULT_METRICS
from sidecar.configuration.rules import rules_of as defaults
from sidecar.configuration.scaling import Autoscale

NAME = "tick"
GOAL_MS = 100.0  # for GOAL_SERVICES
GOAL_SERVICES = 1000
SIZES = (125, 250, 500, 1000)  # the scoreboard has room for no more replicas
REPLICAS = 10
METRICS = (*DEFAULT_METRICS, MetricRule(MetricType.RPS, 100.0), MetricRule(MetricType.LATENCY, 0.3))
ROWS = 2  # workers
WARM_TICKS = 90  # until every window is full
TITLES = ("services", "CPU of a tick", "highest", "read, sample", "decide", "each service", "memory", "and later")


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one size. CPU in milliseconds. early, late: MiB resident when all windows are full, and at the end."""

    services: int
    read_ms: list[float]
    decide_ms: list[float]
    early: float
    late: float

    @property
    def ticks_ms(self) -> list[float]:
        """The CPU time of each tick."""
        return [read + decide for read, decide in zip(self.read_ms, self.decide_ms, strict=True)]

    def cells(self) -> tuple[str, ...]:
        """Of the table."""
        tick = median(self.ticks_ms)
        return (
            f"{self.services:,}",
            f"{tick:.1f} ms",
            f"{max(self.ticks_ms):.1f} ms",
            f"{median(self.read_ms):.1f} ms",
            f"{median(self.decide_ms):.1f} ms",
            f"{1000 * tick / self.services:.0f} us",
            f"{self.early:.0f} MiB",
            f"{self.late - self.early:+.1f} MiB",
        )


class House:
    """So many services, in virtual time. busy: the share of its target that each has to carry."""

    def __init__(self, services: int, busy: float) -> None:
        rules = defaults(Autoscale(), 1)
        self.rules = Rules(1, 2 * REPLICAS, METRICS, rules.behavior, headroom=rules.headroom)
        self.scalers = [Scaler(f"s{number}", self.rules, Sampler(self.rules)) for number in range(services)]
        self.statuses = [
            [ReplicaStatus(f"s{number}-{replica}", ReplicaState.READY, -1e4) for replica in range(REPLICAS)]
            for number in range(services)
        ]
        self.board = Scoreboard.create(ROWS)
        self.rows = [self.board.row(row) for row in range(ROWS)]
        self.now_s = 0.0
        for scaler in self.scalers:
            scaler.take_over(REPLICAS)
        self.open(busy)

    def open(self, busy: float) -> None:
        """Requests that stay: as many in each replica as its share of the target."""
        for row in self.rows:
            for slot in range(len(self.scalers) * REPLICAS):
                for _ in range(round(busy * METRICS[0].effective_target / ROWS)):
                    row.enter(slot, 0)

    def requests(self) -> None:
        """A second in which one more comes to each replica and is answered, after a little longer or shorter each time."""
        self.now_s += 1.0
        for slot in range(len(self.scalers) * REPLICAS):
            end_us = round(self.now_s * 1e6) - 1000 * ((7 * slot + 13 * int(self.now_s)) % 90)
            for row in self.rows:
                row.enter(slot, end_us - 500_000)
                row.leave(slot, end_us)
                row.answered(slot, 200, 80_000, 80_000, 1, 1)

    def tick(self) -> tuple[float, float]:
        """(ms to read and sample, ms to decide), of CPU."""
        begin_s = time.process_time()
        now_us = round(self.now_s * 1e6)
        for number, scaler in enumerate(self.scalers):
            slots = range(number * REPLICAS, (number + 1) * REPLICAS)
            cells = {status.id: self.board.cells(slot, now_us) for status, slot in zip(self.statuses[number], slots, strict=True)}
            scaler.sampler.take(self.now_s, self.board.service(number, now_us), cells)
        sampled_s = time.process_time()
        for scaler, statuses in zip(self.scalers, self.statuses, strict=True):
            scaler.step(self.now_s, statuses)
        return 1000 * (sampled_s - begin_s), 1000 * (time.process_time() - sampled_s)


def measure(services: int, ticks: int, busy: float) -> Measured:
    """One size, in this process."""
    house = House(services, busy)
    for _ in range(WARM_TICKS):
        house.requests()
        house.tick()
    early, parts = _resident(), []
    for _ in range(ticks):
        house.requests()
        parts.append(house.tick())
    return Measured(services, [read for read, _ in parts], [decide for _, decide in parts], early, _resident())


def exponent(found: Sequence[Measured]) -> float:
    """With which power of the services a tick grows, from the smallest to the largest; 1 is in proportion."""
    first, *_, last = found
    return math.log(median(last.ticks_ms) / median(first.ticks_ms)) / math.log(last.services / first.services)


def main(words: Sequence[str]) -> int:
    """Run it and print the table; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks tick", description=__doc__)
    parser.add_argument("--ticks", type=int, default=60, metavar="N", help="how many are measured (default 60)")
    parser.add_argument(
        "--busy", type=float, default=0.8, metavar="S", help="share of its target that each service carries (0.8)"
    )
    parser.add_argument("--alone", type=int, default=0, metavar="N", help="only this many services, in this process, as JSON")
    options = parser.parse_args(words)
    if options.alone:
        print(json.dumps(_plain(measure(options.alone, options.ticks, options.busy))))
        return 0
    found = [_apart(size, options.ticks, options.busy) for size in SIZES]
    print(table(found))
    goal = next(each for each in found if each.services == GOAL_SERVICES)
    met = median(goal.ticks_ms) < GOAL_MS
    print(f"\nbuild: {build_of('autoscaler.decide')}; growth: services ^ {exponent(found):.2f}")
    print(f"goal for {GOAL_SERVICES:,} services: under {GOAL_MS:g} ms, {'met' if met else 'missed'}")
    return 0 if met else 1


def table(found: Sequence[Measured]) -> str:
    """As Markdown."""
    rows = [TITLES, ("---",) * len(TITLES), *(each.cells() for each in found)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _apart(services: int, ticks: int, busy: float) -> Measured:
    command = [sys.executable, "-m", "benchmarks", NAME, "--alone", str(services), "--ticks", str(ticks), "--busy", str(busy)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(done.stdout))


def _plain(found: Measured) -> dict[str, object]:
    return {name: getattr(found, name) for name in Measured.__slots__}


def _resident() -> float:
    """MiB of this process now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20
