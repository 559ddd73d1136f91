"""Open-loop load at half of what the proxies can do: how much later answers come through a proxy than straight from the origin."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks.peers import PROXIES
from benchmarks.processes import pinned
from benchmarks.programs import compiled
from benchmarks.rounds import Contestant, Turn
from benchmarks.row import Goal, Row
from benchmarks.stand import Running, Stand
from benchmarks.throughput import SMALL
from benchmarks.wrk import run

OF_CAPACITY = 0.5
CONNECTIONS = 64
TRIAL_S = 1.0  # of closed-loop load, to know what a proxy can do
SOURCE = Path(__file__).parent / "openloop.c"
GOALS = (Goal("ecluse", 0.0, "nginx", at_most=True),)
LOAD = "open-loop load at 50 % of capacity"
P50 = Row("latency-p50", f"{LOAD}: added p50, and its distance from nginx's", "us", GOALS, "nginx", difference=True)
P99 = Row("latency-p99", f"{LOAD}: added p99, and its distance from nginx's", "us", GOALS, "nginx", difference=True)


@dataclass(frozen=True, slots=True)
class Latencies:
    """Of one run, in microseconds."""

    p50_us: int
    p99_us: int
    errors: tuple[str, ...]


class Latency:
    """The same rate for every peer: half of what the slowest of them carries here. Straight to the origin once in each round."""

    name = "latency"
    rows = (P50, P99)
    peers = PROXIES
    needs = ("cc",)

    def turn_s(self, seconds: float) -> float:
        """The load, and a share of the one straight to the origin."""
        return seconds * (1 + 1 / len(PROXIES)) + 0.3

    @contextmanager
    def contestants(self, stand: Stand, peers: Sequence[str], seconds: float) -> Iterator[list[Contestant]]:
        """Each peer with one worker on the proxy's core."""
        generator = compiled(SOURCE, stand.folder, "-lm")
        with ExitStack() as stack:
            running = {name: stack.enter_context(stand.started(name)) for name in peers}
            rate = OF_CAPACITY * min(_capacity(stand, peer) for peer in running.values())
            load = partial(open_loop, generator, stand.cores.load, rate, seconds)
            direct = cache(lambda _number: load(int(stand.files.rpartition(":")[2])))  # once in a round
            yield [Contestant(name, partial(_play, load, direct, peer)) for name, peer in running.items()]


def _capacity(stand: Stand, peer: Running) -> float:
    """Requests a second under closed-loop load."""
    return run(SMALL, peer.url, TRIAL_S, stand.cores.load, stand.folder).requests / TRIAL_S


def _play(load: Callable[[int], Latencies], direct: Callable[[int], Latencies], peer: Running, number: int) -> Turn:
    straight, through = direct(number), load(peer.port)
    figures = {P50.name: float(through.p50_us - straight.p50_us), P99.name: float(through.p99_us - straight.p99_us)}
    return Turn(figures, (*straight.errors, *through.errors))


def open_loop(generator: str, cores: Sequence[int], rate: float, seconds: float, port: int) -> Latencies:
    """GETs at this rate. Raises RuntimeError with the generator's own words if it cannot."""
    command = [generator, str(port), f"{rate:.0f}", f"{seconds:g}", str(CONNECTIONS)]
    done = subprocess.run(pinned(command, cores), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the open-loop load failed on port {port}: {done.stderr.strip() or done.returncode}")
    due, answered, wrong, p50_us, p99_us, _ = map(int, done.stdout.split())
    counts = {"unanswered": due - answered, "wrong answers": wrong}
    return Latencies(p50_us, p99_us, tuple(f"{count} {what} at {rate:,.0f}/s" for what, count in counts.items() if count))
