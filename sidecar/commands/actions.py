"""`ecluse scale`, `ecluse pause` and `resume`, `ecluse push`, `ecluse drain`, `ecluse reload`: what changes a running ecluse."""

import argparse
import math
from typing import Any

from autoscaler.decision import number
from sidecar.commands import Exit, Subparsers, Wrong, add, add_json, add_remote, client, show, show_json


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    scaling = add(commands, "scale", "Hold a service's number of replicas, or give it back to the autoscaler")
    scaling.add_argument("service", metavar="SERVICE")
    scaling.add_argument("replicas", metavar="N|auto", type=replicas)
    pausing = add(commands, "pause", "Hold a service's number of replicas where it is, until `ecluse resume`")
    pausing.add_argument("service", metavar="SERVICE")
    pausing.add_argument("--down", action="store_const", const="down", default="all", dest="what", help="let it still rise")
    resuming = add(commands, "resume", "Let the autoscaler change a paused service again")
    resuming.add_argument("service", metavar="SERVICE")
    resuming.set_defaults(what="none")
    pushing = add(commands, "push", "Tell a service the value of a signal that it waits for")
    pushing.add_argument("service", metavar="SERVICE")
    pushing.add_argument("signal", metavar="SIGNAL", help="the name of a metric of type external in its rules")
    pushing.add_argument("value", metavar="VALUE", type=finite)
    draining = add(commands, "drain", "Let one replica finish its requests, then stop it")
    draining.add_argument("service", metavar="SERVICE")
    draining.add_argument("replica", metavar="REPLICA", help="its name in `ecluse status`")
    reloading = add(commands, "reload", "Read the configuration again, without losing a connection")
    for parser, run in (
        (scaling, scale),
        (pausing, pause),
        (resuming, pause),
        (pushing, push),
        (draining, drain),
        (reloading, reload),
    ):
        add_json(parser)
        add_remote(parser)
        parser.set_defaults(run=run)


def replicas(text: str) -> int | str:
    """The argument N|auto. Raises argparse.ArgumentTypeError."""
    if text == "auto":
        return text
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of replicas nor 'auto'")
    return int(text)


def finite(text: str) -> float:
    """The argument VALUE. Raises argparse.ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return value


def scale(arguments: argparse.Namespace) -> Exit:
    with client(arguments) as api:
        service = api.post(f"/api/services/{arguments.service}/scale", {"replicas": arguments.replicas})
    if arguments.json:
        show_json(service)
    elif service["override"] is None:
        show([f"{arguments.service}: scaled by its rules again, between {service['min_replicas']} and {service['max_replicas']}"])
    else:
        name, held = arguments.service, service["override"]
        show([f"{name}: held at {held} replicas from now on (ready: {service['ready']}); `ecluse scale {name} auto` ends that"])
    return Exit.OK


def pause(arguments: argparse.Namespace) -> Exit:
    with client(arguments) as api:
        service = api.post(f"/api/services/{arguments.service}/pause", {"what": arguments.what})
    if arguments.json:
        show_json(service)
    else:
        show([f"{arguments.service}: {_told(service)}"])
    return Exit.OK


def _told(service: dict[str, Any]) -> str:
    if service["pause"] == "none":
        return "scaled by its rules again"
    what = "changes" if service["pause"] == "all" else "goes down"
    return f"nothing {what} by itself from now on (desired: {service['desired']}); `ecluse resume {service['name']}` ends that"


def push(arguments: argparse.Namespace) -> Exit:
    name, signal = arguments.service, arguments.signal
    with client(arguments) as api:
        service = api.post(f"/api/services/{name}/signals/{signal}", {"value": arguments.value})
    if arguments.json:
        show_json(service)
    else:
        show([f"{name}: {signal} is {number(arguments.value)} from now on (desired: {service['desired']})"])
    return Exit.OK


def drain(arguments: argparse.Namespace) -> Exit:
    with client(arguments) as api:
        service = api.post(f"/api/services/{arguments.service}/replicas/{arguments.replica}/drain", {})
    if arguments.json:
        show_json(service)
    else:
        show([f"{arguments.replica}: no new requests from now on; it is stopped when those it has are done"])
    return Exit.OK


def reload(arguments: argparse.Namespace) -> Exit:
    with client(arguments) as api:
        outcome = api.post("/api/reload", {})
    if arguments.json:
        show_json(outcome)
    elif outcome["reloaded"]:
        show(["reloaded"])
    if outcome["errors"]:
        raise Wrong("\n".join([*outcome["errors"], "nothing was changed"]), Exit.USAGE)
    return Exit.OK
