"""What the metrics ask for together, or what to do without any: the first stage of a decision.

The largest recommendation wins. Without data, or with data older than STALE_AFTER_S, the count is held; after `fallback_after_s`
it goes to `fallback_replicas` when that is set, and never to 0: not to know is not to be idle.
"""

from typing import Final

from autoscaler import external, latency, ratio
from autoscaler.decision import Recommendation, Stage
from autoscaler.memory import Trial
from autoscaler.ratio import NOT_MEASURED
from autoscaler.rules import MetricRule, MetricType, Rules
from autoscaler.snapshot import Snapshot

STALE_AFTER_S: Final = 5.0  # samples come every second; a few may be late
SETTLED_S: Final = 5.0  # a mean over less is mostly noise: until then, going up is left to bursts and steps


def blind(snapshot: Snapshot) -> bool:
    """Whether there is nothing recent to decide on."""
    return snapshot.data_age_s is None or snapshot.data_age_s > STALE_AFTER_S


def blind_since_s(snapshot: Snapshot, before_s: float | None) -> float | None:
    """Since when there has been nothing recent; None when there is."""
    if not blind(snapshot):
        return None
    if before_s is not None:
        return min(before_s, snapshot.now_s)
    return snapshot.now_s - (snapshot.data_age_s or 0.0)


def recommend(snapshot: Snapshot, rules: Rules, trial: Trial | None) -> tuple[Recommendation, ...]:
    """What each metric asks for, in the order of the rules; latencies are judged with the others in view."""
    found = [None if metric.type is MetricType.LATENCY else _ask(snapshot, metric, rules) for metric in rules.metrics]
    others = tuple([each for each in found if each is not None])
    return tuple(
        [
            each or latency.recommend(snapshot, metric, rules, others, trial)
            for metric, each in zip(rules.metrics, found, strict=True)
        ]
    )


def _ask(snapshot: Snapshot, metric: MetricRule, rules: Rules) -> Recommendation:
    if external.concerns(metric, snapshot):
        return external.recommend(snapshot, metric, rules)
    return ratio.recommend(snapshot, metric, rules.behavior)


def known(recommended: tuple[Recommendation, ...]) -> bool:
    """Whether every metric could tell."""
    return bool(recommended) and all(each.replicas is not None and each.reason != NOT_MEASURED for each in recommended)


def choose(recommended: tuple[Recommendation, ...], snapshot: Snapshot) -> Stage:
    """The stage made of the largest recommendation."""
    desired = snapshot.desired
    usable = [each for each in recommended if each.replicas is not None]
    if not recommended:
        return Stage("recommend", desired, desired, "steady", "no metric is set")
    if not usable:
        return Stage("recommend", desired, desired, "missing_samples", recommended[0].why)
    largest = max(usable, key=lambda each: (each.replicas or 0, each.ratio or 0.0))
    needed = largest.replicas or 0
    if needed > desired and snapshot.seen_s < SETTLED_S:
        return Stage(
            "recommend", desired, desired, "too_little_data", f"{largest.why}, but only {snapshot.seen_s:.0f} s of it are seen"
        )
    return Stage("recommend", desired, needed, largest.reason, largest.why)


def without_data(snapshot: Snapshot, rules: Rules, since_s: float) -> Stage:
    """The stage of a service about which nothing recent is known."""
    desired, waited_s = snapshot.desired, snapshot.now_s - since_s
    why = f"there has been no data for {waited_s:.0f} s"
    if rules.fallback_replicas is None or waited_s < rules.fallback_after_s:
        return Stage("recommend", desired, desired, "no_data", f"{why}, so the count is held")
    return Stage("recommend", desired, max(1, rules.fallback_replicas), "fallback", f"{why}, so the fallback applies")
