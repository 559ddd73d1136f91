"""The latency rule: scale up on a slow percentile, but only where more replicas can help, and no further than they do.

A latency does not divide by the number of replicas, so it is judged apart from the ratio rule:
- Up (ceil(ratio x ready), at most a doubling) only where requests are seen to compete: some wait, or a ready replica has at
  least one running on average, or another metric stands at half its target or more: a busy processor is competed for, while
  full memory says nothing of how busy a replica is. Otherwise the application is slow by itself.
- Each such scale-up is a trial: once all of its replicas are ready, a whole stable window must pass before latency may ask
  again, and if the percentile has not fallen by then (by more than the scale-up tolerance), latency backs off: it no longer asks for
  the replicas that did not help, nor for others, until it is back at its target or the load is GROWN times what it was then. Other
  metrics are free meanwhile.
- Down one replica at a time: a low latency does not say how many fewer would keep it low.
"""

from dataclasses import replace
from typing import Final

from autoscaler.decision import Recommendation, name_of
from autoscaler.memory import Trial
from autoscaler.ratio import replicas_for, tolerated
from autoscaler.rules import MetricRule, MetricType, Rules
from autoscaler.snapshot import Snapshot

GROWTH: Final = 2  # at most twice as many replicas for one trial
GROWN: Final = 1.5  # another load, of which nothing was tried
BUSY_RATIO: Final = 0.5  # of another metric's target: from here on requests are taken to compete


def recommend(
    snapshot: Snapshot, metric: MetricRule, rules: Rules, others: tuple[Recommendation, ...], trial: Trial | None
) -> Recommendation:
    """What one latency rule asks for, given what the other metrics found and the trial that is under way."""
    latency_s = snapshot.latency_s.get(metric.percentile)
    if latency_s is None:
        return _unanswered(snapshot, metric)
    ratio = latency_s / metric.effective_target
    replicas, reason, remark = _judge(snapshot, ratio, rules, others, trial)
    why = f"{name_of(metric)} is {_ms(latency_s)} against a target of {_ms(metric.effective_target)} (ratio {ratio:.2f}){remark}"
    return Recommendation(metric, latency_s, metric.effective_target, ratio, replicas, reason, why)


def _judge(
    snapshot: Snapshot, ratio: float, rules: Rules, others: tuple[Recommendation, ...], trial: Trial | None
) -> tuple[int, str, str]:
    """(replicas, reason, remark)"""
    desired = snapshot.desired
    needed = replicas_for(ratio * snapshot.ready, 1.0)
    if tolerated(ratio, rules.behavior):
        return desired, "within_tolerance", ""
    if ratio < 1:
        fewer = min(desired, max(needed, desired - 1)) if snapshot.ready else desired
        return fewer, "latency_below_target" if fewer < desired else "steady", ""
    if not _competing(snapshot, others):
        return desired, "latency_not_from_load", ", but nothing waits and no replica is busy, so that more would not help"
    if trial is not None:
        return min(desired, trial.base or desired) if trial.failed else desired, *_told(trial)
    more = max(desired, min(needed, GROWTH * desired))
    return more, "latency_above_target" if more > desired else "steady", ""


def _told(trial: Trial) -> tuple[str, str]:
    if trial.failed:
        return "latency_not_helped", f", but going to {trial.replicas} did not lower it, so they are not asked for"
    return "latency_on_trial", f", and it is still to be seen whether {trial.replicas} help"


def _competing(snapshot: Snapshot, others: tuple[Recommendation, ...]) -> bool:
    load = snapshot.load(MetricType.CONCURRENCY).stable
    telling = [other.ratio for other in others if other.metric.type is not MetricType.MEMORY]
    busy = any(ratio is not None and ratio >= BUSY_RATIO for ratio in telling)
    return snapshot.waiting.stable > 0 or load >= max(1, snapshot.ready) or busy


def _unanswered(snapshot: Snapshot, metric: MetricRule) -> Recommendation:
    """No answer in the whole window: nothing to be slow at when nothing runs, else the metric has failed."""
    name, target = name_of(metric), metric.effective_target
    if snapshot.load(MetricType.CONCURRENCY).stable > 0:
        return Recommendation(metric, None, target, None, None, "missing_samples", f"no answer to measure {name} on")
    fewer = max(0, snapshot.desired - 1) if snapshot.ready else snapshot.desired
    return Recommendation(metric, None, target, None, fewer, "latency_below_target", f"nothing runs, so {name} is no concern")


def follow(trial: Trial | None, snapshot: Snapshot, rules: Rules) -> Trial | None:
    """Where the trial stands now; None when it is over and latency may ask again."""
    latency_s = snapshot.latency_s.get(trial.percentile) if trial else None
    if trial is None or latency_s is None or latency_s <= _worst_target(trial, rules):
        return None
    load = snapshot.load(MetricType.CONCURRENCY).stable
    if trial.failed:
        return None if load >= GROWN * trial.load else trial
    if snapshot.desired < trial.replicas:
        return None
    if trial.settled_s is None:
        return replace(trial, settled_s=snapshot.now_s) if snapshot.ready >= trial.replicas else trial
    if snapshot.now_s - trial.settled_s < rules.stable_window_s:
        return trial
    helped = latency_s < trial.before_s * (1 - rules.behavior.scale_up.tolerance)
    return None if helped else replace(trial, failed=True, load=load)


def begin(recommended: tuple[Recommendation, ...], before: int, after: int) -> Trial | None:
    """The trial that a scale-up starts when latency asked for it and nothing else asked for as much."""
    asking = [each for each in recommended if each.replicas is not None and each.replicas > before]
    base = max([before, *(each.replicas or 0 for each in asking if each.metric.type is not MetricType.LATENCY)])
    slow = [each for each in asking if each.metric.type is MetricType.LATENCY]
    slowest = max(slow, key=lambda each: each.ratio or 0.0, default=None)
    if after <= base or slowest is None or slowest.sample is None:
        return None
    return Trial(slowest.metric.percentile, slowest.sample, after, base=base)


def _worst_target(trial: Trial, rules: Rules) -> float:
    """The latency that is no longer too high, with the tolerance."""
    targets = [m.effective_target for m in rules.metrics if m.type is MetricType.LATENCY and m.percentile == trial.percentile]
    return min(targets, default=float("inf")) * (1 + rules.behavior.scale_up.tolerance)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
