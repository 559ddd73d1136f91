"""One rate and what came of it, and what speaks against a higher one."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sidecar.load.tally import Measured, is_good

BEHIND = 0.1  # of the answers, missing at the end of a step, is too many
CHANCE = 3.0  # standard deviations: what is in flight at the begin and at the end differs by about sqrt(2 N), if requests are independent
LATENCY_S, SLOWER = 2.0, 10.0  # no higher beyond this p95, or so many times what a single request takes
WAITED = 0.01  # requests without a connection: beyond this share the latencies are about connections, not about the application


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where it is enough. bad_share: of the requests; latency_p95_s: 0 is to be settled; requests, time_s: altogether."""

    bad_share: float = 0.05
    latency_p95_s: float = LATENCY_S
    requests: int = 500_000
    time_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Step:
    """rate: asked for, per second. replicas: READY ones. cut_short: it was interrupted."""

    rate: float
    replicas: int
    measured: Measured
    cut_short: bool = False

    @property
    def power(self) -> float:
        """Good answers per second for each second of mean latency; 0 where there were none."""
        mean_s = self.measured.latency_s["mean"]
        return self.measured.achieved_rate / mean_s if mean_s else 0.0

    @property
    def in_flight(self) -> float:
        """Requests at once in each replica, on average."""
        return self.measured.in_flight / max(1, self.replicas)

    def latency_s(self, quantile: str) -> float:
        """One of the measured quantiles, such as "p95"; infinite where nothing was answered."""
        value = self.measured.latency_s[quantile]
        return float("inf") if value is None else value

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"rate": self.rate, "replicas": self.replicas, "cut_short": self.cut_short, **self.measured.as_json()}


def settled(bounds: Bounds, latency_s: float) -> Bounds:
    """The bounds, with a latency that suits an application which takes so long for a single request."""
    return bounds if bounds.latency_p95_s else replace(bounds, latency_p95_s=max(LATENCY_S, SLOWER * latency_s))


def objection(step: Step, bounds: Bounds) -> str:
    """Why a higher rate is not worth trying, in words; "" if nothing speaks against it."""
    return next(_objections(step, bounds), "")


def _objections(step: Step, bounds: Bounds) -> Iterator[str]:
    measured = step.measured
    if step.cut_short:
        yield "cut short"
    if measured.fell_behind:
        yield f"this load generator is at its limit ({measured.cpu_share:.0%} of a core)"
    if measured.bad_share > bounds.bad_share:
        yield f"{measured.bad_share:.0%} failed: {troubles(measured)}"
    if _is_behind(measured):
        yield f"answers came at {measured.achieved_rate / measured.offered_rate:.0%} of the rate"
    if step.latency_s("p95") > bounds.latency_p95_s:
        yield f"p95 is over {bounds.latency_p95_s:g} s"
    if measured.waited > WAITED * measured.due:
        yield "requests waited for a connection: raise --connections"


def _is_behind(measured: Measured) -> bool:
    """Whether more requests came in than answers went out, beyond what chance does."""
    missing = (measured.offered_rate - measured.achieved_rate) * measured.seconds
    return missing > BEHIND * measured.due + CHANCE * math.sqrt(2 * max(1.0, measured.in_flight))


def troubles(measured: Measured) -> str:
    """What kinds of failures there were: "120 x 503, 4 x timeout" in order of their number; "" for none."""
    kinds = {name: count for name, count in measured.statuses.items() if not is_good(int(name))} | measured.errors
    return ", ".join(f"{count:,} x {name}" for name, count in sorted(kinds.items(), key=lambda kind: -kind[1]))
