"""`python -m sidecar.load URL --rate R --seconds S`: one load at a constant rate in this process, and what it came to."""

import argparse
import json
import signal
import sys
from pathlib import Path
from random import Random

from sidecar.load import request as requests
from sidecar.load import target as targets
from sidecar.load.arrivals import Spacing, arrivals
from sidecar.load.generator import Generator
from sidecar.load.quiet import quiet
from sidecar.load.tally import Measured


def main(argv: list[str] | None = None) -> int:
    """Run it. Returns 0, 1 where nothing accepts connections, 2 for wrong arguments, 130 after Ctrl-C."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        target = targets.reachable(targets.parse(arguments.url))
        body = body_of(arguments.body)
        request = requests.build(target.authority, target.path, arguments.method, arguments.header, body)
        due = arrivals(arguments.rate, arguments.seconds, Spacing(arguments.spacing), Random(arguments.seed))
    except ValueError as error:
        parser.error(str(error))
    except targets.Nobody as nobody:
        print(f"{parser.prog}: {nobody}", file=sys.stderr)
        return 1
    with Generator(target, request, arguments.connections, arguments.timeout) as generator:
        signal.signal(signal.SIGINT, lambda *_: generator.stop())
        if arguments.open_all:
            generator.open_all()
        with quiet():
            measured = generator.run(due, arguments.seconds, arguments.warm_up)
        _print(arguments, measured)
        return 130 if generator.stopped else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m sidecar.load",
        description="Open-loop load at a constant rate: requests are sent when they are due, and their latency counts from then.",
    )
    parser.add_argument("url", metavar="URL", help="http://ADDRESS:PORT/PATH or unix:FILE:/PATH")
    parser.add_argument("--rate", type=positive, required=True, metavar="R", help="requests per second")
    parser.add_argument("--seconds", type=positive, default=10.0, metavar="S", help="how long, warm-up included (10)")
    parser.add_argument("--warm-up", type=float, default=0.0, metavar="S", help="at first, sent but not counted (0)")
    parser.add_argument("--connections", type=whole, default=64, metavar="C", help="at most (64); opened as they are needed")
    parser.add_argument("--open-all", action="store_true", help="open all connections before the load begins")
    parser.add_argument("--timeout", type=positive, default=10.0, metavar="S", help="an answer later than this is an error (10)")
    spacing = "poisson (as independent users, the default) or even"
    parser.add_argument("--spacing", choices=[str(each) for each in Spacing], default=str(Spacing.POISSON), help=spacing)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the Poisson process (1)")
    add_request(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    return parser


def add_request(parser: argparse.ArgumentParser) -> None:
    """The options that say what is sent."""
    parser.add_argument("--method", default="GET", metavar="M", help="GET unless told otherwise")
    parser.add_argument("--header", action="append", default=[], metavar="H", help="'Name: value'; may be repeated")
    parser.add_argument("--body", default="", metavar="TEXT", help="or @FILE")


def body_of(text: str) -> bytes:
    """The text, or what is in @FILE. Raises ValueError."""
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise ValueError(f"--body: {text[1:]} cannot be read: {(error.strerror or str(error)).lower()}") from error


def positive(text: str) -> float:
    """A number above 0. Raises argparse.ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def whole(text: str) -> int:
    """A whole number from 1 on. Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or not 0 < int(text[:10]) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1,000,000")
    return int(text)


def _print(arguments: argparse.Namespace, measured: Measured) -> None:
    asked = {name: getattr(arguments, name) for name in ("url", "rate", "connections", "spacing", "seed", "warm_up")}
    values = asked | measured.as_json()
    if arguments.json:
        print(json.dumps(values, indent=2))
    else:
        print("\n".join(f"{name:13} {value}" for name, value in values.items()))


if __name__ == "__main__":
    sys.exit(main())
