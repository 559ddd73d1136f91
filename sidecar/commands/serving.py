"""`ecluse run`: what takes a configuration and runs it.

The configuration and the controller are imported when they are needed: the other commands start faster without them.
"""

import argparse
import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.commands import Exit, Subparsers, Wrong, add

if TYPE_CHECKING:
    from sidecar.config import Config

DEFAULT_FILE = "ecluse.yaml"
RUN_USAGE = "ecluse run [FILE]\n       ecluse run [OPTIONS] -- COMMAND..."
OPTIONS = (
    ("min", "N", "fewest replicas of COMMAND"),
    ("max", "N", "most replicas of COMMAND"),
    ("listen", "ADDRESS:PORT", "where to listen (0.0.0.0:8080)"),
    ("admin", "ADDRESS:PORT", "where the admin API listens (127.0.0.1:9090)"),
    ("workers", "N", "worker processes (one per core)"),
)
RUN_EPILOG = """\
In COMMAND, {port} becomes each replica's port, which is PORT in its
environment too. {socket} in its place becomes the path of a Unix socket, which
is SOCKET in its environment. Without FILE and COMMAND, ./ecluse.yaml is used.
SIGTERM and Ctrl-C drain and end it; SIGHUP or `ecluse reload` reads the file
again.

examples:
  ecluse run -- uvicorn app:app --port {port}
  ecluse run --max 4 --listen 127.0.0.1:8000 -- node app.js
"""


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    running = add(commands, "run", "Run the proxy and the autoscaler", usage=RUN_USAGE, epilog=RUN_EPILOG)
    running.add_argument("file", nargs="?", metavar="FILE", help=f"the configuration (./{DEFAULT_FILE})")
    for option, metavar, meaning in OPTIONS:
        running.add_argument(f"--{option}", metavar=metavar, help=meaning)
    running.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Exit:
    from sidecar.configuration import ConfigurationErrors  # noqa: PLC0415 - see the top

    try:
        config = _config(arguments)
    except ConfigurationErrors as errors:
        raise Wrong(str(errors), Exit.USAGE) from errors
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    from sidecar.admin import AdminError  # noqa: PLC0415 - see the top
    from sidecar.listeners import ListenError  # noqa: PLC0415 - see the top

    try:
        asyncio.run(_live(config))
    except (AdminError, ListenError) as error:
        raise Wrong(str(error)) from error
    return Exit.OK


async def _live(config: "Config") -> None:
    from sidecar.controller import Controller  # noqa: PLC0415 - see the top

    await Controller(config).run()


def _config(arguments: argparse.Namespace) -> "Config":
    from sidecar.configuration import from_command, load  # noqa: PLC0415 - see the top

    if not arguments.has_words:
        given = [name for name, _, _ in OPTIONS if getattr(arguments, name) is not None]
        if given:
            raise Wrong(f"--{given[0]} goes with `-- COMMAND`; with a file, it stands in the file", Exit.USAGE)
        return load(file_of(arguments.file))
    if arguments.file:
        raise Wrong(f"give either a file ({arguments.file}) or `-- COMMAND`, not both", Exit.USAGE)
    if not arguments.words:
        raise Wrong("no command after `--`; such as: ecluse run -- uvicorn app:app --port {port}", Exit.USAGE)
    more = {name: getattr(arguments, name) for name in ("listen", "admin", "workers")}
    return from_command(arguments.words, minimum=arguments.min, maximum=arguments.max, **more)


def file_of(given: str | None) -> Path:
    """The configuration file: the one given, or the one that is here. Raises Wrong."""
    if given:
        return Path(given)
    if not Path(DEFAULT_FILE).exists():
        raise Wrong(f"no file given and no ./{DEFAULT_FILE} here; `ecluse run --help` shows both ways to begin", Exit.USAGE)
    return Path(DEFAULT_FILE)
