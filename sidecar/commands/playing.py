"""What `ecluse simulate` does: reads the rules and the trace, plays, and shows what came of it. Its options stand in `simulate`."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from autoscaler.rules import MetricType, Rules
from sidecar.commands import Exit, Wrong, paint, show, show_json, width
from sidecar.commands import rules as rule_files
from sidecar.render import WIDTH
from sidecar.simulation import recording, troupe
from sidecar.simulation.application import Application
from sidecar.simulation.chart import chart
from sidecar.simulation.latencies import Shape
from sidecar.simulation.page import page
from sidecar.simulation.play import Scenario
from sidecar.simulation.report import Played, Report, as_json, result_table, summary_lines
from sidecar.simulation.trace import TraceError

UNKNOWN = frozenset({MetricType.MEMORY, MetricType.PROMETHEUS, MetricType.JSON, MetricType.EXTERNAL})  # not in the model


def play(arguments: argparse.Namespace) -> Exit:
    """All of it. Raises Wrong."""
    rules = [(name, _simulable(Path(file), _rules(Path(file)))) for name, file in _names(arguments.rules)]
    scenario = _scenario(arguments)
    tallies = troupe.play(scenario, [known for _, (known, _) in rules], _progress(len(rules)))
    played = [Played(name, tally, notes) for (name, (_, notes)), tally in zip(rules, tallies, strict=True)]
    _clear()
    _show(arguments, Report(scenario, arguments.scale, played))
    return Exit.OK


def _names(files: list[str]) -> list[tuple[str, str]]:
    """Each file with the shortest name that is its own."""
    stems = [Path(file).stem for file in files]
    names = stems if len(set(stems)) == len(stems) else files
    if len(set(names)) < len(names):
        raise Wrong("the same rules file is given twice", Exit.USAGE)
    return list(zip(names, files, strict=True))


def _rules(file: Path) -> Rules:
    known = rule_files.load(file)
    if len(known.services) > 1:
        raise Wrong(f"{file} has rules for {', '.join(known.services)}; one service is simulated at a time", Exit.USAGE)
    try:
        return known.of(known.services[0] if known.services else "app")
    except LookupError as error:
        raise Wrong(f"{file} has no service with rules", Exit.USAGE) from error


def _simulable(file: Path, rules: Rules) -> tuple[Rules, tuple[str, ...]]:
    """The rules without the metrics of which the model knows nothing."""
    known = tuple(metric for metric in rules.metrics if metric.type not in UNKNOWN)
    left_out = [metric.name or metric.type.value for metric in rules.metrics if metric.type in UNKNOWN]
    if not left_out:
        return rules, ()
    names = " and ".join(left_out)
    if not known and not rules.slo:
        raise Wrong(f"{file}: the simulation knows nothing of {names}, and there is no other metric", Exit.USAGE)
    return replace(rules, metrics=known), (f"{names} is left out: a trace says nothing of it",)


def _scenario(arguments: argparse.Namespace) -> Scenario:
    try:
        trace = recording.read(arguments.trace).scaled(arguments.scale)
    except TraceError as error:
        raise Wrong(str(error), Exit.USAGE) from error
    return Scenario(trace, _application(arguments), arguments.slo, arguments.seed)


def _application(given: argparse.Namespace) -> Application:
    return Application(
        service_s=given.service_time,
        cv=given.service_cv,
        shape=Shape(given.service_shape),
        concurrency=given.concurrency,
        start_s=given.start_time,
        jitter=given.start_jitter,
        start_failure=given.start_failure,
        crashes_per_hour=given.crashes,
        max_wait_s=given.max_wait,
        cpu_full=given.cpu_full,
        cpu_lag_s=given.cpu_lag,
    )


def _progress(files: int) -> Callable[[float], None]:
    """On a terminal, how far it is; nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda _: None
    what = "1 rules file" if files == 1 else f"{files} rules files"

    def tell(done: float) -> None:
        print(f"\r{what}: {done:.0%} \x1b[K", end="", file=sys.stderr, flush=True)

    return tell


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise Wrong(f"{file} cannot be written: {error.strerror or error}") from error


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _show(arguments: argparse.Namespace, report: Report) -> None:
    if arguments.html:
        _write(Path(arguments.html), page(report))
    if arguments.json:
        show_json(as_json(report))
        return
    columns = width()
    show([*summary_lines(report, columns), "", *result_table(report, paint(), columns), ""])
    unicode = "utf" in (sys.stdout.encoding or "").lower()
    show(chart(report, columns or WIDTH, unicode))
