"""`python -m benchmarks [WORK ...]`: the proxy against nginx, HAProxy and a minimal forwarder."""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.peers import PEERS, Peer, start_origin
from benchmarks.processes import Process, free_port
from benchmarks.report import save, table
from benchmarks.rounds import measure
from benchmarks.work import WORKS


def main(words: Sequence[str]) -> int:
    """Run what was asked for; 0, or 1 if a program that nothing can be done without is missing."""
    options = parse(words)
    needed = [Peer("wrk", "wrk", PEERS[0].start), Peer("nginx", "nginx", PEERS[0].start)]
    absent = [peer.name for peer in needed if peer.missing()]
    if absent:
        tell(f"missing: {', '.join(absent)}; apt-get install {' '.join(absent)}")
        return 1
    works = [work for work in WORKS if not options.work or work.name in options.work]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ecluse-bench-")))
        folder.chmod(0o755)
        running = start(stack, folder, options.peers)
        results = measure(works, running, options.rounds, options.seconds, folder, tell)
    print(table(results))
    print(f"written to {save(results, shlex.join(['python', '-m', 'benchmarks', *words]))}")
    return 0


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [work.name for work in WORKS]
    parser.add_argument("work", nargs="*", choices=[*names, []], help=f"kinds of work, all unless given: {', '.join(names)}")
    parser.add_argument("--rounds", type=int, default=5, help="how often each peer has its turn (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a turn is (default 3)")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=[peer.name for peer in PEERS], help="by comma")
    return parser.parse_args(words)


def start(stack: ExitStack, folder: Path, wanted: Sequence[str]) -> list[tuple[Peer, Process, int]]:
    """The origin and every peer that is wanted and installed, listening."""
    origin_port = free_port()
    origin = start_origin(folder, origin_port)
    stack.callback(origin.end)
    origin.wait_for(origin_port)
    running = []
    for peer in PEERS:
        if peer.name not in wanted:
            continue
        if peer.missing():
            tell(f"{peer.name} is left out: {peer.program} is not installed")
            continue
        port = free_port()
        process = peer.start(folder, port, origin_port)
        stack.callback(process.end)
        process.wait_for(port)
        running.append((peer, process, port))
    return running


def tell(line: str) -> None:
    """Progress goes to standard error."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
