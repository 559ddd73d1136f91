"""Reacting to a rise before the stable window has seen it: Knative's panic mode, and steps.

The stable window (60 s) is there so that noise does not move the count; a doubling would take it many seconds to tell. Two
shorter looks at the same load may raise what the stable window asks for, and never lower it:

- *Burst*: the burst window (6 s) carries `threshold` (200 %) of what the ready replicas are meant to carry. Knative compares a
  count rounded up, so that one replica panics at just above its target; we compare the load itself, which is the same from a few
  replicas on and keeps a single one steady.
- *Step*: the last 1, 2, 4 or 8 seconds carry more than the tolerance allows, and more than was usual before them by more than
  noise explains (`usual.stands_out`). Usual is the level since the load began or last stepped, so that neither is taken for noise.
  Steady load tells in the next second, noisy load as soon as its noise has averaged out.

A doubling of steady load is thus a decision within 2 s: of 5 from 20 s after the load began or last stepped, of 10 already after
4 s. Measured with Poisson arrivals, 80 % of the target used before, 10 to 85 s after the load began, the median: 1 or 2 s from a
load of 10 with requests of 0.1 s and of 30 with 1 s, 2 or 3 s for 10 with 0.3 s and 5 with 0.1 s, 3 to 9 s for 10 with 1 s; in
twenty hours of such noise without a doubling, no step. Loads of one or two requests are left to the other windows.

Only concurrency and rps take part. Knative's panic mode, too, is its own metrics' alone, and leaves cpu and memory to the HPA: a replica
cannot use more than all that it may, so that cpu cannot show how far a rise goes, and a burst of it is as likely a garbage
collection as load; memory follows the load late and often never falls again.

Whatever either asked for holds until a whole stable window has passed without them, and until then nothing goes down: by then
the stable window has seen the new load itself. Rules without `burst` switch both off.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autoscaler.decision import Stage, name_of, number
from autoscaler.memory import Mark, within
from autoscaler.ratio import FUZZ, replicas_for
from autoscaler.recommend import blind
from autoscaler.rules import REQUESTS, Burst, MetricRule, MetricType, Rules
from autoscaler.snapshot import Look, Snapshot
from autoscaler.usual import stands_out


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
    highest = next((rise for rise in rises if rise.replicas == after > count), None)
    if highest is not None:
        return Stage("burst", count, after, highest.reason, highest.why), remembered
    return Stage("burst", count, after, "burst" if after > count else "steady", _quiet(remembered)), remembered


def carried(rules: Rules, desired: int) -> dict[str, float]:
    """By metric that can step: the most load that the replicas asked for carry without a step. With an objective whatever it is: what
    they can carry is not in the rules."""
    if rules.burst is None:
        return {}
    allowed = max(1, desired) * (1 + rules.behavior.scale_up.tolerance)
    most: dict[str, float] = {MetricType.CONCURRENCY.value: 0.0} if rules.slo else {}
    for metric in rules.metrics:
        if metric.type in REQUESTS:
            most[metric.key] = min(metric.effective_target * allowed, most.get(metric.key, math.inf))
    return most


def _quiet(held: Mark | None) -> str:
    return f"the burst that asked for {held.value} is less than a stable window ago" if held else "no burst"


def _rises(snapshot: Snapshot, rules: Rules) -> Sequence[_Rise]:
    if rules.burst is None or blind(snapshot):
        return []
    metrics = [metric for metric in rules.metrics if metric.type in REQUESTS]
    found = [_burst(snapshot, metric, rules.burst) for metric in metrics] + [_step(snapshot, metric, rules) for metric in metrics]
    return [rise for rise in found if rise is not None]


def _burst(snapshot: Snapshot, metric: MetricRule, burst: Burst) -> _Rise | None:
    load, target, ready = snapshot.load(metric.key).burst, metric.effective_target, max(1, snapshot.ready)
    if load / target < burst.threshold * ready - FUZZ:
        return None
    needed = replicas_for(load, target)
    share = f"{load / target / ready:.0%} of what the ready ones are meant to carry"
    return _Rise(
        needed, "burst", f"{name_of(metric)} of the last {burst.window_s:g} s is {number(load)}, {share}: {needed} needed"
    )


def _step(snapshot: Snapshot, metric: MetricRule, rules: Rules) -> _Rise | None:
    target = metric.effective_target
    most = max(1, snapshot.desired) * target * (1 + rules.behavior.scale_up.tolerance)
    looks = [look for look in snapshot.looks.get(metric.key, ()) if look.value > most + FUZZ and _stands_out(look)]
    if not looks:
        return None
    highest = max(looks, key=lambda look: look.value)
    needed = replicas_for(highest.value, target)
    told = f"from {number(highest.usual)} to {number(highest.value)} in the last {highest.window_s:.0f} s"
    return _Rise(needed, "step", f"{name_of(metric)} stepped {told}: {needed} needed")


def _stands_out(look: Look) -> bool:
    return stands_out(look.value - look.usual + FUZZ, look.noise)
