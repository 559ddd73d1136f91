"""How many replicas a service should have: the one pure function that every scaling action comes from.

recommend -> burst -> headroom -> forecast -> hold -> stabilize -> policies -> placement -> pause -> override -> bounds -> budget. Each
stage takes the count of the one before it and says what it changed and why. Before them, what a schedule or an objective makes of the rules
at this moment is put into the rules, so that every stage goes by the same ones. Time is `snapshot.now_s`, and `wall_s` for the time of
day; nothing counts ticks, so late, early and doubled ones do no harm. Nothing here or below may look at a clock, do I/O or draw random
numbers.
"""

from dataclasses import replace

from autoscaler import bounds, budget, forecast, headroom, latency, schedule, slo, starts
from autoscaler.burst import raise_for_burst
from autoscaler.decision import Decision, Recommendation, Stage
from autoscaler.hold import hold
from autoscaler.memory import Mark, Memory
from autoscaler.pause import pause
from autoscaler.policies import limit_rate, longest_period_s
from autoscaler.recommend import blind_since_s, choose, known, recommend, without_data
from autoscaler.rules import Rules
from autoscaler.snapshot import Snapshot
from autoscaler.stabilize import first_sight, stabilize


def decide(snapshot: Snapshot, rules: Rules, memory: Memory) -> tuple[Decision, Memory]:
    """The decision, and what to hand to the next call for this service. A new service starts with `Memory()`."""
    rules = schedule.apply(rules, snapshot.wall_s)
    memory = _observe(memory, snapshot, rules)
    rules = slo.apply(rules, memory.learned)
    recommended, first = _recommend(snapshot, rules, memory)
    burst, held = raise_for_burst(first.after, snapshot, rules, memory.burst)
    roomy = headroom.raise_for_swings(burst.after, snapshot, rules, memory.swings)
    ahead = forecast.raise_for_forecast(roomy.after, snapshot, rules)
    doubted = hold(ahead.after, snapshot, rules, recommended, held)
    stable, memory = stabilize(doubted.after, snapshot, rules, memory, known(recommended))
    limited = limit_rate(stable.after, snapshot, rules.behavior, memory)
    placed = bounds.place(limited.after, snapshot)
    paused = pause(placed.after, snapshot, rules)
    by_hand = bounds.override(paused.after, snapshot)
    bounded = bounds.bound(by_hand.after, snapshot, rules)
    shared = budget.within(bounded.after, snapshot)
    decision = Decision(
        now_s=snapshot.now_s,
        service=snapshot.service,
        current=snapshot.current,
        ready=snapshot.ready,
        previous=snapshot.desired,
        desired=shared.after,
        recommended=recommended,
        stages=(first, burst, roomy, ahead, doubted, stable, limited, placed, paused, by_hand, bounded, shared),
        dry_run=rules.dry_run and snapshot.override is None,
        coming="" if snapshot.ready == snapshot.desired else starts.told(snapshot),
    )
    return decision, _acted(memory if held == memory.burst else replace(memory, burst=held), decision, rules)


def _observe(memory: Memory, snapshot: Snapshot, rules: Rules) -> Memory:
    """What the passing of time alone does to the memory."""
    memory = first_sight(memory, snapshot, rules)
    since_s = blind_since_s(snapshot, memory.blind_since_s)
    trial = latency.follow(memory.trial, snapshot, rules)
    learned = slo.learn(memory.learned, snapshot, rules)
    swings = headroom.learn(memory.swings, snapshot, rules)
    if (since_s, trial, learned, swings) == (memory.blind_since_s, memory.trial, memory.learned, memory.swings):
        return memory
    return replace(memory, blind_since_s=since_s, trial=trial, learned=learned, swings=swings)


def _recommend(snapshot: Snapshot, rules: Rules, memory: Memory) -> tuple[tuple[Recommendation, ...], Stage]:
    if memory.blind_since_s is not None:
        return (), without_data(snapshot, rules, memory.blind_since_s)
    recommended = slo.explain(recommend(snapshot, rules, memory.trial), memory.learned, rules.slo)
    return recommended, choose(recommended, snapshot)


def _acted(memory: Memory, decision: Decision, rules: Rules) -> Memory:
    """Changes count against the policies, and latency's are on trial, only when they are really made."""
    if decision.dry_run or decision.desired == decision.previous:
        return memory
    change = Mark(decision.now_s, decision.desired - decision.previous)
    trial = latency.begin(decision.recommended, decision.previous, decision.desired) or memory.trial
    return replace(memory.change(change, longest_period_s(rules.behavior)), trial=trial)
