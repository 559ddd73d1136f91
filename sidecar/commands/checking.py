"""`ecluse check`: whether a configuration is valid, what it would run, and what in it will probably not work."""

import argparse
import shlex
import sys
from typing import TYPE_CHECKING, Any

from autoscaler.cluster.engine import Clone, Copy, Image, SwarmService
from autoscaler.decision import amount
from autoscaler.rules import SIGNALS, USAGES
from sidecar import render
from sidecar.commands import Exit, Subparsers, Wrong, add, add_json, show, show_json, width
from sidecar.commands.doubts import doubts
from sidecar.commands.serving import DEFAULT_FILE, file_of

if TYPE_CHECKING:
    from autoscaler.cluster.engine import Source
    from autoscaler.rules import MetricRule, Rules, Schedule, Slo
    from sidecar.config import Config, Service


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    checking = add(commands, "check", "Check a configuration file and say what it would run")
    checking.add_argument("file", nargs="?", metavar="FILE", help=f"the configuration (./{DEFAULT_FILE})")
    add_json(checking)
    checking.set_defaults(run=check)


def check(arguments: argparse.Namespace) -> Exit:
    from sidecar.configuration import ConfigurationErrors, load  # noqa: PLC0415 - see `serving`

    file = file_of(arguments.file)
    try:
        config = load(file)
    except ConfigurationErrors as errors:
        if arguments.json:
            show_json({"valid": False, "problems": [_problem(problem) for problem in errors.problems], "warnings": []})
            return Exit.USAGE
        raise Wrong(str(errors), Exit.USAGE) from errors
    warnings = doubts(config)
    if arguments.json:
        show_json({"valid": True, "problems": [], "warnings": warnings})
    else:
        show([f"{file}: valid", *(render.cut(line, width()) for line in summary(config))])
        for warning in warnings:
            print(f"ecluse: warning: {warning}", file=sys.stderr)
    return Exit.OK


def _problem(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("file", "line", "column", "key", "message")}


def summary(config: "Config") -> list[str]:
    """What the configuration would run, in a few lines."""
    workers = str(config.workers) if config.workers else "one per core"
    lines = [
        f"listens on {', '.join(config.listen)}; admin API on {config.admin_listen}; workers: {workers}",
        f"state in {config.state}" if config.state else "keeps nothing: after a restart it begins anew",
    ]
    if config.engine != "processes":
        lines.append(f"containers on {config.engine}, {_endpoint(config)}; owner: {config.docker.owner}")
    if config.proxies:
        lines.append(f"proxies that run apart: {', '.join(config.proxies)}")
    for service in config.services:
        routes = ", ".join(f"{route.host}{route.path}" for route in service.routes)
        lines += [f"{service.name}: {routes}", *(f"  {line}" for line in _service(service))]
    return lines


def _endpoint(config: "Config") -> str:
    hosts = " or else ".join(config.docker.hosts) or "where DOCKER_HOST says"
    return f"{hosts}{', and services by their labels' if config.docker.labels else ''}"


def _service(service: "Service") -> list[str]:
    return [_source(service), _readiness(service), *(_rules(service.rules) if service.rules else [])]


def _source(service: "Service") -> str:
    if service.source:
        return _containers(service, service.source)
    if service.command:
        return f"runs {shlex.join(service.command)}"
    if service.dns:
        return f"sends to whatever {service.dns} names"
    return f"sends to {', '.join(address for address, _ in service.endpoints)}"


def _containers(service: "Service", source: "Source") -> str:
    return f"{_origin(source)} on {service.engine}{f', port {source.port}' if source.port else ''}{_command(service)}"


def _origin(source: "Source") -> str:
    match source:
        case Image():
            return f"image {source.name}"
        case Clone():
            return f"copies of the Compose service {source.service}{f' of {source.project}' if source.project else ''}"
        case Copy():
            return f"copies of the container {source.container}"
        case SwarmService():
            return f"the Swarm service {source.name}{f' over {source.network}' if source.network else ''}"
    return f"containers labelled {source.name}"


def _command(service: "Service") -> str:
    return f", running {shlex.join(service.command)}" if service.command else ""


def _readiness(service: "Service") -> str:
    probe = service.readiness
    asked = f"GET {probe.path}" if probe.path else "a connection"
    return f"ready when {asked} succeeds, tried every {_time(probe.interval_s)}"


def _rules(rules: "Rules") -> list[str]:
    least, most = rules.min_replicas, rules.max_replicas
    span = f"always {_replicas(least)}" if least == most else f"{least} to {_replicas(most)}"
    objective = [_objective(rules.slo)] if rules.slo else []
    targets = "".join(f", by {target}" for target in (*objective, *map(_metric, rules.metrics)))
    return [f"{span}{targets}{_held(rules)}", *map(_schedule, rules.schedules)]


def _held(rules: "Rules") -> str:
    words = {"ahead by forecast": rules.forecast, f"paused: {rules.pause}": rules.pause != "none", "dry run": rules.dry_run}
    said = ", ".join(word for word, is_so in words.items() if is_so)
    return f" ({said})" if said else ""


def _objective(slo: "Slo") -> str:
    return f"what keeps p{slo.percentile:g} under {_time(slo.latency_s)}"


def _schedule(schedule: "Schedule") -> str:
    least, most = schedule.min_replicas, schedule.max_replicas
    bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    return f"{' and '.join(bounds)} from {schedule.start!r} to {schedule.end!r}, {schedule.timezone}"


def _replicas(number: int) -> str:
    return f"{number} replica{'' if number == 1 else 's'}"


def _metric(metric: "MetricRule") -> str:
    """The target that decisions aim at, and what it is made of where that is not all of what was written."""
    if metric.type in USAGES:
        return _usage(metric)
    if metric.type in SIGNALS:
        return f"{metric.name} {metric.target:.6g} {'for the whole service' if metric.target_type == 'value' else 'per replica'}"
    is_latency = metric.type == "latency"
    effective, written = (_time(n) if is_latency else f"{n:.4g}" for n in (metric.effective_target, metric.target))
    part = "" if metric.target_utilization == 1 else f" ({metric.target_utilization * 100:.4g} % of {written})"
    return f"p{metric.percentile:g} latency {effective}{part}" if is_latency else f"{metric.type} {effective} per replica{part}"


def _usage(metric: "MetricRule") -> str:
    if metric.target_type != "average_value":
        return f"{metric.type} {metric.target * 100:.4g} % of what a replica needs or may use"
    return f"{metric.type} {amount(metric, metric.target)} per replica"


def _time(seconds: float) -> str:
    """As it was configured, not rounded for reading."""
    return f"{seconds * 1000:.4g} ms" if seconds < 1 else f"{seconds:g} s"
