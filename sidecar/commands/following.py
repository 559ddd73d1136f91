"""`ecluse logs` and `ecluse events`: what happened, and with -f what happens."""

import argparse
import json
from typing import Any

from sidecar.commands import Exit, Subparsers, add, add_json, add_remote, client, paint, show
from sidecar.render import Paint, clock

KIND_WIDTH = 12  # of the longest usual one, worker_ready
COLOURS = {"decision": "cyan", "error": "red"}


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    reading = add(commands, "logs", "Show what a service's replicas printed")
    reading.add_argument("service", metavar="SERVICE")
    events_parser = add(commands, "events", "Show decisions and changes of state, the newest last")
    add_json(events_parser)
    for parser, run, what in ((reading, logs, "lines"), (events_parser, events, "events")):
        parser.add_argument("-f", "--follow", action="store_true", help="stay, and show what comes")
        parser.add_argument("-n", "--number", type=int, default=100, metavar="N", help=f"begin with the last N {what} (100)")
        add_remote(parser)
        parser.set_defaults(run=run)


def logs(arguments: argparse.Namespace) -> Exit:
    path = f"/api/services/{arguments.service}/logs"
    colours = paint()
    with client(arguments) as api:
        if arguments.follow:
            for message in api.follow(path, lines=arguments.number):
                show([log_line(message.data, colours)])
        elif lines := api.get(path, lines=arguments.number)["lines"]:
            show([log_line(line, colours) for line in lines])
    return Exit.OK


def log_line(line: str, colours: Paint) -> str:
    """The line, with the replica's name before it in a quiet colour."""
    name, blank, text = line.partition(" ")
    return colours(name, "cyan") + blank + text


def events(arguments: argparse.Namespace) -> Exit:
    colours = paint()
    with client(arguments) as api:
        if arguments.follow:
            for message in api.follow("/api/events", limit=arguments.number):
                show([event_line(json.loads(message.data), colours, arguments.json)])
        elif happened := api.get("/api/events", limit=arguments.number)["events"]:
            show([event_line(event, colours, arguments.json) for event in reversed(happened)])
    return Exit.OK


def event_line(event: dict[str, Any], colours: Paint, as_json: bool) -> str:
    """One event on one line; as JSON, one object on one line."""
    if as_json:
        return json.dumps(event, ensure_ascii=False)
    subject = event.get("replica") or event.get("service") or "ecluse"
    kind = colours(event["kind"].ljust(KIND_WIDTH), COLOURS.get(event["kind"], ""))
    return f"{colours(clock(event['at']), 'dim')}  {kind}  {subject}: {event['message']}"
