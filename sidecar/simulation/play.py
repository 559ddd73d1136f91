"""Plays a trace to one set of rules: the sampler, the windows and the decisions are those that run in earnest; time is not.

In earnest a service is looked at every second. Here it is looked at every second while something happens (the rate of requests changes
by more than STIR, the count or a replica changes, none is READY), and then less and less often: after so many quiet seconds
the next look comes QUIET_SHARE of them later, at most LONGEST_S. So a decision comes late by at most that. Deciding
late is harmless by design: every mean is exact whatever the rhythm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from autoscaler.rules import USAGES, MetricType, Rules
from autoscaler.sampling import Sampler
from autoscaler.scaler import Scaler
from sidecar.simulation.application import Application, Objective
from sidecar.simulation.chance import Chance
from sidecar.simulation.service import Service
from sidecar.simulation.tally import MINUTE_S, Change, Tally
from sidecar.simulation.trace import Trace

TICK_S: Final = 1.0
LONGEST_S: Final = 30.0
QUIET_SHARE: Final = 0.25
STIR: Final = 0.05
NAME: Final = "app"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything but the rules."""

    trace: Trace
    application: Application
    objective: Objective
    seed: int


class Player:
    """One set of rules on one scenario. progress: called now and then with the share that is done."""

    def __init__(self, scenario: Scenario, rules: Rules, progress: Callable[[float], None] = lambda _: None) -> None:
        self._scenario = scenario
        self._progress = progress
        self._sampler = Sampler(rules)
        self._scaler = Scaler(NAME, rules, self._sampler)
        self._service = Service(
            scenario.application,
            scenario.objective,
            Chance(scenario.seed, "service"),
            holds=rules.scale_to_zero is not None,
            latency=bool(rules.slo) or any(metric.type is MetricType.LATENCY for metric in rules.metrics),
            cpu=any(metric.type in USAGES for metric in rules.metrics),
        )
        self._arrivals = Chance(scenario.seed, "arrivals")  # the same ones for all rules
        self._spread = Chance(scenario.seed, "spread")
        self._tally = Tally(scenario.objective, scenario.trace.length_s)
        self._quiet_since_s = 0.0
        self._next_look_s = 0.0

    def play(self) -> Tally:
        """The whole trace, from a start with as many replicas as the rules begin with, all READY."""
        self._scaler.take_over(0)
        self._service.scale_to(self._scaler.wanted)
        self._service.replicas.warm()
        self._look()
        before = 0.0
        counts, bin_s = self._scenario.trace.counts, self._scenario.trace.bin_s
        for number, count in enumerate(counts):
            arrivals = self._arrivals.poisson(count)
            rate = arrivals / bin_s
            if abs(rate - before) > STIR * max(rate, before):
                self._stir()
                before = rate
            self._play_bin(rate, arrivals, (number + 1) * bin_s)
            if number % 64 == 0:
                self._progress(number / len(counts))
        self._tally.finish(self._service.present)
        return self._tally

    def _play_bin(self, rate: float, arrivals: int, end_s: float) -> None:
        """Until the bin ends: given how many come, each comes at any moment alike (Poisson)."""
        service = self._service
        while (left_s := end_s - service.now_s) > 1e-9:
            minute_s = (self._tally.minutes + 1) * MINUTE_S
            until_s = min(end_s, self._next_look_s, service.replicas.due_s, minute_s)
            seconds = max(1e-6, until_s - service.now_s)
            arrived = self._spread.share_of(arrivals, seconds / left_s) if seconds < left_s - 1e-9 else arrivals
            arrivals -= arrived
            self._pass(rate, arrived, min(seconds, left_s))

    def _pass(self, rate: float, arrived: int, seconds: float) -> None:
        service = self._service
        replicas, ready = len(service.replicas), len(service.replicas.ready)
        passed = service.advance(rate, arrived, seconds)
        self._tally.take(passed, replicas, ready)
        if len(service.replicas.ready) != ready or (not ready and arrived):
            self._stir()
        if service.now_s >= self._next_look_s - 1e-9:
            self._look()

    def _stir(self) -> None:
        """Something has happened: look again within a second."""
        now_s = self._service.now_s
        self._quiet_since_s = now_s
        self._next_look_s = min(self._next_look_s, now_s + TICK_S)

    def _look(self) -> None:
        """Sample, decide, act."""
        service, scaler = self._service, self._scaler
        now_s, before = service.now_s, scaler.wanted
        self._sampler.observe(now_s, service.reading(), service.readings(), service.usages())
        decision = scaler.step(now_s, service.statuses())
        if scaler.wanted != before:
            self._tally.change(Change(now_s, before, scaler.wanted, decision.reason))
            self._quiet_since_s = now_s
        service.scale_to(scaler.wanted)
        quiet_s = now_s - self._quiet_since_s
        self._next_look_s = now_s + min(LONGEST_S, max(TICK_S, QUIET_SHARE * quiet_s))
