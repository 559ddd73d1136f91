"""`ecluse explain`: the last decision, stage by stage. Prints what the decision carries and works nothing out."""

import argparse
import textwrap
from typing import Any

from sidecar import render
from sidecar.commands import Exit, Subparsers, add, add_json, add_remote, client, paint, show, show_json, width
from sidecar.render import Paint

METRIC_TITLES = ("METRIC", "SAMPLE", "TARGET", "RATIO", "ASKS FOR", "WHY")
SHARES = ("cpu", "memory")  # told in per cent of what a replica may use
STAGE_TITLES = ("STAGE", "BEFORE", "AFTER", "WHY")


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = add(commands, "explain", "Say why a service has as many replicas as it has")
    parser.add_argument("service", metavar="SERVICE")
    add_json(parser)
    add_remote(parser)
    parser.set_defaults(run=explain)


def explain(arguments: argparse.Namespace) -> Exit:
    with client(arguments) as api:
        decision = api.get(f"/api/services/{arguments.service}/explain")
    if arguments.json:
        show_json(decision)
    elif not decision:
        show([f"{arguments.service}: nothing was decided yet"])
    else:
        show(decision_lines(decision, paint(), width() or render.WIDTH))
    return Exit.OK


def decision_lines(decision: dict[str, Any], colours: Paint, columns: int) -> list[str]:
    """The decision in a sentence, what each metric asked for, and each stage; what changed the count stands out."""
    lines = [colours(line, "bold") for line in textwrap.wrap(decision["sentence"], columns)]
    counts = f"current: {decision['current']}, ready: {decision['ready']}, desired: {decision['desired']}"
    lines.append(counts + (" (dry run: nothing is done)" if decision["dry_run"] else ""))
    if decision["recommended"]:
        lines += ["", *_wrapped(METRIC_TITLES, [_metric_row(each) for each in decision["recommended"]], colours, columns)]
    return [*lines, "", *_wrapped(STAGE_TITLES, [_stage_row(stage) for stage in decision["stages"]], colours, columns)]


def _metric_row(metric: dict[str, Any]) -> tuple[str, ...]:
    asks = "-" if metric["replicas"] is None else str(metric["replicas"])
    ratio = "-" if metric["ratio"] is None else f"{metric['ratio']:.2f}"
    name = metric["metric"]
    return name, _amount(name, metric["sample"]), _amount(name, metric["target"]), ratio, asks, metric["why"]


def _amount(metric: str, value: float | None) -> str:
    if value is None:
        return "-"
    if metric in SHARES:
        return f"{value:.0%}"
    return render.duration(value) if metric.startswith("latency") else render.count(value)


def _stage_row(stage: dict[str, Any]) -> tuple[str, ...]:
    mark = "" if stage["before"] == stage["after"] else " *"
    return stage["name"], str(stage["before"]), f"{stage['after']}{mark}", stage["why"]


def _wrapped(titles: tuple[str, ...], rows: list[tuple[str, ...]], colours: Paint, columns: int) -> list[str]:
    """A table whose last column goes on below where it is too long: an explanation is not cut."""
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles) - 1)]
    room = max(render.NARROWEST, columns - sum(widths) - len(render.GAP) * len(widths))
    folded: list[tuple[str, ...]] = []
    for *cells, why in rows:
        first, *rest = textwrap.wrap(why, room) or [""]
        folded += [(*cells, first), *(("",) * len(cells) + (line,) for line in rest)]
    return render.table(titles, folded, colours, width=columns)
