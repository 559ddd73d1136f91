"""What was decided, and the whole way to it: everything that `explain` prints, as data.

Invariant: the first stage's `before` is the count asked for last, each stage's `before` is the `after` of the one before it, and
the last `after` is what is desired. No rule belongs here. The parts are named tuples: a dozen are made for every service in every
tick, and a frozen dataclass takes twice as long to make.
"""

from dataclasses import dataclass
from typing import NamedTuple

from autoscaler.rules import USAGES, MetricRule, MetricType, TargetType


class Recommendation(NamedTuple):
    """What one metric asks for. sample: per ready replica (a latency: of the service). replicas None: the metric failed."""

    metric: MetricRule
    sample: float | None
    target: float
    ratio: float | None
    replicas: int | None
    reason: str
    why: str


class Stage(NamedTuple):
    """One step of the way. reason: a short token for machines, "steady" when there is nothing to tell; why: for people, one clause
    without a full stop."""

    name: str
    before: int
    after: int
    reason: str
    why: str

    @property
    def tells(self) -> bool:
        """Whether it belongs into the reason: it made a difference, or is why none was made."""
        return self.reason != "steady"


@dataclass(frozen=True, slots=True)
class Decision:
    """How many replicas a service should have. dry_run: said only, not to be acted upon (a count set by hand always is).
    coming: who is on the way, in words."""

    now_s: float
    service: str
    current: int
    ready: int
    previous: int
    desired: int
    recommended: tuple[Recommendation, ...]
    stages: tuple[Stage, ...]
    dry_run: bool = False
    coming: str = ""

    @property
    def wanted(self) -> int:
        """The count without a budget."""
        return self.stages[-1].before

    @property
    def reason(self) -> str:
        """The token of the last stage that tells; of the first one when none does."""
        return self._telling[-1].reason

    @property
    def sentence(self) -> str:
        """The whole of it for people."""
        whys = "; ".join(stage.why for stage in self._telling)
        return f"{self.service} {self._verb}: {whys}."

    @property
    def _telling(self) -> tuple[Stage, ...]:
        first, *rest = self.stages
        return (first, *(stage for stage in rest if stage.tells))

    @property
    def _verb(self) -> str:
        if self.desired == self.previous:
            return f"stays at {_replicas(self.desired)}"
        goes = "would go" if self.dry_run else "goes"
        return f"{goes} from {self.previous} to {_replicas(self.desired)}"


def _replicas(count: int) -> str:
    return "1 replica" if count == 1 else f"{count} replicas"


def name_of(metric: MetricRule) -> str:
    """The metric as people say it: "concurrency", "rps", "latency_p95"."""
    if metric.type is MetricType.LATENCY:
        return f"latency_p{metric.percentile:g}"
    return metric.name or metric.type.value


def number(value: float) -> str:
    """A load or a target as people read it: at most two decimals, and "0" where those are none."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def amount(metric: MetricRule, value: float) -> str:
    """A sample or a target as people read it: "12.5", "63%" of what a replica is given, "0.4 cores", "310 MiB"."""
    if metric.type not in USAGES:
        return number(value)
    if metric.target_type is not TargetType.AVERAGE_VALUE:
        return f"{value:.0%}"
    return f"{number(value)} cores" if metric.type is MetricType.CPU else f"{number(value / 2**20)} MiB"


def differs(one: Decision, other: Decision) -> bool:
    """Whether anything differs that matters: counts and reasons. Samples, and the words that tell them, move on all the time."""
    if (one.desired, one.dry_run, len(one.stages)) != (other.desired, other.dry_run, len(other.stages)):
        return True
    return any(
        a.before != b.before or a.after != b.after or a.reason != b.reason for a, b in zip(one.stages, other.stages, strict=True)
    )
