"""`ecluse version`: what this program is made of."""

import argparse
import platform
from importlib import metadata

from balancer import hotpath
from sidecar.commands import Exit, Subparsers, add, add_json, show, show_json


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = add(commands, "version", "Show the version, what of it is compiled, and the Python it runs on")
    add_json(parser)
    parser.set_defaults(run=version)


def installed() -> str:
    """The version that is installed; "uninstalled" where the sources run by themselves."""
    try:
        return metadata.version("ecluse")
    except metadata.PackageNotFoundError:
        return "uninstalled"


def version(arguments: argparse.Namespace) -> Exit:
    parts = {
        "version": installed(),
        "hot_path": hotpath.build(),
        "deciding": hotpath.build_of("autoscaler.decide"),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
    }
    if arguments.json:
        show_json(parts)
    else:
        builds = f"hot path {parts['hot_path']}, deciding {parts['deciding']}"
        show([f"ecluse {parts['version']}, {builds}, {parts['implementation']} {parts['python']}"])
    return Exit.OK
