"""`ecluse run`: what takes a configuration and runs it.

The configuration and the controller are imported when they are needed: the other commands start faster without them.
"""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.commands import Exit, Subparsers, Wrong, add
from sidecar.render import nearest
from sidecar.views import Role

if TYPE_CHECKING:
    from sidecar.config import Config

DEFAULT_FILE = "ecluse.yaml"
RUN_USAGE = "ecluse run [--role ROLE] [FILE]\n       ecluse run [OPTIONS] -- COMMAND..."
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

With --role the two halves run apart, of the same file: the proxy carries
requests and needs no access to the cluster; the autoscaler decides, and gives
the proxies that it finds under `proxies` their routing tables.

examples:
  ecluse run -- uvicorn app:app --port {port}
  ecluse run --max 4 --listen 127.0.0.1:8000 -- node app.js
  ecluse run --role proxy ecluse.yaml
  ecluse run --role autoscaler ecluse.yaml
"""


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    running = add(commands, "run", "Run the proxy and the autoscaler", usage=RUN_USAGE, epilog=RUN_EPILOG)
    running.add_argument("file", nargs="?", metavar="FILE", help=f"the configuration (./{DEFAULT_FILE})")
    role = "all, proxy or autoscaler (ECLUSE_ROLE; all)"
    running.add_argument("--role", metavar="ROLE", default="", help=role)
    for option, metavar, meaning in OPTIONS:
        running.add_argument(f"--{option}", metavar=metavar, help=meaning)
    running.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Exit:
    from sidecar.configuration import ConfigurationErrors  # noqa: PLC0415 - see the top

    role = role_of(arguments.role)
    try:
        config = _config(arguments)
    except ConfigurationErrors as errors:
        raise Wrong(str(errors), Exit.USAGE) from errors
    _check_role(role, config)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log each table that a proxy is given
    from autoscaler.cluster.engine import EngineError  # noqa: PLC0415 - see the top
    from sidecar.admin import AdminError  # noqa: PLC0415 - see the top
    from sidecar.listeners import ListenError  # noqa: PLC0415 - see the top
    from sidecar.state import StateInUse  # noqa: PLC0415 - see the top

    try:
        asyncio.run(_live(config, role))
    except (AdminError, EngineError, ListenError, StateInUse) as error:
        raise Wrong(str(error)) from error
    return Exit.OK


async def _live(config: "Config", role: Role) -> None:
    from sidecar.controller import Controller  # noqa: PLC0415 - see the top
    from sidecar.proxy import Proxy  # noqa: PLC0415 - see the top

    await (Proxy(config) if role is Role.PROXY else Controller(config, apart=role is Role.AUTOSCALER)).run()


def role_of(given: str) -> Role:
    """The role given, or that of the environment. Raises Wrong."""
    name = given or os.environ.get("ECLUSE_ROLE") or Role.ALL
    if name not in set(Role):
        raise Wrong(f"no role {name!r}{nearest(name, [role.value for role in Role])}", Exit.USAGE)
    return Role(name)


def _check_role(role: Role, config: "Config") -> None:
    """Raises Wrong where there is nothing to do in that role."""
    from sidecar.configuration.load import COMMAND_LINE  # noqa: PLC0415 - see the top

    if role is not Role.ALL and config.source == COMMAND_LINE:
        raise Wrong(f"--role {role} goes with a file, the same for the proxies and their autoscaler", Exit.USAGE)
    if role is Role.AUTOSCALER and not config.proxies:
        where = 'such as `proxies: ["10.0.0.7:9090"]`, or a name of which every address is a proxy'
        raise Wrong(f"{config.source} does not say where the proxies' admin APIs are: {where}", Exit.USAGE)


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
