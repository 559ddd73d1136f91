"""`ecluse explain`: a decision, stage by stage, or the changes of a time. Prints what decisions carry and works nothing out."""

import argparse
import json
import textwrap
import time
from typing import Any

from sidecar import render
from sidecar.commands import Exit, Subparsers, Wrong, add, add_json, add_remote, client, paint, show, show_json, width
from sidecar.render import Paint
from sidecar.views import DECISIONS

METRIC_TITLES = ("METRIC", "SAMPLE", "TARGET", "RATIO", "ASKS FOR", "WHY")
SHARES = ("cpu", "memory")  # told in per cent of what a replica may use
SILENCE_S = 30.0  # a decision is kept at least every ten seconds
STAGE_TITLES = ("STAGE", "BEFORE", "AFTER", "WHY")
CONDITION_TITLES = ("CONDITION", "NOW", "REASON", "WHY")


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = add(commands, "explain", "Say why a service has as many replicas as it has")
    parser.add_argument("service", metavar="SERVICE")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--at", metavar="TIME", help='the decision of that moment: 14:05, "2026-11-25 14:05", "10m ago"')
    which.add_argument("--since", metavar="TIME", help="a line for each change since then: 1h, 14:05")
    which.add_argument("--snapshot", action="store_true", help="what the next decision is made from, as `ecluse decide` reads it")
    parser.add_argument("--all", action="store_true", help="also the stages that made no difference")
    add_json(parser)
    add_remote(parser)
    parser.set_defaults(run=explain)


def explain(arguments: argparse.Namespace) -> Exit:
    if arguments.since:
        return _changes(arguments)
    if arguments.snapshot:
        return _snapshot(arguments)
    query: dict[str, float] = {"at": _moment(arguments.at)} if arguments.at else {}
    with client(arguments) as api:
        decision = api.get(f"/api/services/{arguments.service}/explain", **query)
    if arguments.json:
        show_json(decision)
    elif not decision:
        show([f"{arguments.service}: nothing was decided yet"])
    else:
        told = [_when(decision["at"], query["at"]), ""] if query else []
        show([*told, *decision_lines(decision, paint(), width() or render.WIDTH, arguments.all)])
    return Exit.OK


def _snapshot(arguments: argparse.Namespace) -> Exit:
    """On one line, so that lines of several moments make a story."""
    with client(arguments) as api:
        show([json.dumps(api.get(f"/api/services/{arguments.service}/snapshot"), ensure_ascii=False)])
    return Exit.OK


def _changes(arguments: argparse.Namespace) -> Exit:
    since, path = _moment(arguments.since), f"/api/services/{arguments.service}/decisions"
    with client(arguments) as api:
        decisions = api.get(path, since=since, changes=1, limit=DECISIONS)["decisions"]
    if arguments.json:
        show_json(decisions)
    elif not decisions:
        show([f"{arguments.service}: no change is kept from then on"])
    else:
        left_out = [f"the last {DECISIONS}; earlier ones are left out"] if len(decisions) == DECISIONS else []
        show([*left_out, *(change_line(each, paint()) for each in reversed(decisions))])
    return Exit.OK


def _when(decided_at: float, asked_at: float) -> str:
    """While the program ran, the last decision before a moment is seconds old."""
    silent_s = min(asked_at, time.time()) - decided_at
    silence = f"; nothing was decided in the {render.duration(silent_s)} after it" if silent_s > SILENCE_S else ""
    return f"decided {render.moment(decided_at)}{silence}"


def _moment(words: str) -> float:
    """Seconds since the epoch: another machine may have another time zone. Raises Wrong."""
    from sidecar.moment import moment  # noqa: PLC0415 - it reads durations as the configuration does, which takes a while to load

    try:
        return moment(words, time.time())
    except ValueError as error:
        raise Wrong(str(error), Exit.USAGE) from error


def change_line(decision: dict[str, Any], colours: Paint) -> str:
    """One decision on one line; those that changed the count stand out."""
    moved = decision["desired"] != decision["previous"]
    return f"{colours(render.moment(decision['at']), 'dim')}  {colours(decision['sentence'], 'bold' if moved else '')}"


def decision_lines(decision: dict[str, Any], colours: Paint, columns: int, every: bool = False) -> list[str]:
    """The decision in a sentence, what each metric asked for, each stage that tells something (or every one), what changed the count
    standing out, and the HPA's conditions."""
    lines = [colours(line, "bold") for line in textwrap.wrap(decision["sentence"], columns)]
    counts = f"current: {decision['current']}, ready: {decision['ready']}, desired: {decision['desired']}"
    counts += f" ({decision['coming']})" if decision.get("coming") else ""
    lines.append(counts + (" (dry run: nothing is done)" if decision["dry_run"] else ""))
    if decision["recommended"]:
        lines += ["", *_wrapped(METRIC_TITLES, [_metric_row(each) for each in decision["recommended"]], colours, columns)]
    first, *others = decision["stages"]
    stages = [first, *(stage for stage in others if every or stage["reason"] != "steady")]
    lines += ["", *_wrapped(STAGE_TITLES, [_stage_row(stage) for stage in stages], colours, columns)]
    told = [_condition_row(each) for each in decision.get("conditions", ())]
    return [*lines, "", *_wrapped(CONDITION_TITLES, told, colours, columns)] if told else lines


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


def _condition_row(condition: dict[str, Any]) -> tuple[str, ...]:
    return condition["type"], "yes" if condition["status"] else "no", condition["reason"], condition["message"]


def _wrapped(titles: tuple[str, ...], rows: list[tuple[str, ...]], colours: Paint, columns: int) -> list[str]:
    """A table whose last column goes on below where it is too long: an explanation is not cut."""
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles) - 1)]
    room = max(render.NARROWEST, columns - sum(widths) - len(render.GAP) * len(widths))
    folded: list[tuple[str, ...]] = []
    for *cells, why in rows:
        first, *rest = textwrap.wrap(why, room) or [""]
        folded += [(*cells, first), *(("",) * len(cells) + (line,) for line in rest)]
    return render.table(titles, folded, colours, width=columns)
