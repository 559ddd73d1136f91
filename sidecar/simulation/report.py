"""What playing a trace to several rules came to, as lines for people and as JSON for programs. Pure."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sidecar.render import Paint, count, duration, table
from sidecar.simulation.application import Application
from sidecar.simulation.latencies import Shape
from sidecar.simulation.play import Scenario
from sidecar.simulation.tally import Column, Tally
from sidecar.simulation.trace import moment

TITLES = ("RULES", "VIOLATED", "", "P50", "P95", "P99", "LOST", "HELD", "REPLICA-HOURS", "MEAN", "PEAK", "CHANGES")
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Played:
    """One set of rules on the scenario. name: the file's, short. notes: what of the rules could not be simulated."""

    name: str
    tally: Tally
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The whole. scale: by which the recorded counts were multiplied."""

    scenario: Scenario
    scale: float
    played: Sequence[Played]

    @property
    def notes(self) -> list[str]:
        """Everything that has to be said of the recording and of the rules."""
        return [*self.scenario.trace.remarks, *(f"{each.name}: {note}" for each in self.played for note in each.notes)]


def summary_lines(report: Report, columns: int | None) -> list[str]:
    """What was played, and what was assumed."""
    sentences = [recorded(report), f"assumed: {assumptions(report.scenario.application)}; seed {report.scenario.seed}"]
    sentences += [f"note: {note}" for note in report.notes]
    return [line for sentence in sentences for line in _wrapped(sentence, columns)]


def _wrapped(text: str, columns: int | None) -> list[str]:
    return textwrap.wrap(text, columns, subsequent_indent="  ") if columns else [text]


def recorded(report: Report) -> str:
    trace = report.scenario.trace
    scaled = f", times {report.scale:g}" if report.scale != 1.0 else ""
    began = moment(trace.start_s)
    return (
        f"{trace.source}: {count(trace.requests)} requests{scaled} in {duration(trace.length_s)} from {began} UTC, "
        f"recorded every {duration(trace.bin_s)}; objective: {report.scenario.objective} in each minute"
    )


def assumptions(application: Application) -> str:
    """The application as it was simulated, in one line."""
    varying = f", {application.shape}" + (f" with cv {application.cv:g}" if application.shape is Shape.LOGNORMAL else "")
    said = [
        f"requests take {duration(application.service_s)} ({varying[2:]})",
        f"{application.concurrency} at once per replica",
        f"a start takes {duration(application.start_s)} ± {application.jitter:.0%}",
    ]
    if application.start_failure:
        said.append(f"{application.start_failure:.1%} of the starts fail")
    if application.crashes_per_hour:
        said.append(f"a replica crashes {application.crashes_per_hour:g} times an hour")
    if application.cpu_lag_s:
        said.append(f"cpu samples are {duration(application.cpu_lag_s)} old")
    return ", ".join([*said, f"nobody waits longer than {duration(application.max_wait_s)}"])


def result_table(report: Report, paint: Paint, width: int | None) -> list[str]:
    """The rules side by side."""
    return table(TITLES, [row(each) for each in report.played], paint, width=width)


def row(each: Played) -> tuple[str, ...]:
    tally = each.tally
    return (
        each.name,
        f"{tally.violated} min",
        f"{tally.violated / max(1, tally.minutes):.2%}",
        *(duration(tally.quantile_s(share)) for share in QUANTILES.values()),
        count(round(tally.lost + tally.refused)),
        count(round(tally.held)),
        f"{tally.replica_hours:,.1f}",
        f"{tally.mean_replicas:.2f}",
        str(tally.peak),
        str(tally.changes),
    )


def as_json(report: Report) -> dict[str, Any]:
    """The whole, ready for JSON. Nothing in it depends on when or where it was made."""
    trace = report.scenario.trace
    return {
        "trace": {
            "source": trace.source,
            "start": moment(trace.start_s),
            "seconds": trace.length_s,
            "bin_s": trace.bin_s,
            "scale": report.scale,
            "requests": trace.requests,
        },
        "objective": asdict(report.scenario.objective),
        "assumed": asdict(report.scenario.application),
        "seed": report.scenario.seed,
        "notes": report.notes,
        "rules": [_figures(each) for each in report.played],
    }


def _figures(each: Played) -> dict[str, Any]:
    tally = each.tally
    rounded = {name: round(getattr(tally, name), 3) for name in ("answered", "lost", "refused", "held", "present")}
    latencies = {name: _rounded(tally.quantile_s(share)) for name, share in QUANTILES.items()}
    return {
        "name": each.name,
        "minutes": tally.minutes,
        "violated_minutes": tally.violated,
        "requests": tally.arrived,
        **rounded,
        "latency_s": latencies,
        "replica_hours": round(tally.replica_hours, 4),
        "ready_replica_hours": round(tally.ready_s / 3600, 4),
        "mean_replicas": round(tally.mean_replicas, 4),
        "peak_replicas": tally.peak,
        "changes": tally.changes,
        "first_changes": [asdict(change) | {"at_s": round(change.at_s, 3)} for change in tally.told],
        "columns": [_column(column) for column in tally.columns],
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "seconds": round(column.seconds, 3),
        "requests": column.arrived,
        "replicas": round(column.replicas, 3),
        "violated_minutes": column.violated,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
