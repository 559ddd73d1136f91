"""`ecluse scale`, `ecluse pause` and `resume`, `ecluse drain`, `ecluse reload`: what changes a running ecluse."""

import argparse
from typing import Any

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
    draining = add(commands, "drain", "Let one replica finish its requests, then stop it")
    draining.add_argument("service", metavar="SERVICE")
    draining.add_argument("replica", metavar="REPLICA", help="its name in `ecluse status`")
    reloading = add(commands, "reload", "Read the configuration again, without losing a connection")
    for parser, run in ((scaling, scale), (pausing, pause), (resuming, pause), (draining, drain), (reloading, reload)):
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
