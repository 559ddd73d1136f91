"""`ecluse bench`: measures an application with open-loop load in steps, and writes the scaling rule that follows. Its options."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sidecar.bench import objective as objectives
from sidecar.bench.step import Bounds
from sidecar.commands import Exit, Subparsers, add, add_remote
from sidecar.load.options import add_load, positive, whole

CONNECTIONS = 512
T = TypeVar("T")
EPILOG = """\
Requests are sent when they are due, however long the earlier ones take (an
open loop), at rates that double until the application suffers. The knee is
where throughput divided by latency is greatest. docs/bench.md says more.

examples:
  ecluse bench http://127.0.0.1:8000/            an app that runs by itself
  ecluse bench shop --path /cart                 a service, through ecluse
  ecluse bench shop --objective 'p95 under 300ms' --plot shop.svg
"""


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = add(commands, "bench", "Find out what an app carries, and the scaling rule for it", epilog=EPILOG)
    parser.add_argument("service", metavar="URL|SERVICE", help="http://ADDRESS:PORT/PATH, unix:FILE, or a service's name")
    parser.add_argument("--path", default="", metavar="PATH", help="ask for this path")
    parser.add_argument("--objective", type=objective, metavar="O", help="what to keep, such as 'p95 under 300ms'")
    parser.add_argument("--replicas", type=whole, metavar="N", help="replicas behind the URL (1)")
    parser.add_argument("--keep-autoscaling", action="store_true", help="do not hold a service's replicas meanwhile")
    _add_steps(parser)
    add_load(parser, CONNECTIONS)
    parser.add_argument("--plot", type=output, metavar="FILE", help="draw it into an SVG file")
    parser.add_argument("--json", type=output, metavar="FILE", help="write all figures as JSON; -: to standard output")
    add_remote(parser)
    parser.set_defaults(run=bench)


def _add_steps(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate-from", type=positive, default=0.0, metavar="R", help="first rate, per second (found by itself)")
    parser.add_argument("--rate-to", type=positive, default=0.0, metavar="R", help="last rate (as far as it goes)")
    parser.add_argument("--steps", type=whole, default=12, metavar="N", help="at most so many rates (12)")
    parser.add_argument("--step-seconds", type=positive, default=5.0, metavar="S", help="for each rate, after a warm-up (5)")
    usual = Bounds()
    parser.add_argument("--max-errors", type=share, default=usual.bad_share, metavar="SHARE", help="go no higher beyond (5%%)")
    latency = "of p95; as above (2s, or ten times that of a single request)"
    parser.add_argument("--max-latency", type=duration, default=0.0, metavar="T", help=latency)
    most = f"altogether ({usual.requests:,})"
    parser.add_argument("--max-requests", type=whole, default=usual.requests, metavar="N", help=most)
    parser.add_argument("--max-time", type=duration, default=usual.time_s, metavar="T", help="altogether (3m)")


def objective(text: str) -> objectives.Objective:
    """Raises argparse.ArgumentTypeError."""
    return _read(objectives.parse, text)


def duration(text: str) -> float:
    """Seconds, from 300ms or 2s. Raises argparse.ArgumentTypeError."""
    from sidecar.configuration import quantities  # noqa: PLC0415 - pydantic comes with it; see `serving`

    return _read(quantities.duration, text)


def share(text: str) -> float:
    """A share of one, from 5% or 0.05. Raises argparse.ArgumentTypeError."""
    from sidecar.configuration import quantities  # noqa: PLC0415 - see above

    return _read(quantities.share, text)


def _read(read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def output(text: str) -> str:
    """A file that can be written, or -. Raises argparse.ArgumentTypeError: better now than after minutes of load."""
    folder = Path(text).parent
    if text != "-" and (Path(text).is_dir() or not folder.is_dir()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a file in a directory that exists")
    return text


def bench(arguments: argparse.Namespace) -> Exit:
    from sidecar.commands.measuring import measure  # noqa: PLC0415 - the other commands start faster without

    return measure(arguments)
