"""Reacting to a rise before the stable window has seen it: Knative's panic mode, and steps.

The stable window (60 s) is there so that noise does not move the count; a doubling would take it many seconds to tell. Two
shorter looks at the same load may raise what the stable window asks for, and never lower it:

- *Burst*: the burst window (6 s) carries `threshold` (200 %) of what the ready replicas are meant to carry. Knative compares a
  count rounded up, so that one replica panics at just above its target; we compare the load itself, which is the same from a few
  replicas on and keeps a single one steady.
- *Step*: the last second alone carries more than the tolerance allows, and stands out from the seconds before it by more than
  their noise: 4 standard deviations (3 in 100 000 seconds of normal noise), taken as no smaller than 0.4 of the square root of
  the mean (what Poisson arrivals with requests of 0.1 s show), and by 2 requests, since one more is never a step. It is what
  makes a doubling a decision at the next tick. A step of noise costs a few replicas for a while; it cannot repeat itself, since
  the next one would have to be higher still.

Whatever either asked for holds until a whole stable window has passed without them, and until then nothing goes down: by then
the stable window has seen the new load itself. Rules without `burst` switch both off.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from autoscaler.decision import Stage, name_of
from autoscaler.memory import Mark, within
from autoscaler.ratio import FUZZ, replicas_for
from autoscaler.rules import Burst, MetricRule, MetricType, Rules
from autoscaler.snapshot import Snapshot

DEVIATIONS: Final = 4.0
NOISE: Final = 0.4  # of the square root of the mean: the least noise that is assumed
LEAST_STEP: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Rise:
    """What a short look asks for."""

    replicas: int
    reason: str
    why: str


def raise_for_burst(count: int, snapshot: Snapshot, rules: Rules, held: Mark | None) -> tuple[Stage, Mark | None]:
    """The count, raised to what the burst window or a step asks for, and what to remember of it."""
    rises = _rises(snapshot, rules)
    running = held is not None and bool(within((held,), snapshot.now_s, rules.stable_window_s))
    peak = max([rise.replicas for rise in rises] + ([held.value] if held is not None and running else []), default=0)
    remembered = Mark(snapshot.now_s, peak) if rises else held if running else None
    after = max(count, peak)
    if rises and after > count:
        highest = max(rises, key=lambda rise: rise.replicas)
        return Stage("burst", count, after, highest.reason, highest.why), remembered
    return Stage("burst", count, after, "burst" if running else "steady", _quiet(peak if running else 0)), remembered


def _quiet(peak: int) -> str:
    return f"the burst that asked for {peak} is less than a stable window ago" if peak else "no burst"


def _rises(snapshot: Snapshot, rules: Rules) -> Sequence[_Rise]:
    if rules.burst is None:
        return []
    metrics = [metric for metric in rules.metrics if metric.type is not MetricType.LATENCY]
    found = [_burst(snapshot, metric, rules.burst) for metric in metrics] + [_step(snapshot, metric, rules) for metric in metrics]
    return [rise for rise in found if rise is not None]


def _burst(snapshot: Snapshot, metric: MetricRule, burst: Burst) -> _Rise | None:
    load, target, ready = snapshot.load(metric.type).burst, metric.effective_target, max(1, snapshot.ready)
    if load / target < burst.threshold * ready - FUZZ:
        return None
    needed = replicas_for(load, target)
    share = f"{load / target / ready:.0%} of what the ready ones are meant to carry"
    return _Rise(needed, "burst", f"{name_of(metric)} of the last {burst.window_s:g} s is {load:.3g}, {share}: {needed} needed")


def _step(snapshot: Snapshot, metric: MetricRule, rules: Rules) -> _Rise | None:
    latest, target = snapshot.latest.get(metric.type), metric.effective_target
    if latest is None:
        return None
    noise = max(latest.deviation, NOISE * math.sqrt(latest.usual))
    if latest.value - latest.usual < max(DEVIATIONS * noise, LEAST_STEP) - FUZZ:
        return None
    if latest.value / target <= max(1, snapshot.desired) * (1 + rules.behavior.scale_up.tolerance) + FUZZ:
        return None
    needed = replicas_for(latest.value, target)
    return _Rise(needed, "step", f"{name_of(metric)} stepped from {latest.usual:.3g} to {latest.value:.3g}: {needed} needed")
