"""Room for the swings of a load: replicas enough that it may rise by as much as it usually varies, before new ones are ready.

Knative leaves 30 % of each replica free, whatever the load does; the HPA goes by the largest count of the last five minutes. Either is too
much for a load that is even and too little for one that is not. Here the mean of the last half hour or so, and `deviations` times the
standard deviation around it, is to fit into replicas that are nearly full. It raises what the other rules ask for, and never lowers
it; a service without any load needs no room for more.

Mean and variance fade exponentially (T. Finch, "Incremental calculation of weighted mean and variance", 2009); before `memory_s` has passed
they are those of all that was seen. What is only to be caught up with is no swing (`demand`).
"""

import math
from dataclasses import replace
from typing import Final

from autoscaler.decision import Stage, name_of, number
from autoscaler.memory import Swing
from autoscaler.ratio import replicas_for
from autoscaler.recommend import blind
from autoscaler.rules import REQUESTS, Headroom, MetricRule, Rules
from autoscaler.snapshot import Snapshot

FULL: Final = 0.95  # of a target, at which a replica is nearly full
SAMPLE_S: Final = 5.0  # how often the load is looked at, over the burst window: about as long as one replica's start matters
LONGEST_S: Final = 60.0  # a sample stands for no more time than that
LEAST_S: Final = 300.0  # less tells how the load began, and not how it varies


def learn(swings: tuple[Swing, ...], snapshot: Snapshot, rules: Rules) -> tuple[Swing, ...]:
    """The swings with this moment in them; the very same ones where it is too early for another look, or nothing can be seen."""
    if rules.headroom is None:
        return ()
    if (swings and 0 <= snapshot.now_s - swings[0].at_s < SAMPLE_S) or blind(snapshot) or not snapshot.ready:
        return swings
    known = {swing.metric: swing for swing in swings}
    keys = dict.fromkeys(metric.key for metric in rules.metrics if metric.type in REQUESTS)
    return tuple([_seen(known.get(key), key, snapshot, rules.headroom.memory_s) for key in keys])


def raise_for_swings(count: int, snapshot: Snapshot, rules: Rules, swings: tuple[Swing, ...]) -> Stage:
    """The count, raised to what leaves room for the swings."""
    if rules.headroom is None or not count:
        return Stage("headroom", count, count, "steady", "no headroom is asked for")
    known = {swing.metric: swing for swing in swings}
    asked = [(metric, known[metric.key]) for metric in rules.metrics if metric.key in known]
    told = [_ask(metric, swing, rules.headroom) for metric, swing in asked if swing.seen_s >= LEAST_S]
    needed, why = max(told, default=(0, "it is too early to tell how the load varies"))
    if needed > count:
        return Stage("headroom", count, needed, "headroom", why)
    return Stage("headroom", count, count, "steady", why)


def _seen(old: Swing | None, metric: str, snapshot: Snapshot, memory_s: float) -> Swing:
    load, now_s = snapshot.load(metric).burst, snapshot.now_s
    if old is None:
        return Swing(metric, now_s, SAMPLE_S, load, 0.0)
    passed_s = min(max(0.0, now_s - old.at_s), LONGEST_S)
    seen_s = min(old.seen_s + passed_s, memory_s)
    share = max(1 - math.exp(-passed_s / memory_s), passed_s / seen_s if seen_s < memory_s else 0.0)
    away = load - old.mean
    variance = (1 - share) * (old.variance + share * away * away)
    return replace(old, at_s=now_s, seen_s=seen_s, mean=old.mean + share * away, variance=variance)


def _ask(metric: MetricRule, swing: Swing, headroom: Headroom) -> tuple[int, str]:
    deviation = math.sqrt(swing.variance)
    needed = replicas_for(swing.mean + headroom.deviations * deviation, max(metric.effective_target, FULL * metric.target))
    return (
        needed,
        f"{name_of(metric)} has lately been {number(swing.mean)}, give or take {number(deviation)}: room for that is {needed}",
    )
