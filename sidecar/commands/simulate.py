"""`ecluse simulate`: what rules would have done on recorded traffic. Its options."""

import argparse

from sidecar.commands import Exit, Subparsers, add, add_json
from sidecar.commands.bench import duration, output, share
from sidecar.load.options import positive, whole
from sidecar.simulation.application import Application, Objective
from sidecar.simulation.latencies import Shape

USUAL = Application()
EPILOG = """\
The trace is `timestamp,requests` in CSV, or an access log: JSON lines or the
Common Log Format; plain or gzip. Decisions are made by the code that makes
them in earnest; the application is a model. docs/simulate.md says more.

examples:
  ecluse simulate ecluse.yaml --trace access.log.gz
  ecluse simulate now.yaml tried.yaml --trace week.csv --scale 100 --html week.html
"""


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = add(commands, "simulate", "Play recorded traffic to scaling rules, and compare them", epilog=EPILOG)
    parser.add_argument("rules", nargs="+", metavar="RULES", help="files with an autoscale block, or whole configurations")
    parser.add_argument("--trace", required=True, metavar="FILE", help="the recorded traffic; -: from standard input")
    parser.add_argument("--scale", type=positive, default=1.0, metavar="N", help="so many times the recorded requests (1)")
    parser.add_argument("--slo", type=objective, default=Objective(), metavar="O", help="what each minute is to keep (p95:300ms)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same result (1)")
    _add_application(parser)
    parser.add_argument("--html", type=output, metavar="FILE", help="write a page with plots")
    add_json(parser)
    parser.set_defaults(run=simulate)


def _add_application(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the application")
    option = group.add_argument
    option(
        "--service-time",
        type=duration,
        default=USUAL.service_s,
        metavar="T",
        help="mean time of a request that need not wait (100ms)",
    )
    option(
        "--service-shape", choices=[str(each) for each in Shape], default=str(USUAL.shape), help="its distribution (lognormal)"
    )
    option("--service-cv", type=cv, default=USUAL.cv, metavar="C", help="its standard deviation divided by its mean (0.5)")
    option(
        "--concurrency",
        type=whole,
        default=USUAL.concurrency,
        metavar="N",
        help="requests at once per replica; more wait inside it (20)",
    )
    option("--start-time", type=duration, default=USUAL.start_s, metavar="T", help="until a new replica is ready (10s)")
    option("--start-jitter", type=share, default=USUAL.jitter, metavar="S", help="by how much that varies either way (20%%)")
    option("--start-failure", type=share, default=USUAL.start_failure, metavar="S", help="share of the starts that fail (0)")
    option("--crashes", type=rate, default=USUAL.crashes_per_hour, metavar="N", help="of each replica per hour, on average (0)")
    option("--max-wait", type=duration, default=USUAL.max_wait_s, metavar="T", help="who waits longer goes away (10s)")
    option("--cpu-full", type=share, default=USUAL.cpu_full, metavar="S", help="cpu that a replica uses when it is full (100%%)")
    option("--cpu-lag", type=duration, default=USUAL.cpu_lag_s, metavar="T", help="how old cpu samples are (0s)")


def objective(text: str) -> Objective:
    """Raises argparse.ArgumentTypeError."""
    name, _, limit = text.replace(" under ", ":").partition(":")
    try:
        percentile = float(name.strip().removeprefix("p"))
    except ValueError:
        percentile = 0.0
    if not name.strip().startswith("p") or not limit or not 1 <= percentile < 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not an objective such as p95:300ms")
    return Objective(percentile, duration(limit.strip()))


def cv(text: str) -> float:
    """From 0 to 10. Raises argparse.ArgumentTypeError."""
    return _number(text, 10.0)


def rate(text: str) -> float:
    """From 0 to 3600. Raises argparse.ArgumentTypeError."""
    return _number(text, 3600.0)


def _number(text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {most:g}")
    return number


def simulate(arguments: argparse.Namespace) -> Exit:
    from sidecar.commands.playing import play  # noqa: PLC0415 - the other commands start faster without

    return play(arguments)
