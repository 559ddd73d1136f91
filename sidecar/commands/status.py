"""`ecluse status`: the program, its services and their replicas at a glance."""

import argparse
import textwrap
import time
from collections.abc import Iterable
from typing import Any

from sidecar import render
from sidecar.commands import Exit, Subparsers, add, add_json, add_remote, client, paint, show, show_json, width
from sidecar.render import Paint, count, duration
from sidecar.views import Role

SERVICE_TITLES = ("SERVICE", "READY", "DESIRED", "LOAD", "REQ/S", "P50", "P95", "ROUTES")
PAUSED = {"none": "", "down": " (not going down)", "all": " (paused)"}
REPLICA_TITLES = ("REPLICA", "STATE", "ADDRESS", "AGE", "IN FLIGHT", "REQUESTS", "DETAIL")
USAGE_TITLES = ("CPU", "MEM")  # where any is known, before the details
PROGRAM_TROUBLES = (
    ("no_route", "requests matched no route (404)"),
    ("bad_requests", "bad requests (4xx)"),
    ("refused", "connections over the limit"),
)
REFUSED = ("shed", "wait_timeouts", "unavailable")
SERVICE_TROUBLES = (
    ("waiting", "waiting now"),
    ("shed", "refused: queue full"),
    ("wait_timeouts", "refused: waited too long"),
    ("unavailable", "refused: no replica ready"),
)
REPLICA_TROUBLES = (("connect_errors", "connect errors"), ("broken", "answers broken off"), ("timeouts", "replica timeouts"))


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
        columns = width()
        show([*program_lines(overview, time.time(), columns), *services_lines(services, paint(), columns)])
    return Exit.OK


def program_lines(overview: dict[str, Any], now: float, columns: int | None) -> list[str]:
    """The program in a few lines, and what it refused before a service was chosen."""
    workers = overview["workers"]
    up = duration(max(0.0, now - overview["started_at"]))
    build = f" ({overview['build']})" if overview["build"] else ""
    role = "" if overview["role"] == Role.ALL else f", the {overview['role']}"
    lines = [f"ecluse {overview['version']}{build}{role}, pid {overview['pid']}, up {up}, from {overview['config']}"]
    if overview["role"] == Role.AUTOSCALER:
        lines += [_proxy_line(proxy) for proxy in overview["proxies"]] or ["no proxy is found yet"]
    else:
        connections = sum(worker["reading"]["connections"] for worker in workers)
        lines.append(f"listening on {', '.join(overview['listen'])}; workers: {len(workers)}; connections: {connections}")
    cells = [worker["reading"] for worker in workers]
    lines += _counted((sum(reading[name] for reading in cells), words) for name, words in PROGRAM_TROUBLES)
    lines += [f"budget: {', '.join(_share(each) for each in overview['budget'])}"] if overview["budget"] else []
    if overview["last_reload_error"]:
        lines.append(f"the last reload failed: {overview['last_reload_error']}")
    return [render.cut(line, columns) for line in lines]


def _share(share: dict[str, Any]) -> str:
    unit = "B of memory" if share["resource"] == "memory" else f" {share['resource']}"
    return f"{count(share['used'])} of {count(share['limit'])}{unit}"


def _proxy_line(proxy: dict[str, Any]) -> str:
    heard = "never heard" if proxy["age_s"] is None else f"heard {duration(proxy['age_s'])} ago"
    words = f"; {proxy['detail']}" if proxy["detail"] else ""
    carried = f"table {proxy['acknowledged']}; workers: {proxy['workers']}; connections: {proxy['connections']}"
    return f"proxy {proxy['address']}: {carried}; {heard}{words}"


def services_lines(services: list[dict[str, Any]], colours: Paint, columns: int | None) -> list[str]:
    """A table of the services; below each one its last decision, what went wrong so far, and its replicas."""
    titles, *rows = render.table(SERVICE_TITLES, [_service_row(service) for service in services], colours, width=columns)
    lines = ["", titles]
    for service, row in zip(services, rows, strict=True):
        lines += [row, *_details(service, colours, columns)]
    return lines


def _service_row(service: dict[str, Any]) -> tuple[str, ...]:
    scale = f"{service['desired']} of {service['min_replicas']}-{service['max_replicas']}" if service["scalable"] else "-"
    marks = (" (held)" if service["override"] is not None else PAUSED[service["pause"]]) + (
        " (dry run)" if service["dry_run"] else ""
    )
    return (
        service["name"],
        f"{service['ready']}/{service['current']}",
        scale + marks,
        count(service["load"]),
        count(service["rps"]),
        duration(service["latency_p50_s"]),
        duration(service["latency_p95_s"]),
        ", ".join(service["routes"]),
    )


def _details(service: dict[str, Any], colours: Paint, columns: int | None) -> list[str]:
    way = f"reached {service['way']}" if service["way"] else ""
    learned = f"objective: {service['slo']['why']}" if service["slo"] else ""
    said = [
        service["last_decision"],
        service["coming"],
        learned,
        way,
        *(f"{name}: {words}" for name, words in service["conditions"].items()),
    ]
    lines = [f"  {line}" for words in said for line in _folded(words, columns)]
    lines += [colours(f"  {line}", "yellow") for words in trouble(service) for line in _folded(words, columns)]
    titles, rows = _replica_table(service["replicas"])
    return [*lines, *(render.table(titles, rows, colours, indent="  ", width=columns) if rows else ["  no replicas"])]


def _replica_table(replicas: list[dict[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """(titles, rows)"""
    rows = [_replica_row(replica) for replica in replicas]
    if all(replica["usage"] is None for replica in replicas):
        return REPLICA_TITLES, rows
    used = [_used(replica) for replica in replicas]
    return (*REPLICA_TITLES[:-1], *USAGE_TITLES, REPLICA_TITLES[-1]), [
        (*row[:-1], *cells, row[-1]) for row, cells in zip(rows, used, strict=True)
    ]


def _used(replica: dict[str, Any]) -> tuple[str, str]:
    cpu, usage = replica["cpu"], replica["usage"]
    return "-" if cpu is None else f"{cpu:.0%}", "-" if usage is None else f"{count(usage['memory'])}B"


def _folded(words: str, columns: int | None) -> list[str]:
    """On a terminal in at most three lines, elsewhere whole on one."""
    if columns is None:
        return [words] if words else []
    return textwrap.wrap(words, max(render.NARROWEST, columns - 2), max_lines=3, placeholder="…")


def trouble(service: dict[str, Any]) -> list[str]:
    """What waits now, and what went wrong since the service runs, in a line; nothing where all is well."""
    own = service["reading"] or {}
    replicas = [replica["reading"] for replica in service["replicas"]]
    refused = sum(own.get(name, 0) for name in REFUSED)
    proxy_5xx = own["own_answers"]["5xx"] - refused if own else 0
    return _counted(
        [
            *((own.get(name, 0), words) for name, words in SERVICE_TROUBLES),
            (max(0, proxy_5xx), "other 5xx by ecluse"),
            *((sum(cells["status"][kind] for cells in replicas), f"{kind} by replicas") for kind in ("4xx", "5xx")),
            *((sum(cells[name] for cells in replicas), words) for name, words in REPLICA_TROUBLES),
        ]
    )


def _counted(troubles: Iterable[tuple[int, str]]) -> list[str]:
    """Those that there were, on one line."""
    found = [f"{number:,} {words}" for number, words in troubles if number]
    return ["; ".join(found)] if found else []


def _replica_row(replica: dict[str, Any]) -> tuple[str, ...]:
    restarts = f"restarts: {replica['restarts']}" if replica["restarts"] else ""
    return (
        replica["id"],
        replica["state"],
        replica["address"],
        duration(replica["age_s"]),
        str(replica["reading"]["in_flight"]),
        count(sum(replica["reading"]["status"].values())),
        "; ".join(words for words in (replica["detail"], restarts) if words),
    )
