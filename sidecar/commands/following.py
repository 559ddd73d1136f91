"""`ecluse logs` and `ecluse events`: what happened, and with -f what happens."""

import argparse
import json
from functools import partial
from typing import Any

from sidecar.commands import Exit, Subparsers, add, add_json, add_remote, client, paint, show
from sidecar.render import Paint, clock
from sidecar.views import EVENTS, LOG_LINES

KIND_WIDTH = 12  # of the longest usual one, worker_ready
COLOURS = {"decision": "cyan", "error": "red"}


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    reading = add(commands, "logs", "Show what a service's replicas printed")
    reading.add_argument("service", metavar="SERVICE")
    events_parser = add(commands, "events", "Show decisions and changes of state, the newest last")
    for parser, run, what, most in ((reading, logs, "lines", LOG_LINES), (events_parser, events, "events", EVENTS)):
        add_json(parser, "one JSON object per line")
        parser.add_argument("-f", "--follow", action="store_true", help="stay, and show what comes")
        last = f"begin with the last N {what} (100; at most {most})"
        parser.add_argument("-n", "--number", type=partial(number, most), default=100, metavar="N", help=last)
        add_remote(parser)
        parser.set_defaults(run=run)


def number(most: int, text: str) -> int:
    """The argument N. Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or int(text[:10]) > most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {most}")
    return int(text)


def logs(arguments: argparse.Namespace) -> Exit:
    path = f"/api/services/{arguments.service}/logs"
    colours = paint()
    with client(arguments) as api:
        if arguments.follow:
            for message in api.follow(path, lines=arguments.number):
                show([log_line(message.data, colours, arguments.json)])
        elif lines := api.get(path, lines=arguments.number)["lines"]:
            show([log_line(line, colours, arguments.json) for line in lines])
    return Exit.OK


def log_line(line: str, colours: Paint, as_json: bool) -> str:
    """The line, with the replica's name before it in a quiet colour; as JSON, one object on one line."""
    name, bar, text = line.partition(" | ")
    if as_json:
        return json.dumps({"replica": name, "line": text}, ensure_ascii=False)
    return colours(name, "cyan") + bar + text


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
