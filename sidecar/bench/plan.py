"""Which rate comes next: up by doubling until something speaks against it, then closer around the point that was looked for.

A pure function of the steps so far. With both ends given it goes from one to the other in equal ratios instead.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.bench.knee import find
from sidecar.bench.objective import Objective
from sidecar.bench.step import Bounds, Step, objection

GROWTH = 2.0
CLOSER = 4  # steps at most
CLOSE_ENOUGH = 1.15  # between two rates
ALONE = 0.25  # of the rate at which requests would follow each other without a gap: the first rate
SLOWEST, FASTEST = 0.5, 1000.0  # the first rate, per second


@dataclass(frozen=True, slots=True)
class Plan:
    """first: rate of the first step. last: of the last one; 0: as far as it goes. given: both were given, so go from one to the other."""

    first: float
    last: float = 0.0
    steps: int = 12
    given: bool = False
    objective: Objective | None = None


def first_rate(latency_s: float) -> float:
    """A rate that hardly any application notices, from the latency of a single request."""
    return _round(min(FASTEST, max(SLOWEST, ALONE / max(latency_s, 1e-6))))


def next_rate(steps: Sequence[Step], plan: Plan, bounds: Bounds) -> float | None:
    """The rate of the next step, or None: it is enough."""
    if len(steps) >= plan.steps:
        return None
    if not steps:
        return plan.first
    too_much = any(objection(step, bounds) for step in steps)
    if plan.given:
        ratio = (plan.last / plan.first) ** (1 / max(1, plan.steps - 1))
        return None if too_much else plan.first * ratio ** len(steps)
    if not too_much:
        return _higher(steps[-1].rate, plan)
    return _closer(steps, plan, bounds)


def _higher(rate: float, plan: Plan) -> float | None:
    if not plan.last:
        return rate * GROWTH
    return min(rate * GROWTH, plan.last) if rate < plan.last else None


def _closer(steps: Sequence[Step], plan: Plan, bounds: Bounds) -> float | None:
    """Halfway, by ratio, into the wider gap beside the best step so far; with an objective only above it, where the limit lies."""
    best = find(steps, bounds, plan.objective).best
    climbed = 1 + next(index for index, step in enumerate(steps) if objection(step, bounds))
    if best is None or len(steps) - climbed >= CLOSER:
        return None
    rates = sorted(step.rate for step in steps)
    at = rates.index(best.rate)
    gaps = [] if plan.objective or at == 0 else [(best.rate / rates[at - 1], rates[at - 1])]
    gaps += [(rates[at + 1] / best.rate, best.rate)] if at + 1 < len(rates) else []
    ratio, below = max(gaps, default=(1.0, 0.0))
    return _round(below * math.sqrt(ratio)) if ratio > CLOSE_ENOUGH else None


def _round(rate: float) -> float:
    """To three digits: people read it."""
    return float(f"{rate:.3g}")


def affordable(seconds: float, rate: float, sent: int, spent_s: float, bounds: Bounds) -> str:
    """Why a step of so many seconds would pass a bound on the whole, in words; "" if it does not."""
    if sent + rate * seconds > bounds.requests:
        return f"a step at {rate:g}/s would pass {bounds.requests:,} requests (--max-requests)"
    if spent_s + seconds > bounds.time_s:
        return f"another step would take longer than {bounds.time_s:g} s altogether (--max-time)"
    return ""
