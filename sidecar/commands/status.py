"""`ecluse status`: the program, its services and their replicas at a glance."""

import argparse
import textwrap
import time
from typing import Any

from sidecar import render
from sidecar.commands import Exit, Subparsers, add, add_json, add_remote, client, paint, show, show_json
from sidecar.render import Paint, count, duration

SERVICE_TITLES = ("SERVICE", "READY", "DESIRED", "LOAD", "REQ/S", "P50", "P95", "ROUTES")
REPLICA_TITLES = ("REPLICA", "STATE", "ADDRESS", "AGE", "IN FLIGHT", "REQUESTS", "DETAIL")


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = add(commands, "status", "Show services and their replicas")
    parser.add_argument("service", nargs="?", metavar="SERVICE", help="this one only")
    add_json(parser)
    add_remote(parser)
    parser.set_defaults(run=status)


def status(arguments: argparse.Namespace) -> Exit:
    with client(arguments) as api:
        overview = api.get("/api/overview")
        one = arguments.service
        services = [api.get(f"/api/services/{one}")] if one else api.get("/api/services")["services"]
    if arguments.json:
        show_json({"overview": overview, "services": services})
    else:
        show([*program_lines(overview, time.time()), *services_lines(services, paint())])
    return Exit.OK


def program_lines(overview: dict[str, Any], now: float) -> list[str]:
    """The program in two or three lines."""
    workers = overview["workers"]
    connections = sum(worker["reading"]["connections"] for worker in workers)
    up = duration(max(0.0, now - overview["started_at"]))
    lines = [
        f"ecluse {overview['version']} ({overview['build']}), pid {overview['pid']}, up {up}, from {overview['config']}",
        f"listening on {', '.join(overview['listen'])}; workers: {len(workers)}; connections: {connections}",
    ]
    if overview["last_reload_error"]:
        lines.append(f"the last reload failed: {overview['last_reload_error']}")
    return [render.cut(line, render.WIDTH) for line in lines]


def services_lines(services: list[dict[str, Any]], colours: Paint) -> list[str]:
    """A table of the services; below each one its last decision and its replicas."""
    titles, *rows = render.table(SERVICE_TITLES, [_service_row(service) for service in services], colours)
    lines = ["", titles]
    for service, row in zip(services, rows, strict=True):
        lines += [row, *_details(service, colours)]
    return lines


def _service_row(service: dict[str, Any]) -> tuple[str, ...]:
    scale = f"{service['desired']} of {service['min_replicas']}-{service['max_replicas']}" if service["scalable"] else "-"
    held = "" if service["override"] is None else " (held)"
    return (
        service["name"],
        f"{service['ready']}/{service['current']}",
        scale + held,
        count(service["load"]),
        count(service["rps"]),
        duration(service["latency_p50_s"]),
        duration(service["latency_p95_s"]),
        ", ".join(service["routes"]),
    )


def _details(service: dict[str, Any], colours: Paint) -> list[str]:
    said = [service["last_decision"], *(f"{name}: {words}" for name, words in service["conditions"].items())]
    lines = [f"  {line}" for words in said for line in textwrap.wrap(words, render.WIDTH - 2, max_lines=3, placeholder="…")]
    rows = [_replica_row(replica) for replica in service["replicas"]]
    return [*lines, *(render.table(REPLICA_TITLES, rows, colours, indent="  ") if rows else ["  no replicas"])]


def _replica_row(replica: dict[str, Any]) -> tuple[str, ...]:
    restarts = f"restarts: {replica['restarts']}" if replica["restarts"] else ""
    return (
        replica["id"],
        replica["state"],
        replica["address"],
        duration(replica["age_s"]),
        str(replica["reading"]["in_flight"]),
        count(sum(replica["reading"]["status"])),
        "; ".join(words for words in (replica["detail"], restarts) if words),
    )
