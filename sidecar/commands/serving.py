"""`ecluse run` and `ecluse check`: what takes a configuration.

The configuration and the controller are imported when they are needed: the other commands start faster without them.
"""

import argparse
import asyncio
import logging
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidecar import render
from sidecar.commands import Exit, Subparsers, Wrong, add, add_json, show, show_json

if TYPE_CHECKING:
    from autoscaler.rules import Rules
    from sidecar.config import Config, Service

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
environment too. Without FILE and COMMAND, ./ecluse.yaml is used. SIGTERM and
Ctrl-C drain and end it; SIGHUP or `ecluse reload` reads the file again.

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
    checking = add(commands, "check", "Check a configuration file and say what it would run")
    checking.add_argument("file", nargs="?", metavar="FILE", help=f"the configuration (./{DEFAULT_FILE})")
    add_json(checking)
    checking.set_defaults(run=check)


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
        return load(_file(arguments.file))
    if arguments.file:
        raise Wrong(f"give either a file ({arguments.file}) or `-- COMMAND`, not both", Exit.USAGE)
    if not arguments.words:
        raise Wrong("no command after `--`; such as: ecluse run -- uvicorn app:app --port {port}", Exit.USAGE)
    more = {name: getattr(arguments, name) for name in ("listen", "admin", "workers")}
    return from_command(arguments.words, minimum=arguments.min, maximum=arguments.max, **more)


def _file(given: str | None) -> Path:
    if given:
        return Path(given)
    if not Path(DEFAULT_FILE).exists():
        raise Wrong(f"no file given and no ./{DEFAULT_FILE} here; `ecluse run --help` shows both ways to begin", Exit.USAGE)
    return Path(DEFAULT_FILE)


def check(arguments: argparse.Namespace) -> Exit:
    from sidecar.configuration import ConfigurationErrors, load  # noqa: PLC0415 - see the top

    file = _file(arguments.file)
    try:
        config = load(file)
    except ConfigurationErrors as errors:
        if arguments.json:
            show_json({"valid": False, "problems": [_problem(problem) for problem in errors.problems]})
            return Exit.USAGE
        raise Wrong(str(errors), Exit.USAGE) from errors
    if arguments.json:
        show_json({"valid": True, "problems": []})
    else:
        show([f"{file}: valid", *summary(config)])
    return Exit.OK


def _problem(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("file", "line", "column", "key", "message")}


def summary(config: "Config") -> list[str]:
    """What the configuration would run, in a few lines."""
    workers = str(config.workers) if config.workers else "one per core"
    lines = [f"listens on {', '.join(config.listen)}; admin API on {config.admin_listen}; workers: {workers}"]
    for service in config.services:
        routes = ", ".join(f"{route.host}{route.path}" for route in service.routes)
        lines += [f"{service.name}: {routes}", *(f"  {line}" for line in _service(service))]
    return [render.cut(line, render.WIDTH) for line in lines]


def _service(service: "Service") -> list[str]:
    return [_source(service), _readiness(service), *([_rules(service.rules)] if service.rules else [])]


def _source(service: "Service") -> str:
    if service.command:
        return f"runs {shlex.join(service.command)}"
    if service.dns:
        return f"sends to whatever {service.dns} names"
    return f"sends to {', '.join(address for address, _ in service.endpoints)}"


def _readiness(service: "Service") -> str:
    probe = service.readiness
    asked = f"GET {probe.path}" if probe.path else "a TCP connection"
    return f"ready when {asked} succeeds, tried every {render.duration(probe.interval_s)}"


def _rules(rules: "Rules") -> str:
    metrics = ", ".join(f"{metric.type} {metric.target:g}" for metric in rules.metrics)
    span = f"{rules.min_replicas} to {rules.max_replicas} replicas"
    return f"{span}{f', by {metrics} per replica' if metrics else ''}{' (dry run)' if rules.dry_run else ''}"
