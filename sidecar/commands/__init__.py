"""The command line's commands: each module adds its parsers and holds what they do. `sidecar.cli` puts them together."""

import argparse
import json
import sys
from enum import IntEnum
from typing import Any

from sidecar.client import Client
from sidecar.render import Paint, has_colours, width_of

Subparsers = argparse._SubParsersAction


class Exit(IntEnum):
    """Exit codes, as `ecluse --help` lists them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    UNKNOWN_NAME = 4
    INTERRUPTED = 130
    PIPE_CLOSED = 141


class Wrong(Exception):  # noqa: N818 - it becomes a message and an exit code
    """The command cannot do it; the message says why and what to do."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code


def add(commands: "Subparsers[argparse.ArgumentParser]", name: str, summary: str, **more: Any) -> argparse.ArgumentParser:
    """A parser for one command, in the common form."""
    form = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=summary, description=f"{summary}.", formatter_class=form, **more)


def add_json(parser: argparse.ArgumentParser, form: str = "JSON") -> None:
    """The --json option."""
    parser.add_argument("--json", action="store_true", help=f"print {form}, for scripts")


def add_remote(parser: argparse.ArgumentParser) -> None:
    """The options of commands that ask a running ecluse."""
    parser.add_argument("--admin", metavar="URL", default="", help="the admin API (ECLUSE_ADMIN; http://127.0.0.1:9090)")
    parser.add_argument("--token", default="", help="the admin API's token; better in ECLUSE_TOKEN, out of the process list")


def client(arguments: argparse.Namespace) -> Client:
    """The client that the arguments ask for."""
    return Client(arguments.admin, arguments.token)


def paint() -> Paint:
    """Colours, if the standard output takes them."""
    return Paint(has_colours(sys.stdout))


def width() -> int | None:
    """How wide the standard output is; None where nothing needs to be cut."""
    return width_of(sys.stdout)


def show(lines: list[str]) -> None:
    """Print lines at once, so that a reader that went away is noticed here."""
    print("\n".join(lines), flush=True)


def show_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    show([json.dumps(value, indent=2, ensure_ascii=False)])
