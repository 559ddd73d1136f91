"""`python -m benchmarks.instructions`: instructions that the hot path takes for one request, interpreted and compiled.

A number that does not depend on the machine's other work: the process `driven.py` runs under callgrind, one client and one replica (both
here) exchange a number of requests with it, one at a time, then twice as many; half the difference of the sums belongs to the requests, and
neither start-up nor the end to them. The kernel's instructions are not counted: valgrind sees those of processes only.

What was kept last, in `instructions.json`, is printed beside it; `--keep` writes the new one there.
"""

import argparse
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from balancer.hotpath import build
from benchmarks import programs
from benchmarks.canned import WAIT_S, WORKS, Request, exchange

KEPT = Path(__file__).parent / "instructions.json"
ROOT = Path(__file__).parent.parent
REQUESTS = 1_200  # in the short run; more than the memo of header blocks has room for, so that both runs reach its steady state
BUILDS = {"interpreted": "1", "compiled": "0"}  # by ECLUSE_PURE
CALLGRIND = ("setpriv", "--pdeathsig", "TERM", "valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}")
_COLLECTED = re.compile(r"Collected : (\d+)")


def main(words: Sequence[str]) -> int:
    """Count and print; 1 if valgrind is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--keep", action="store_true", help=f"write the result to {KEPT.name}")
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"in the short run (default {REQUESTS})")
    options = parser.parse_args(words)
    programs.provide(["valgrind"], tell)
    if programs.absent(["valgrind"]):
        tell(programs.advice(["valgrind"]))
        return 1
    builds = ["interpreted", *(["compiled"] if build() == "compiled" else [])]
    if "compiled" not in builds:
        tell("compiled is left out: the hot path is not compiled here (unset ECLUSE_PURE; make install)")
    counts = {name: {each: count(request, each, options.requests) for each in builds} for name, request in WORKS.items()}
    print(table(kept(), counts))
    if options.keep:
        KEPT.write_text(
            json.dumps({"conditions": conditions(), "instructions_per_request": merged(kept(), counts)}, indent=1) + "\n"
        )
    return 0


def count(request: Request, which: str, requests: int) -> int:
    """Instructions for each request."""
    tell(f"counting {request.__name__}, {which}: {requests} and {2 * requests} requests under callgrind")
    return round((collected(request, which, 2 * requests) - collected(request, which, requests)) / requests)


def collected(request: Request, which: str, requests: int) -> int:
    """Instructions of a whole process that carries so many requests. Raises RuntimeError if it does not."""
    with tempfile.TemporaryFile("w+") as log, driven(which, log.fileno(), CALLGRIND) as (process, client, origin):
        exchange(request, requests, client, origin)
        process.wait(WAIT_S)
        log.seek(0)
        said = log.read()
    found = _COLLECTED.search(said)
    if process.returncode or not found:
        raise RuntimeError(f"the hot path under callgrind ended with {process.returncode}: {said[-2000:]}")
    return int(found[1])


@contextmanager
def driven(
    which: str, log: int, under: Sequence[str]
) -> Iterator[tuple["subprocess.Popen[bytes]", socket.socket, socket.socket]]:
    """The process under some tool, a client connected to it, and the listening socket of its replica."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as origin:
        words = [str(listener.fileno()), f"127.0.0.1:{origin.getsockname()[1]}"]
        process = subprocess.Popen(
            [*under, sys.executable, "-m", "benchmarks.driven", *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": "0", "ECLUSE_PURE": BUILDS[which]},
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )
        try:
            with socket.create_connection(listener.getsockname(), WAIT_S) as client:
                origin.settimeout(WAIT_S)
                yield process, client, origin
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def kept() -> dict[str, dict[str, int]]:
    """What was kept last; empty if nothing was."""
    if not KEPT.exists():
        return {}
    data: dict[str, dict[str, int]] = json.loads(KEPT.read_text())["instructions_per_request"]
    return data


def merged(old: dict[str, dict[str, int]], new: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The new counts, and old ones of builds that were not counted now."""
    return {work: {**old.get(work, {}), **counts} for work, counts in new.items()}


def table(old: dict[str, dict[str, int]], new: dict[str, dict[str, int]]) -> str:
    """Old beside new, as Markdown."""
    lines = ["| instructions for one request | kept | now | change |", "|---|---|---|---|"]
    for work, counts in new.items():
        for which, now in counts.items():
            before = old.get(work, {}).get(which)
            change = f"{(now - before) / before:+.1%}" if before else "-"
            lines.append(f"| {work}, {which} | {f'{before:,}' if before else '-'} | {now:,} | {change} |")
    return "\n".join(lines)


def conditions() -> dict[str, str]:
    """What the numbers depend on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {"python": python, "machine": platform.machine(), "valgrind": programs.version(["valgrind", "--version"])}


def tell(line: str) -> None:
    """Progress goes to the error output."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
