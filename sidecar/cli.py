"""The command `ecluse`: reads its arguments, runs one of `sidecar.commands`, turns failures into words and exit codes."""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence

from sidecar.client import Refused, Unreachable
from sidecar.commands import (
    Exit,
    Wrong,
    actions,
    bench,
    checking,
    client,
    decide,
    explain,
    following,
    serving,
    simulate,
    status,
    version,
)
from sidecar.render import nearest

DESCRIPTION = "Écluse: a load balancer and autoscaler in one program."
EPILOG = """\
examples:
  ecluse run -- uvicorn app:app --port {port}    a proxy on 8080 before an app
  ecluse run --min 2 --max 8 -- ./serve {port}   two to eight replicas
  ecluse run -- uvicorn app:app --uds {socket}   the same over Unix sockets
  ecluse run ecluse.yaml                         as a file says
  ecluse check ecluse.yaml && ecluse reload      test a changed file, use it
  ecluse status; ecluse explain shop             what runs, and why so many
  ecluse bench shop                              what it carries, and its rule

exit codes:
  0  done                                4  no service or replica of that name
  1  failed                            130  interrupted (Ctrl-C)
  2  wrong usage or configuration      141  the reader of the output went away
  3  cannot reach the admin API, or it wants a token

environment:
  ECLUSE_ADMIN  where the admin API is (http://127.0.0.1:9090)
  ECLUSE_TOKEN  its token, where it has one
  ECLUSE_ROLE   what `ecluse run` runs: all, proxy or autoscaler
  ECLUSE_PURE   1: run the hot path interpreted even where it was compiled
  NO_COLOR      set: no colours
"""
GROUPS = (serving, checking, status, explain, actions, following, bench, decide, simulate, version)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code."""
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # What Python still holds of the output must not be written at exit: it would raise once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE_CLOSED


def parser() -> tuple[argparse.ArgumentParser, list[str]]:
    """The parser of the whole command line, without the words after `--`; and the commands' names."""
    form = argparse.RawDescriptionHelpFormatter
    made = argparse.ArgumentParser("ecluse", description=DESCRIPTION, epilog=EPILOG, formatter_class=form)
    made.add_argument("--version", dest="run", action="store_const", const=version.version, help="as `ecluse version`")
    made.set_defaults(json=False)
    commands = made.add_subparsers(title="commands", metavar="COMMAND")
    for group in GROUPS:
        group.register(commands)
    return made, list(commands.choices)


def _parse(argv: list[str]) -> argparse.Namespace:
    """argparse must not see what follows `--`: it would take a replica's options for its own. Raises Wrong."""
    made, names = parser()
    if argv and not argv[0].startswith("-") and argv[0] not in names:
        raise Wrong(f"no command {argv[0]!r}{nearest(argv[0], names)}", Exit.USAGE)
    end = argv.index("--") if "--" in argv else len(argv)
    arguments, unknown = made.parse_known_args(argv[:end])
    if unknown:
        _check_for_a_command(arguments, argv, unknown)
        made.error(f"unrecognized arguments: {' '.join(unknown)}")
    if arguments.run is None:
        made.print_help(sys.stderr)
        made.exit(Exit.USAGE)
    arguments.words = argv[end + 1 :]
    arguments.has_words = end < len(argv)
    return arguments


def _check_for_a_command(arguments: argparse.Namespace, argv: list[str], unknown: list[str]) -> None:
    """Raises Wrong where `ecluse run` was given a command's words without `--` before them."""
    file = arguments.file if arguments.run is serving.run and "--" not in argv else None
    if file and not file.endswith((".yaml", ".yml")) and argv.index(file) < argv.index(unknown[0]):
        first = argv.index(file)
        right = re.sub(r"'(\{\w+\})'", r"\1", shlex.join(["ecluse", *argv[:first], "--", *argv[first:]]))
        raise Wrong(f"put -- before the command: {right}", Exit.USAGE)


def _run(argv: list[str]) -> Exit:
    try:
        arguments = _parse(argv)
        done: Exit = arguments.run(arguments)
    except Wrong as wrong:
        return _say(str(wrong), wrong.code)
    except Unreachable as unreachable:
        return _say(str(unreachable), Exit.UNREACHABLE)
    except Refused as refused:
        unknown = refused.word == "unknown_name"
        return _say(_unknown(arguments, refused) if unknown else str(refused), Exit.UNKNOWN_NAME if unknown else Exit.FAILED)
    return done


def _unknown(arguments: argparse.Namespace, refused: Refused) -> str:
    """Which name was meant, as far as the running ecluse can tell."""
    with client(arguments) as api:
        services = {service["name"]: service for service in api.get("/api/services")["services"]}
    name = arguments.service
    if name not in services:
        return f"no service {name!r}{nearest(name, list(services))}"
    if "replica" not in arguments:
        return str(refused)
    replicas = [replica["id"] for replica in services[name]["replicas"]]
    return f"{name} has no replica {arguments.replica!r}{nearest(arguments.replica, replicas)}"


def _say(message: str, code: Exit) -> Exit:
    print("\n".join(f"ecluse: {line}" for line in message.splitlines()), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
