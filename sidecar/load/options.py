"""Options that both `python -m sidecar.load` and `ecluse bench` have, and how their values are read."""

import argparse
from pathlib import Path

from sidecar.load.arrivals import Spacing


def add_load(parser: argparse.ArgumentParser, connections: int) -> None:
    """What is sent, and how. connections: the default."""
    parser.add_argument("--method", default="GET", metavar="M", help="GET unless told otherwise")
    parser.add_argument("--header", action="append", default=[], metavar="H", help="'Name: value'; may be repeated")
    parser.add_argument("--body", default="", metavar="TEXT", help="the request's body, or @FILE")
    at_most = f"at most so many ({connections}); opened as they are needed"
    parser.add_argument("--connections", type=whole, default=connections, metavar="C", help=at_most)
    parser.add_argument("--timeout", type=positive, default=10.0, metavar="S", help="an answer later than this is an error (10)")
    spacing = "poisson (as independent users send, the default) or even"
    parser.add_argument("--spacing", choices=[str(each) for each in Spacing], default=str(Spacing.POISSON), help=spacing)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the Poisson process (1)")


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
