"""`slo` mode: only a latency objective is given, and the concurrency per replica that meets it is learned, and scaled on.

What was seen is kept as observations (concurrency -> latency and throughput) and `knee` tells from them what a replica can carry. Both
its concurrency and its throughput become targets, and the larger recommendation wins. Concurrency alone would mislead on the way
down: where requests queue it does not divide by the number of replicas, so a service that had been given one more would look as if
it needed two fewer, and go up and down for ever. The throughput does divide.

- Only what is settled is learned: a whole window (`performance`) with the same number of READY replicas.
- A miss cuts at once; it tells against every earlier good observation at more, and a good one against every earlier miss at less.
- A miss is forgotten after FORGET_S, and only after twice as long each time that it is seen again: an application that got quicker
  is learned anew, at the price of few trials. Good observations hold until they are contradicted or not seen for KEPT_S.
- More replicas because of a miss are a trial. Where they lowered the concurrency and not the latency, or where not even
  `min_concurrency` is carried, the application is slow by itself: nothing more is asked for because of it until the objective is met,
  the concurrency is GROWN times as high, or FORGET_S have passed (twice as long each time, too).
- Concurrency that rises while the throughput is one that was fine says that requests take longer, not that more of them come: until a
  settled window was judged, it may at most double the replicas, and while nothing was learned yet not add any.
"""

from dataclasses import replace
from typing import Final

from autoscaler import knee
from autoscaler.decision import Recommendation, number
from autoscaler.memory import Learned, Observation
from autoscaler.recommend import blind
from autoscaler.rules import MetricRule, MetricType, Rules, Slo
from autoscaler.snapshot import Performance, Snapshot

NAME: Final = "slo"
RATE_NAME: Final = "slo_rps"
GRACE_S: Final = (
    2.0  # or the objective, or what was seen before: answers to requests from before a change do not tell what is after it
)
MOST_GRACE_S: Final = 30.0
SETTLED_S: Final = 10.0  # the shortest window of `performance`
FORGET_S: Final = 900.0
KEPT_S: Final = 3600.0
TIMES: Final = 6  # doublings of FORGET_S: 16 h
WEIGHT: Final = 0.5  # of an observation among those like it
DOUBLE: Final = 2.0  # as a trial of the latency rule
TRIPLE: Final = 3.0  # what a queue grows to says little of how many replicas end it
EASED: Final = 0.9  # a change by less than a tenth is none
GROWN: Final = 1.5
LEAST_SHARE: Final = 1e-3  # of requests that may be late, for a percentile of 100
AGAIN: Final = 2.0  # of the objective: what is taken for the latency of replicas that were too few to be looked at for long


def apply(rules: Rules, learned: Learned | None) -> Rules:
    """The rules with two metrics more, whose targets are what was learned."""
    if rules.slo is None or learned is None:
        return rules
    metrics = [MetricRule(MetricType.CONCURRENCY, max(learned.concurrency, learned.least), name=NAME)]
    if learned.rate:
        metrics.append(MetricRule(MetricType.RPS, learned.rate, name=RATE_NAME))
    return replace(rules, metrics=(*rules.metrics, *metrics))


def learn(learned: Learned | None, snapshot: Snapshot, rules: Rules) -> Learned | None:
    """What is known after this snapshot; None without an objective."""
    if rules.slo is None:
        return None
    known = _settle(learned or Learned(), snapshot, rules.slo)
    seen = snapshot.performance
    if seen is not None and _judgeable(known, seen, snapshot, rules.slo):
        known = _judge(known, seen, snapshot, rules.slo)
    return _aim(known, snapshot, rules.slo)


def explain(recommended: tuple[Recommendation, ...], learned: Learned | None, slo: Slo | None) -> tuple[Recommendation, ...]:
    """The recommendations, with what was learned beside what it asks for."""
    if slo is None or learned is None:
        return recommended
    words = told(learned, slo)
    return tuple(
        each._replace(why=f"{each.why}: {words}") if each.metric.name in (NAME, RATE_NAME) else each for each in recommended
    )


def told(learned: Learned, slo: Slo) -> str:
    """What was learned, and from what, in words."""
    objective = f"p{slo.percentile:g} {{}} {_ms(slo.latency_s)}"
    if learned.failed and learned.trial:
        seen = f"{_ms(learned.trial.latency_s)} at {number(learned.trial.concurrency)}"
        return f"{objective.format('is not under')} with fewer requests at once per replica either (it was {seen}), so more would not help"
    if not learned.observations:
        return f"nothing is known yet of when {objective.format('is under')}"
    per_s = f" ({number(learned.rate)} per second)" if learned.rate else ""
    seen = " and ".join(f"{number(each.concurrency)}: {_ms(each.latency_s)}" for each in _nearest(learned))
    return (
        f"{objective.format('stays under')} up to {number(learned.concurrency)} requests at once per replica{per_s}, seen {seen}"
    )


def _settle(learned: Learned, snapshot: Snapshot, slo: Slo) -> Learned:
    """How long the replicas that serve have been as many."""
    now_s, ready = snapshot.now_s, snapshot.ready
    if learned.settled_s is None or learned.settled_s > now_s:
        return replace(learned, ready=ready, settled_s=now_s, base=ready)
    if learned.ready != ready:
        return replace(_taken_back(learned, snapshot, slo), ready=ready, settled_s=now_s)
    if learned.base != ready and now_s - learned.settled_s >= SETTLED_S + GRACE_S:
        return replace(learned, base=ready)
    return learned


def _taken_back(learned: Learned, snapshot: Snapshot, slo: Slo) -> Learned:
    """Fewer replicas were asked for, and more again before that was judged: what the few had to carry is a miss."""
    few = learned.ready
    if snapshot.ready < min(few, snapshot.desired):
        return replace(learned, base=snapshot.ready)  # they were lost: what is put back says nothing
    if not 0 < few < min(learned.base, snapshot.ready):
        return learned
    rate = snapshot.load(MetricType.RPS).burst / few
    each = Observation(snapshot.now_s, AGAIN / knee.AIM * learned.concurrency, rate, AGAIN * slo.latency_s, False)
    return replace(learned, observations=_noted(learned, each))


def _judgeable(learned: Learned, seen: Performance, snapshot: Snapshot, slo: Slo) -> bool:
    """Whether the window is one of its own, of a service that did not change in it and carried something."""
    settled_s = snapshot.now_s - (learned.settled_s or 0.0)
    fresh_s = seen.window_s if learned.judged_s is None else snapshot.now_s - learned.judged_s
    return (
        not blind(snapshot)
        and snapshot.ready > 0
        and seen.load > 0
        and settled_s >= seen.window_s + _grace_s(learned, slo)
        and fresh_s >= seen.window_s
    )


def _grace_s(learned: Learned, slo: Slo) -> float:
    """For how long answers may be to requests from before the last change."""
    before_s = learned.trial.latency_s if learned.trial else 0.0
    return max(GRACE_S, slo.latency_s, min(before_s, MOST_GRACE_S))


def _judge(learned: Learned, seen: Performance, snapshot: Snapshot, slo: Slo) -> Learned:
    """One window more."""
    load, rate = seen.load / snapshot.ready, seen.rate / snapshot.ready
    latency_s = seen.latency_s
    if latency_s is None:  # where the percentile falls are failures: as many times later than allowed as there are more of them
        latency_s = slo.latency_s * seen.late / max(1 - slo.percentile / 100, LEAST_SHARE)
    each = Observation(snapshot.now_s, load, rate, latency_s, seen.latency_s is not None and latency_s <= slo.latency_s)
    learned = replace(learned, judged_s=snapshot.now_s)
    if each.met:
        return replace(learned, observations=_noted(learned, each), trial=None, failed=False)
    return learned if snapshot.ready < snapshot.desired else _missed(learned, each, slo)


def _missed(learned: Learned, each: Observation, slo: Slo) -> Learned:
    """The objective was missed, and no replica is on its way."""
    trial = learned.trial
    if learned.failed and trial and _remembered(trial, each.at_s) and each.concurrency < GROWN * trial.concurrency:
        return learned
    if trial and not learned.failed and trial.at_s < (learned.settled_s or 0.0) and _useless(trial, each):
        return _gave_up(learned, trial, each.at_s)
    if each.concurrency <= slo.min_concurrency:
        return _gave_up(learned, each, each.at_s)
    begun = replace(each, times=trial.times) if trial else each
    return replace(learned, observations=_noted(learned, each), trial=begun, failed=False)


def _gave_up(learned: Learned, trial: Observation, now_s: float) -> Learned:
    """More replicas do not help: what was missed meanwhile tells nothing of how many there should be."""
    met = tuple([each for each in learned.observations if each.met])
    return replace(learned, observations=met, trial=replace(trial, at_s=now_s, times=trial.times + 1), failed=True)


def _useless(trial: Observation, each: Observation) -> bool:
    """Whether less concurrency, on more replicas, did not bring less latency."""
    return each.concurrency < EASED * trial.concurrency and each.latency_s > EASED * trial.latency_s


def _noted(learned: Learned, each: Observation) -> tuple[Observation, ...]:
    """All observations with this one, without those that it contradicts and those that are too old."""
    like = [old for old in learned.observations if _alike(old, each)]
    rest = [old for old in learned.observations if not (_alike(old, each) or _contradicts(each, old)) and _kept(old, each.at_s)]
    return tuple(sorted([*rest, _blended(like[0], each) if like else each], key=lambda old: old.concurrency))


def _alike(one: Observation, other: Observation) -> bool:
    return one.met == other.met and knee.step_of(one.concurrency) == knee.step_of(other.concurrency)


def _contradicts(each: Observation, old: Observation) -> bool:
    """The objective is met at less than where it is met, and missed at more than where it is missed; and where as much throughput
    took more concurrency, the application has become quicker since, or was disturbed."""
    if not each.met:
        return old.met and old.concurrency >= each.concurrency
    if not old.met:
        return old.concurrency <= each.concurrency or old.rate <= each.rate
    return old.concurrency >= knee.STEP * each.concurrency and EASED * old.rate <= each.rate


def _blended(old: Observation, each: Observation) -> Observation:
    def mean(before: float, now: float) -> float:
        return before + WEIGHT * (now - before)

    return Observation(
        each.at_s,
        mean(old.concurrency, each.concurrency),
        mean(old.rate, each.rate),
        mean(old.latency_s, each.latency_s),
        each.met,
        old.times + 1,
    )


def _aim(learned: Learned, snapshot: Snapshot, slo: Slo) -> Learned:
    """The targets of this moment."""
    met = [each for each in learned.observations if each.met]
    missed = [each for each in learned.observations if not each.met and _remembered(each, snapshot.now_s)]
    found = knee.capacity(met, missed, slo.latency_s, slo.min_concurrency)
    if found is None:
        return replace(learned, concurrency=slo.min_concurrency, rate=0.0, least=_least(learned, snapshot, 1.0))
    concurrency = min(found.concurrency, slo.max_concurrency)
    rate = found.rate * concurrency / found.concurrency
    growth = _growth(snapshot, concurrency, rate)
    return replace(learned, concurrency=concurrency, rate=rate, least=_least(learned, snapshot, growth))


def _remembered(missed: Observation, now_s: float) -> bool:
    return 0 <= now_s - missed.at_s < FORGET_S * 2.0 ** min(TIMES, missed.times - 1)


def _kept(each: Observation, now_s: float) -> bool:
    """A miss outlives its memory, so that it is known how often it was seen."""
    return 0 <= now_s - each.at_s < KEPT_S or (not each.met and _remembered(each, now_s - KEPT_S))


def _growth(snapshot: Snapshot, concurrency: float, rate: float) -> float:
    """How many times the replicas may be asked for because of concurrency: nothing for a queue that only the stable window remembers."""
    if snapshot.load(MetricType.CONCURRENCY).burst <= concurrency * snapshot.ready:
        return 1.0
    return TRIPLE if snapshot.load(MetricType.RPS).burst >= EASED * rate * snapshot.ready else DOUBLE


def _least(learned: Learned, snapshot: Snapshot, growth: float) -> float:
    """The target at which the load asks for at most `growth` times the replicas."""
    if learned.failed and learned.trial:
        return learned.trial.concurrency
    load, looks = snapshot.load(MetricType.CONCURRENCY), snapshot.looks.get(MetricType.CONCURRENCY, ())
    return max(load.stable, load.burst, *(look.value for look in looks)) / (growth * max(1, learned.base))


def _nearest(learned: Learned) -> list[Observation]:
    """The last observation that met the objective and the first that did not."""
    met = [each for each in learned.observations if each.met]
    return met[-1:] + [each for each in learned.observations if not each.met][:1]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
