"""From the scoreboard's counters to snapshots: differences of cumulative readings, kept for as long as a window needs them.

One `Sampler` per service. Means are exact whatever the rhythm of the ticks: `busy_us` is an integral, so the concurrency of any
interval is a difference divided by its length. Counters that fall (a scoreboard made anew, a replica under an old name) add
nothing for that one tick. No rule is applied here, and no clock is read: times are the caller's CLOCK_MONOTONIC seconds. What the
engine measures, and only where a rule asks for it, is kept in `usage`.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from autoscaler.burst import carried
from autoscaler.cluster.engine import Usage
from autoscaler.demand import Demand
from autoscaler.history import Frame, History, Window, beginning
from autoscaler.looks import FARTHEST_S, looks
from autoscaler.performance import performance
from autoscaler.rules import USAGES, MetricType, Rules
from autoscaler.snapshot import ReplicaSample, Sample, Snapshot
from autoscaler.usage import Consumption, Shares
from balancer.hotpath.cells import grown
from balancer.scoreboard import ReplicaReading, ServiceReading
from balancer.table import ReplicaState

LAST_S: Final = 1.0  # "the last second"
VIEW_S: Final = 5.0  # over which `latency` is shown: a second seldom has answers enough for a percentile

Cells: TypeAlias = "array[int]"  # of a replica: `board` says where each stands
CONCURRENCY: Final = MetricType.CONCURRENCY.value
RPS: Final = MetricType.RPS.value
READY: Final = ReplicaState.READY
_LOAD: Final[Callable[[Window], float]] = attrgetter("load")
NO_USAGES: Final[Mapping[str, Usage | None]] = MappingProxyType({})


class ReplicaStatus(NamedTuple):
    """What the controller knows of a replica. since_s: when it was started. took_s: how long its start took, None until it was READY."""

    id: str
    state: ReplicaState
    since_s: float
    took_s: float | None = None


class Sampler:
    """Observes one service. `rules` may be replaced at any time; windows that became longer fill up as time passes."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._history = History(0.0)
        self._service: ServiceReading | None = None
        self._cells: dict[str, Cells] = {}
        self._active_s = 0.0
        self._demand = Demand()
        self._consumption = Consumption()

    @property
    def needs_usage(self) -> bool:
        """Whether any rule asks for what the engine measures."""
        return any(metric.type in USAGES for metric in self.rules.metrics)

    @property
    def load(self) -> float:
        """Requests running and waiting, on average over the last second."""
        window = self._history.window(LAST_S)
        return window.load if window else 0.0

    @property
    def rps(self) -> float:
        """Answers per second over the last second."""
        window = self._history.window(LAST_S)
        return window.rate if window else 0.0

    @property
    def totals(self) -> dict[str, float]:
        """Of what adds up, since the first reading: by metric, its mean times the seconds it lasted."""
        last = self._history.last
        return {CONCURRENCY: last.busy_s + last.waited_s, RPS: last.answers} if last else dict.fromkeys((CONCURRENCY, RPS), 0.0)

    def latency(self, percentile: float) -> float | None:
        """A percentile (0 to 100) of the last few seconds in seconds, None when nothing was answered."""
        window = self._history.window(VIEW_S)
        return _latency_s(window, percentile) if window else None

    def usage(self, replica: str) -> Shares | None:
        """What a replica used over the last few seconds, None when that is unknown or no rule asks for it."""
        last = self._history.last
        return self._consumption.lately(replica, last.at_s, VIEW_S) if last else None

    def observe(
        self,
        now_s: float,
        service: ServiceReading,
        replicas: Mapping[str, ReplicaReading],
        usages: Mapping[str, Usage | None] = MappingProxyType({}),
    ) -> None:
        """As `take`, of readings by name."""
        self.take(now_s, service, {name: reading.cells() for name, reading in replicas.items()}, usages)

    def take(
        self, now_s: float, service: ServiceReading, cells: dict[str, Cells], usages: Mapping[str, Usage | None] = NO_USAGES
    ) -> None:
        """Take the readings of now; call about once a second. A replica counts from the second reading that it is in.

        usages: of the replicas that serve (READY or DRAINING), None where the engine tells nothing; not used unless `needs_usage`.
        """
        last = self._history.last or beginning(now_s - 1.0)
        if now_s <= last.at_s:
            return
        self._history.horizon_s = self._horizon_s()
        if self.needs_usage:
            self._consumption.observe(now_s, usages, self._horizon_s())
        else:
            self._consumption.forget()
        frame, active = self._frame(now_s, service, cells, last)
        self._history.add(frame)
        if active:
            self._active_s = now_s
        self._service, self._cells = service, cells

    def snapshot(
        self, now_s: float, service: str, replicas: Sequence[ReplicaStatus], desired: int, override: int | None, **known: Any
    ) -> Snapshot:
        """All that `decide` needs to know. desired: the count asked for last. override: the count set by hand. known: what else is known,
        as the snapshot's fields."""
        stable, burst = self._history.window(self.rules.stable_window_s), self._history.window(self._burst_s())
        if self._service is None or stable is None or burst is None:
            unknown = tuple(ReplicaSample(replica.id, replica.state, now_s - replica.since_s) for replica in replicas)
            return Snapshot(now_s, service, desired, unknown, data_age_s=None, override=override, **known)
        samples = self._samples(now_s, replicas, stable, burst)
        demand = self._demanded(replicas)
        return Snapshot(
            now_s=now_s,
            service=service,
            desired=desired,
            replicas=samples,
            waiting=Sample(stable.waiting, burst.waiting),
            waiting_now=self._service.waiting,
            departed=self._departed(now_s, samples, stable, burst),
            backlog=Sample(stable.load - demand(stable), burst.load - demand(burst)),
            looks=looks(self._history, carried(self.rules, desired), demand),
            latency_s=self._latencies_s(stable),
            attempts=Sample(stable.attempts, burst.attempts),
            failures=Sample(stable.failures, burst.failures),
            idle_s=max(0.0, now_s - self._active_s),
            data_age_s=max(0.0, now_s - stable.end.at_s),
            seen_s=stable.length_s,
            override=override,
            performance=performance(self._history, self.rules.slo),
            **known,
        )

    def _demanded(self, replicas: Sequence[ReplicaStatus]) -> Callable[[Window], float]:
        """What measures the load of a window. Without a target there is no telling whether replicas are overloaded."""
        rule = next((metric for metric in self.rules.metrics if metric.type is MetricType.CONCURRENCY), None)
        if rule is None or self.rules.count_backlog:
            return _LOAD
        ready = sum([status.state is READY for status in replicas])
        self._demand.observe(self._history, rule, self.rules.behavior.scale_up.tolerance, ready)
        return self._demand.load

    def _horizon_s(self) -> float:
        return max(self.rules.stable_window_s, self._burst_s(), FARTHEST_S)

    def _burst_s(self) -> float:
        return self.rules.burst.window_s if self.rules.burst else self.rules.stable_window_s

    def _frame(self, now_s: float, service: ServiceReading, cells: dict[str, Cells], last: Frame) -> tuple[Frame, bool]:
        """The frame of now, and whether a request ran, waited or ended since the last one."""
        places, totals = _placed(cells, last)
        latency = array("q", last.latency)
        busy_us, answers, attempts, failures, in_flight = grown(self._cells, cells, places, totals, latency)
        waited_us = max(0, service.wait_busy_us - (self._service or service).wait_busy_us)
        frame = Frame(
            at_s=now_s,
            busy_s=last.busy_s + busy_us / 1e6,
            answers=last.answers + answers,
            waited_s=last.waited_s + waited_us / 1e6,
            attempts=last.attempts + attempts,
            failures=last.failures + failures,
            present=in_flight + service.waiting,
            latency=latency if answers else last.latency,
            places=places,
            replicas=totals,
        )
        return frame, in_flight > 0 or attempts > 0 or busy_us > 0 or self._service is None or _waited(self._service, service)

    def _samples(
        self, now_s: float, replicas: Sequence[ReplicaStatus], stable: Window, burst: Window
    ) -> tuple[ReplicaSample, ...]:
        long, short, places = stable.shares(), burst.shares(), stable.end.places
        measured, usage_of = self._history.measured, self._consumption.samples if self.needs_usage else None
        found = []
        for name, state, since_s, _ in replicas:
            samples = usage_of(name, now_s, stable.length_s, burst.length_s) if usage_of else {}
            if name in measured:
                place = places[name]
                samples[CONCURRENCY] = Sample(long[place], short[place])
                samples[RPS] = Sample(long[place + 1], short[place + 1])
            found.append(ReplicaSample(name, state, now_s - since_s, samples))
        return tuple(found)

    def _departed(self, now_s: float, replicas: Sequence[ReplicaSample], stable: Window, burst: Window) -> dict[str, Sample]:
        """What is left of the whole when the READY replicas' part is taken away."""
        load, load_now, rate, rate_now = stable.carried, burst.carried, stable.rate, burst.rate
        for replica in replicas:
            if replica.state is READY and CONCURRENCY in replica.samples:
                one, other = replica.samples[CONCURRENCY], replica.samples[RPS]
                load, load_now = load - one.stable, load_now - one.burst
                rate, rate_now = rate - other.stable, rate_now - other.burst
        left = {CONCURRENCY: _left(load, load_now), RPS: _left(rate, rate_now)}
        if self.needs_usage:
            ready = [each.id for each in replicas if each.state is READY]
            left |= self._consumption.departed(now_s, ready, stable.length_s, burst.length_s)
        return left

    def _latencies_s(self, stable: Window) -> dict[float, float]:
        percentiles = {metric.percentile for metric in self.rules.metrics if metric.type is MetricType.LATENCY}
        found = {percentile: _latency_s(stable, percentile) for percentile in percentiles}
        return {percentile: latency_s for percentile, latency_s in found.items() if latency_s is not None}


def _latency_s(window: Window, percentile: float) -> float | None:
    latency_us = window.latency_us(percentile / 100)
    return None if latency_us is None else latency_us / 1e6


def _left(stable: float, burst: float) -> Sample:
    """Never below 0 by rounding."""
    return Sample(max(0.0, stable), max(0.0, burst))


def _placed(cells: dict[str, Cells], last: Frame) -> tuple[dict[str, int], "array[float]"]:
    """Where each replica's totals stand, and what they were in the last frame; the same places for as long as nobody comes or goes."""
    if last.places.keys() == cells.keys():
        return last.places, array("d", last.replicas)
    places = {name: 2 * number for number, name in enumerate(cells)}
    totals = array("d", bytes(16 * len(places)))
    for name in places.keys() & last.places.keys():
        place, before = places[name], last.places[name]
        totals[place : place + 2] = last.replicas[before : before + 2]
    return places, totals


def _waited(before: ServiceReading, now: ServiceReading) -> bool:
    """Whether a request waited, or ended without a replica."""
    return now.waiting > 0 or _ended(before) != _ended(now)


def _ended(service: ServiceReading) -> tuple[int, ...]:
    return (
        service.wait_busy_us,
        service.shed,
        service.wait_timeouts,
        service.unavailable,
        sum(service.own_answers),
        service.aborted,
    )
