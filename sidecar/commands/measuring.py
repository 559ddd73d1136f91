"""What `ecluse bench` does: takes aim, loads, and shows what came of it. Its options stand in `bench`."""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from sidecar.bench import aim as aims
from sidecar.bench import report as reports
from sidecar.bench.aim import Aim
from sidecar.bench.chart import chart
from sidecar.bench.hold import NoReplica, Replicas, can_hold, held
from sidecar.bench.knee import find
from sidecar.bench.picture import picture
from sidecar.bench.report import Report
from sidecar.bench.runner import NoGoodAnswer, Runner, Settings
from sidecar.bench.step import LATENCY_S, Bounds, Step
from sidecar.bench.stopping import ends_in_order, stoppable
from sidecar.bench.words import amount
from sidecar.commands import Exit, Wrong, client, paint, show, width
from sidecar.load import request as requests
from sidecar.load import target as targets
from sidecar.load.arrivals import Spacing
from sidecar.load.generator import Generator
from sidecar.load.options import body_of
from sidecar.load.request import Request
from sidecar.load.target import Target
from sidecar.render import WIDTH


def measure(arguments: argparse.Namespace) -> Exit:
    """All of it. Raises Wrong, Refused, Unreachable."""
    settings = _settings(arguments)
    with ends_in_order():
        if aims.is_url(arguments.service):
            aim = Aim(aims.with_path(arguments.service, arguments.path))
            return _measure(arguments, settings, aim, lambda _: arguments.replicas or 1)
        return _measure_service(arguments, settings)


def _settings(arguments: argparse.Namespace) -> Settings:
    given = arguments
    if given.rate_to and given.rate_to < given.rate_from:
        raise Wrong(f"--rate-to ({given.rate_to:g}) is below --rate-from ({given.rate_from:g})", Exit.USAGE)
    bounds = Bounds(given.max_errors, given.max_latency, given.max_requests, given.max_time)
    spacing = Spacing(given.spacing)
    return Settings(given.rate_from, given.rate_to, given.steps, given.step_seconds, spacing, given.seed, given.objective, bounds)


def _measure_service(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Through the running ecluse, with its replicas held."""
    if arguments.replicas:
        raise Wrong("--replicas goes with a URL; a service's ready replicas are known", Exit.USAGE)
    with client(arguments) as api:
        service = api.get(f"/api/services/{arguments.service}")
        try:
            aim = aims.of_service(api.get("/api/overview"), service, api.url, arguments.path)
        except ValueError as error:
            raise Wrong(str(error), Exit.USAGE) from error
        if service["load"] > 0:
            _say(f"{aim.service} carries {amount(service['load'])} requests already; they count for what it can bear")
        holds = can_hold(service) and not arguments.keep_autoscaling
        if can_hold(service) and not holds:
            _say(f"{aim.service} stays autoscaled: the number of its replicas may change in the middle of a step")
        with held(api, service, _say) if holds else nullcontext():
            return _measure(arguments, settings, aim, Replicas(api, aim.service, _say).ready)


def _measure(arguments: argparse.Namespace, settings: Settings, aim: Aim, replicas: Callable[[Callable[[], bool]], int]) -> Exit:
    target, request = _prepared(arguments, aim)
    with Generator(target, request, arguments.connections, arguments.timeout) as generator, stoppable(generator):
        for line in _announcement(arguments, settings, aim, target):
            _say(line)
        runner = Runner(generator, settings, lambda: replicas(lambda: generator.stopped), _tell)
        try:
            runner.run()
        except NoGoodAnswer as nothing:
            hint = "see what the application says to it, or try another --path or --header"
            raise Wrong(f"{aim.url}: {nothing}; {hint}") from nothing
        except NoReplica as none:
            raise Wrong(str(none)) from none
    finding = find(runner.steps, runner.bounds, settings.objective)
    report = Report(aim.url, aim.service, tuple(runner.steps), runner.bounds, settings.objective, finding, runner.ended)
    _write(arguments, report)
    if generator.stopped:
        return Exit.INTERRUPTED
    return Exit.OK if finding.best else Exit.FAILED


def _prepared(arguments: argparse.Namespace, aim: Aim) -> tuple[Target, Request]:
    """Something that accepts connections, and what to send there. Raises Wrong."""
    try:
        target = targets.parse(aim.url)
        fields = [*aim.fields, *arguments.header]
        request = requests.build(target.authority, target.path, arguments.method, fields, body_of(arguments.body))
        return targets.reachable(target), request
    except ValueError as error:
        raise Wrong(str(error), Exit.USAGE) from error
    except targets.Nobody as nobody:
        raise Wrong(str(nobody)) from nobody


def _announcement(arguments: argparse.Namespace, settings: Settings, aim: Aim, target: Target) -> list[str]:
    """What will be sent where, and what ends it."""
    bounds = settings.bounds
    through = f" (the way to {aim.service})" if aim.service else f"; replicas behind it: {arguments.replicas or 1} (--replicas)"
    latency = f"{bounds.latency_p95_s or LATENCY_S:g} s"
    return [
        f"sends {arguments.method} {target.path} to {target.address}{through}",
        f"at most {bounds.requests:,} requests in {bounds.time_s:g} s, {arguments.connections} connections; Ctrl-C ends it",
        f"goes no higher when {bounds.bad_share:.0%} fail, p95 is over {latency}, or answers fall behind the rate",
    ]


def _tell(step: Step, against: str) -> None:
    _say(reports.step_line(step, against))


def _say(line: str) -> None:
    """Progress goes beside the result."""
    print(line, file=sys.stderr, flush=True)


def _write(arguments: argparse.Namespace, report: Report) -> None:
    """To the files that were asked for, and to the standard output. Raises Wrong."""
    as_json = json.dumps(reports.as_json(report), indent=2)
    try:
        if arguments.plot:
            drawn = picture(f"{report.url}: latency, and answers per second", report.steps, report.point)
            Path(arguments.plot).write_text(drawn, "utf-8")
        if arguments.json and arguments.json != "-":
            Path(arguments.json).write_text(as_json + "\n", "utf-8")
    except OSError as error:
        raise Wrong(f"{error.filename} cannot be written: {(error.strerror or str(error)).lower()}") from error
    show([as_json] if arguments.json == "-" else _lines(report))


def _lines(report: Report) -> list[str]:
    """The result for people."""
    if not report.steps:
        return [f"nothing was measured: {report.ended or 'it was ended before the first step'}"]
    columns = width() or WIDTH
    drawn = chart(report.steps, report.point, min(columns, WIDTH), _has_unicode())
    return [*reports.step_table(report, paint(), width()), "", *drawn, "", *reports.finding_lines(report, min(columns, WIDTH))]


def _has_unicode() -> bool:
    """Whether the standard output can show the chart's marks."""
    try:
        "△●○┊│─└".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
