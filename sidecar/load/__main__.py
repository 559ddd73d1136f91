"""`python -m sidecar.load URL --rate R --seconds S`: one load at a constant rate in this process, and what it came to."""

import argparse
import json
import signal
import sys
from random import Random

from sidecar.load import request as requests
from sidecar.load import target as targets
from sidecar.load.arrivals import Spacing, arrivals
from sidecar.load.generator import Generator
from sidecar.load.options import add_load, body_of, positive
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
    parser.add_argument("--open-all", action="store_true", help="open all connections before the load begins")
    add_load(parser, 64)
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    return parser


def _print(arguments: argparse.Namespace, measured: Measured) -> None:
    asked = {name: getattr(arguments, name) for name in ("url", "rate", "connections", "spacing", "seed", "warm_up")}
    values = asked | measured.as_json()
    if arguments.json:
        print(json.dumps(values, indent=2))
    else:
        print("\n".join(f"{name:13} {_text(value)}" for name, value in values.items()))


def _text(value: object) -> str:
    """A value for people."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items()) or "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
