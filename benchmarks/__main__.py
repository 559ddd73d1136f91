"""`python -m benchmarks [WORK ...]`: the proxy against nginx, HAProxy and a minimal forwarder, on loopback, in interleaved rounds."""

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from balancer.hotpath import build
from benchmarks import programs, simulation, slo, slow, tick
from benchmarks.catalogue import WORKS
from benchmarks.chaos import run as chaos
from benchmarks.peers import PEERS
from benchmarks.progress import Progress, minutes
from benchmarks.record import RESULTS, Conditions, now, save
from benchmarks.rounds import Contestant, Result, Turn, Work, measure
from benchmarks.stand import Stand, allow_descriptors, set_up
from benchmarks.table import number, text

NEEDED = ("wrk", "nginx", "taskset", "setpriv")  # nothing can be measured without these; nginx is the origin
START_S = 5.0  # about what it takes to start and end the contestants of one work
INTERRUPTED = 130
APART = (chaos, slo, slow, simulation, tick)  # measure other things than a proxy beside its peers, and print tables of their own


def main(words: Sequence[str]) -> int:
    """Run what was asked for; 0, 1 if nothing could be measured, 130 if interrupted."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _interrupt)
    try:
        apart = next((each for each in APART if words[:1] == [each.NAME]), None)
        return apart.main(words[1:]) if apart else _obey(parse(words), words)
    except KeyboardInterrupt:
        tell("interrupted; everything that was started has been ended, nothing is written")
        return INTERRUPTED


def _obey(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Find out who can take part, and let them."""
    if options.list:
        print("\n".join(f"{work.name:10} {row.meaning}" for work in WORKS for row in work.rows))
        return 0
    works = [work for work in WORKS if not options.work or work.name in options.work]
    wanted = [peer for peer in PEERS if peer in options.peers and any(peer in work.peers for work in works)]
    programs.provide([*NEEDED, *(PEERS[peer].program for peer in wanted), *(need for work in works for need in work.needs)], tell)
    missing = programs.absent(NEEDED)
    if missing:
        tell(programs.advice(missing))
        return 1
    left_out = {peer: reason for peer in wanted if (reason := PEERS[peer].lack())}
    left_out |= {work.name: programs.advice(lacking) for work in works if (lacking := programs.absent(work.needs))}
    peers = [peer for peer in wanted if peer not in left_out]
    left_out |= {work.name: "none of its peers is here" for work in works if not set(peers) & set(work.peers)}
    for name, reason in left_out.items():
        tell(f"{name} is left out: {reason}")
    works = [work for work in works if work.name not in left_out]
    return _run(works, peers, options, left_out, words) if works else 1


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("work", nargs="*", choices=[*(work.name for work in WORKS), []], help="kinds of work, all unless given")
    parser.add_argument("--list", action="store_true", help="name the kinds of work and end")
    parser.add_argument("--rounds", type=_whole, default=5, help="how often each peer has its turn (default 5)")
    parser.add_argument("--seconds", type=_whole, default=2, help="how long a turn is in seconds (default 2)")
    parser.add_argument("--peers", type=_peers, default=list(PEERS), help=f"by comma; all unless given: {','.join(PEERS)}")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to (default benchmarks/results)")
    return parser.parse_args(words)


def _whole(words: str) -> int:
    if not words.isdecimal() or not 1 <= int(words) <= 1000:
        raise argparse.ArgumentTypeError(f"{words!r} is not a whole number from 1 to 1000")
    return int(words)


def _peers(words: str) -> list[str]:
    unknown = [name for name in words.split(",") if name not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    return words.split(",")


def _run(
    works: Sequence[Work], peers: Sequence[str], options: argparse.Namespace, left_out: dict[str, str], words: Sequence[str]
) -> int:
    """Measure, print and write down. What is started is ended before the result is printed."""
    progress = Progress(sum(_estimate_s(work, peers, options) for work in works), time.monotonic)
    tell(
        f"about {minutes(progress.left_s())}: {len(works)} kinds of work, {options.rounds} rounds with turns of {options.seconds} s"
    )
    allow_descriptors()
    began, compared = now(), versions(peers)
    results: list[Result] = []
    with set_up() as stand:
        for work in works:
            try:
                results += _measured(stand, work, peers, options, progress)
            except (RuntimeError, OSError) as failure:  # the others' figures are not worth less
                left_out[work.name] = str(failure)
                tell(f"{work.name} is left out: {failure}")
    if not results:
        return 1
    command = shlex.join(["python", "-m", "benchmarks", *words])
    conditions = Conditions(command, began, options.rounds, options.seconds, compared, left_out)
    print(text(results))
    print("\n".join(f"written to {path}" for path in save(results, conditions, options.results)))
    return 0


def _interrupt(_number: int, _frame: object) -> None:
    """Unwind once; a second signal does not disturb the tidying up, which is bounded in time."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _measured(stand: Stand, work: Work, peers: Sequence[str], options: argparse.Namespace, progress: Progress) -> list[Result]:
    taking_part = [peer for peer in peers if peer in work.peers]
    with work.contestants(stand, taking_part, options.seconds) as contestants:
        progress.done(START_S)
        return measure(work, contestants, options.rounds, partial(_tell_turn, options, progress))


def _tell_turn(
    options: argparse.Namespace, progress: Progress, work: Work, round_: int, contestant: Contestant, turn: Turn
) -> None:
    progress.done(work.turn_s(options.seconds))
    figures = "; ".join(f"{number(turn.figures[row.name])} {row.unit}" for row in work.rows if row.name in turn.figures)
    errors = f"  errors: {', '.join(turn.errors)}" if turn.errors else ""
    left = minutes(progress.left_s())
    tell(f"{work.name:8} round {round_ + 1} of {options.rounds}  {contestant.name:11} {figures}{errors}  ({left} left)")


def _estimate_s(work: Work, peers: Sequence[str], options: argparse.Namespace) -> float:
    taking_part = sum(peer in work.peers for peer in peers)
    return START_S + int(options.rounds) * taking_part * work.turn_s(options.seconds)


def versions(peers: Sequence[str]) -> dict[str, str]:
    """Of what was compared, and of what it was driven with."""
    told = {name: PEERS[name].version() for name in peers if name not in {"forwarder", "interpreted"}}
    return {**told, "hot path": build(), "wrk": programs.version(["wrk", "-v"]), "python": sys.version.split()[0]}


def tell(line: str) -> None:
    """Progress goes to standard error."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
