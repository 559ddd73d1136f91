"""What a bench found, as lines for people and as JSON for programs. Pure."""

import textwrap
from dataclasses import asdict, dataclass
from typing import Any

from sidecar.bench.knee import Finding
from sidecar.bench.objective import Objective
from sidecar.bench.rule import Rule, as_yaml, rule_for
from sidecar.bench.step import Bounds, Step, objection
from sidecar.bench.words import amount, fine, per_second
from sidecar.render import Paint, table

TITLES = ("RATE", "ANSWERED", "IN FLIGHT", "P50", "P95", "P99", "MAX", "FAILED", "")
QUANTILES = ("p50", "p95", "p99", "max")
SERVICE = "app"  # what an application at a URL is called in the rule


@dataclass(frozen=True, slots=True)
class Report:
    """A whole bench. service: "" for a URL. ended: the bound on the whole that ended it."""

    url: str
    service: str
    steps: tuple[Step, ...]
    bounds: Bounds
    objective: Objective | None
    finding: Finding
    ended: str

    @property
    def point(self) -> Step | None:
        """The step that says what a replica carries; None where the application was not loaded enough to show it."""
        return self.finding.best if self.finding.bounded else None

    @property
    def rule(self) -> Rule | None:
        """What follows from it."""
        return rule_for(self.point.in_flight, self.objective) if self.point else None


def step_line(step: Step, against: str) -> str:
    """A step as it ends, on one line."""
    measured = step.measured
    latencies = ", ".join(f"{name} {fine(measured.latency_s[name])}" for name in ("p50", "p95", "p99"))
    line = f"{per_second(step.rate):>9}: {per_second(measured.achieved_rate)} answered, {amount(measured.in_flight)} in flight, {latencies}"
    return f"{line}  <- {against}" if against else line


def step_table(report: Report, paint: Paint, width: int | None) -> list[str]:
    """All steps, the lowest rate first."""
    rows = [_row(step, report) for step in sorted(report.steps, key=lambda step: step.rate)]
    return table(TITLES, rows, paint, width=width) if rows else []


def _row(step: Step, report: Report) -> tuple[str, ...]:
    measured, mark = step.measured, "best" if report.objective else "knee"
    note = mark if step is report.point else objection(step, report.bounds)
    failed = f"{measured.bad_share:.1%}" if measured.bad else "0"
    latencies = (fine(measured.latency_s[name]) for name in QUANTILES)
    return per_second(step.rate), per_second(measured.achieved_rate), amount(measured.in_flight), *latencies, failed, note


def finding_lines(report: Report, columns: int) -> list[str]:
    """What it comes to, and the rule."""
    lines = [line for sentence in _sentences(report) for line in textwrap.wrap(sentence, columns)]
    if report.rule:
        lines += ["", *as_yaml(report.service or SERVICE, report.rule)]
    return lines


def _sentences(report: Report) -> list[str]:
    best = report.finding.best
    said = [f"It ended early: {report.ended}."] if report.ended else []
    if len({step.replicas for step in report.steps}) > 1:
        said.append("The number of ready replicas changed meanwhile; each step is divided by those of its own time.")
    if report.finding.knee is None:
        return [*said, "No step was good enough to say anything; begin lower with --rate-from, or see what failed."]
    if best is None:
        return [*said, _missed(report, report.finding.knee)]
    if not report.finding.bounded:
        return [*said, _unbounded(report, best)]
    return [
        *said,
        _best(report, best),
        "That is what a replica carries; the rule keeps a reserve for the time that a new one takes:",
    ]


def _missed(report: Report, knee: Step) -> str:
    quickest = fine(min(step.latency_s(report.objective.quantile) for step in report.steps)) if report.objective else "-"
    return (
        f"No rate met the objective {report.objective}: the best was {quickest}. More replicas make no single request faster. "
        f"The knee is at {per_second(knee.rate)}."
    )


def _best(report: Report, best: Step) -> str:
    each = f"{amount(best.in_flight)} in each of {best.replicas} replicas" if best.replicas > 1 else "in one replica"
    flying = f"{amount(best.measured.in_flight)} requests in flight"
    at = f"{per_second(best.rate)}, with {flying}, {each}, and p95 {fine(best.latency_s('p95'))}"
    if report.objective:
        return f"{report.objective} holds up to {at}."
    return f"The knee is at {at}: beyond it latency grows faster than throughput."


def _unbounded(report: Report, best: Step) -> str:
    what = f"{report.objective} held" if report.objective else "Latency grew no faster than throughput"
    at = f"{per_second(best.rate)} ({amount(best.measured.in_flight)} requests in flight, p95 {fine(best.latency_s('p95'))})"
    return f"{what} up to {at}, and nothing higher showed the application at its limit: no rule follows from that."


def as_json(report: Report) -> dict[str, Any]:
    """The whole, ready for JSON."""
    finding = report.finding
    return {
        "url": report.url,
        "service": report.service or None,
        "objective": str(report.objective) if report.objective else None,
        "bounds": asdict(report.bounds),
        "ended": report.ended or None,
        "steps": [step.as_json() | {"objection": objection(step, report.bounds)} for step in report.steps],
        "knee": finding.knee.rate if finding.knee else None,
        "best": finding.best.rate if finding.best else None,
        "bounded": finding.bounded,
        "rule": asdict(report.rule) | {"objective": str(report.objective or "") or None} if report.rule else None,
    }
