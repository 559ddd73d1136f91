"""`python -m benchmarks slow [ATTACK ...]`: what others notice of slow clients: slowhttptest in all its modes, and 10,000 of our own.

Écluse with two workers in front of two nginx, one for the slow ones and one for the others. Each round measures a quiet window and then
one under attack, by an open-loop load of RATE requests per second; the table has the medians over the rounds. Memory is the workers',
descriptors are counted when all have gone.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import yaml

from benchmarks import programs
from benchmarks.chaos.house import descriptors, resident
from benchmarks.processes import Process, free_port
from sidecar.load import request, target
from sidecar.load.arrivals import Spacing, arrivals
from sidecar.load.generator import Generator
from sidecar.load.quiet import quiet

NAME = "slow"
ROOT = Path(__file__).parent.parent
RATE = 300.0
WINDOW_S = 10.0
SETTLE_S = 14.0  # after an attack began, before its window: connections are being made then
CONNECTIONS = 64
MIB = 1024**2
CORES = sorted(os.sched_getaffinity(0))
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 20000; }} worker_rlimit_nofile 40000;
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 1000000;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {folder}/www; client_max_body_size 0; location = / {{ return 200 "hello"; }}
    location = /upload {{ proxy_pass http://127.0.0.1:{port}/; }} }} }}
"""


@dataclass(frozen=True, slots=True)
class Attack:
    """words: of its command; {port} and {seconds} are replaced. needs: the program."""

    name: str
    meaning: str
    words: tuple[str, ...]
    needs: str = ""


_TEST = ("slowhttptest", "-c", "1000", "-r", "500", "-l", "{seconds}", "-u", "http://127.0.0.1:{port}/large", "-v", "0")
ATTACKS = (
    Attack("headers", "slowhttptest -H: 1,000 heads without end", (*_TEST, "-H", "-i", "2"), "slowhttptest"),
    Attack("bodies", "slowhttptest -B: 1,000 bodies that trickle", (*_TEST, "-B", "-i", "2", "-s", "100000"), "slowhttptest"),
    Attack("readers", "slowhttptest -X: 1,000 readers, 5 octets a second", (*_TEST, "-X", "-n", "1", "-z", "5"), "slowhttptest"),
    Attack("ranges", "slowhttptest -R: 1,000 range attacks", (*_TEST, "-R"), "slowhttptest"),
    Attack(
        "10000",
        "10,000 slow clients: heads, bodies, readers, idle ones, floods",
        (sys.executable, "-m", "benchmarks.slow_clients", "{port}", "10000", "{seconds}"),
    ),
)


@dataclass(frozen=True, slots=True)
class Round:
    """p99s in seconds; lost requests of the well-behaved; octets and descriptors of both workers."""

    quiet_s: float
    attacked_s: float
    lost: int
    before: int
    peak: int
    after: int
    left: int


def main(words: Sequence[str]) -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {NAME}", description=__doc__)
    parser.add_argument("attack", nargs="*", choices=[*(attack.name for attack in ATTACKS), []], help="all unless given")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(words)
    attacks = [attack for attack in ATTACKS if not given.attack or attack.name in given.attack]
    needed = ["nginx", *{attack.needs for attack in attacks if attack.needs}]
    programs.provide(needed, tell)
    if missing := programs.absent(needed):
        tell(programs.advice(missing))
        return 1
    print("| attack | p99 quiet | p99 attacked | ratio | lost | memory before, most, after | descriptors left |")
    print("|---|---|---|---|---|---|---|")
    with TemporaryDirectory(prefix="ecluse-slow-") as name, running(Path(name)) as (port, admin):
        for attack in attacks:
            print(line(attack, [one(attack, port, admin, Path(name)) for _ in range(given.rounds)]), flush=True)
    return 0


def line(attack: Attack, rounds: Sequence[Round]) -> str:
    """Of the table: medians, but of memory the most."""
    calm, busy = (statistics.median(getattr(each, part) for each in rounds) for part in ("quiet_s", "attacked_s"))
    memory = [max(getattr(each, part) for each in rounds) / MIB for part in ("before", "peak", "after")]
    ratio = statistics.median(each.attacked_s / each.quiet_s for each in rounds)
    cells = (
        attack.meaning,
        f"{calm * 1000:.1f} ms",
        f"{busy * 1000:.1f} ms",
        f"{ratio:.2f}",
        str(sum(each.lost for each in rounds)),
        ", ".join(f"{each:.0f}" for each in memory) + " MiB",
        f"{max(each.left for each in rounds):+d}",
    )
    return "| " + " | ".join(cells) + " |"


def one(attack: Attack, port: int, admin: int, folder: Path) -> Round:
    """A quiet window and one under attack."""
    pids = workers(admin)
    before, held = sum(map(resident, pids)), sum(map(descriptors, pids))
    quiet_s, lost = p99(port)
    words = [word.format(port=port, seconds=round(SETTLE_S + WINDOW_S + 4)) for word in attack.words]
    with (folder / "attack.log").open("ab") as log, watched(pids) as peak:
        attacker = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        time.sleep(SETTLE_S)
        attacked_s, more = p99(port)
        attacker.wait()
    wait_until_gone(pids, held)
    after, left = sum(map(resident, pids)), sum(map(descriptors, pids)) - held
    tell(f"{attack.name}: p99 {quiet_s * 1000:.1f} ms quiet, {attacked_s * 1000:.1f} ms attacked, most {peak[0] / MIB:.0f} MiB")
    return Round(quiet_s, attacked_s, lost + more, before, peak[0], after, left)


def p99(port: int) -> tuple[float, int]:
    """Of a well-behaved load, and how many of its requests were lost."""
    where = target.reachable(target.parse(f"http://127.0.0.1:{port}/"))
    octets = request.build(where.authority, where.path, "GET", [], b"")
    with Generator(where, octets, CONNECTIONS) as generator, quiet():
        found = generator.run(arrivals(RATE, WINDOW_S, Spacing.POISSON, Random(1)), WINDOW_S)
    return found.latency_s["p99"] or WINDOW_S, found.bad


def wait_until_gone(pids: Sequence[int], held: int) -> None:
    """The attacker's connections have ended; what lingers has its time."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s and sum(map(descriptors, pids)) > held + 2 * CONNECTIONS:
        time.sleep(0.5)


@contextmanager
def watched(pids: Sequence[int]) -> Iterator[list[int]]:
    """The most memory in the meantime."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            peak[0] = max(peak[0], sum(map(resident, pids)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def workers(admin: int) -> list[int]:
    """The workers' pids."""
    with urlopen(f"http://127.0.0.1:{admin}/api/overview", timeout=5) as answer:
        return [each["pid"] for each in json.load(answer)["workers"]]


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, int]]:
    """Écluse in front of two nginx, one for the others and one that bears what the slow ones ask for: (its port, that of its admin API)."""
    port, admin = free_port(), free_port()
    with origin(folder / "calm") as calm, origin(folder / "harmed") as harmed:
        harm = [{"path": "/large"}, {"path": "/upload"}]
        services = {"web": {"endpoints": [calm]}, "slow": {"endpoints": [harmed], "routes": harm}}
        listens = {"listen": f"127.0.0.1:{port}", "admin": {"listen": f"127.0.0.1:{admin}"}}
        file = folder / "ecluse.yaml"
        file.write_text(yaml.safe_dump({**listens, "workers": 2, "state": False, "services": services}))
        ecluse = Process([sys.executable, "-m", "sidecar.cli", "run", str(file)], CORES, folder / "ecluse.log")
        try:
            ecluse.wait_for(port)
            yield port, admin
        finally:
            ecluse.end()


@contextmanager
def origin(folder: Path) -> Iterator[str]:
    """An nginx of its own; its address."""
    port = free_port()
    (folder / "www").mkdir(parents=True)
    (folder / "www" / "large").write_bytes(bytes(2 * MIB))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    nginx = Process(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], CORES, folder / "nginx.log")
    try:
        nginx.wait_for(port)
        yield f"127.0.0.1:{port}"
    finally:
        nginx.end()


def tell(text: str) -> None:
    """Progress goes to standard error."""
    print(re.sub(r"\s+", " ", text), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
