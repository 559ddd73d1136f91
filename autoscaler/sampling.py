"""From the scoreboard's counters to snapshots: differences of cumulative readings, kept for as long as a window needs them.

One `Sampler` per service. Means are exact whatever the rhythm of the ticks: `busy_us` is an integral, so the concurrency of any
interval is a difference divided by its length. Counters that fall (a scoreboard made anew, a replica under an old name) add
nothing for that one tick. No rule is applied here, and no clock is read: times are the caller's CLOCK_MONOTONIC seconds. What the
engine measures, and only where a rule asks for it, is kept in `usage`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from autoscaler.cluster.engine import Usage
from autoscaler.history import ZERO, Frame, History, Total, Window
from autoscaler.looks import FARTHEST_S, looks
from autoscaler.rules import USAGES, MetricType, Rules
from autoscaler.snapshot import ReplicaSample, Sample, Snapshot
from autoscaler.usage import Consumption, Shares
from balancer.hotpath import board
from balancer.scoreboard import ReplicaReading, ServiceReading, quantile_us
from balancer.table import ReplicaState

LAST_S: Final = 1.0  # "the last second"
VIEW_S: Final = 5.0  # over which `latency` is shown: a second seldom has answers enough for a percentile
SAMPLED: Final = (MetricType.CONCURRENCY, MetricType.RPS)

Pairs = Sequence[tuple[ReplicaReading, ReplicaReading]]  # (before, now) of each replica that has both


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """What the controller knows of a replica. since_s: when it was started."""

    id: str
    state: ReplicaState
    since_s: float


class Sampler:
    """Observes one service. `rules` may be replaced at any time; windows that became longer fill up as time passes."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._history = History(0.0)
        self._service: ServiceReading | None = None
        self._replicas: Mapping[str, ReplicaReading] = {}
        self._active_s = 0.0
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
        """Take the readings of now; call about once a second. A replica counts from the second reading that it is in.

        usages: of the replicas that serve (READY or DRAINING), None where the engine tells nothing; not used unless `needs_usage`.
        """
        last = self._history.last or Frame(now_s - 1.0, latency=(0,) * board.BUCKETS)
        if now_s <= last.at_s:
            return
        pairs = [(self._replicas[name], now) for name, now in replicas.items() if name in self._replicas]
        if self._service is None or _active(self._service, service, replicas, pairs):
            self._active_s = now_s
        self._history.horizon_s = self._horizon_s()
        if self.needs_usage:
            self._consumption.observe(now_s, usages, self._horizon_s())
        else:
            self._consumption.forget()
        self._history.add(self._frame(now_s, service, replicas, pairs, last))
        self._service, self._replicas = service, dict(replicas)

    def snapshot(
        self, now_s: float, service: str, replicas: Sequence[ReplicaStatus], desired: int, override: int | None
    ) -> Snapshot:
        """All that `decide` needs to know. desired: the count asked for last. override: the count set by hand."""
        stable, burst = self._history.window(self.rules.stable_window_s), self._history.window(self._burst_s())
        if self._service is None or stable is None or burst is None:
            unknown = tuple(ReplicaSample(replica.id, replica.state, now_s - replica.since_s) for replica in replicas)
            return Snapshot(now_s, service, desired, unknown, data_age_s=None, override=override)
        samples = tuple(self._sample(now_s, replica, stable, burst) for replica in replicas)
        ready = (replica.id for replica in replicas if replica.state is ReplicaState.READY)
        return Snapshot(
            now_s=now_s,
            service=service,
            desired=desired,
            replicas=samples,
            waiting=Sample(stable.waiting, burst.waiting),
            waiting_now=self._service.waiting,
            departed=_departed(samples, stable, burst)
            | self._consumption.departed(now_s, ready, stable.length_s, burst.length_s),
            looks=looks(self._history, {metric.type for metric in self.rules.metrics}),
            latency_s=self._latencies_s(stable),
            attempts=Sample(stable.attempts, burst.attempts),
            failures=Sample(stable.failures, burst.failures),
            idle_s=max(0.0, now_s - self._active_s),
            data_age_s=max(0.0, now_s - stable.end.at_s),
            seen_s=stable.length_s,
            override=override,
        )

    def _horizon_s(self) -> float:
        return max(self.rules.stable_window_s, self._burst_s(), FARTHEST_S)

    def _burst_s(self) -> float:
        return self.rules.burst.window_s if self.rules.burst else self.rules.stable_window_s

    def _frame(
        self, now_s: float, service: ServiceReading, replicas: Mapping[str, ReplicaReading], pairs: Pairs, last: Frame
    ) -> Frame:
        waited_us = _grown((self._service or service).wait_busy_us, service.wait_busy_us)
        return Frame(
            at_s=now_s,
            carried=sum((_carried(before, now) for before, now in pairs), last.carried),
            waited_s=last.waited_s + waited_us / 1e6,
            attempts=last.attempts + sum(_grown(_attempts(before), _attempts(now)) for before, now in pairs),
            failures=last.failures + sum(_grown(_failures(before), _failures(now)) for before, now in pairs),
            latency=_added(last.latency, pairs),
            replicas={name: self._replica(name, reading, last) for name, reading in replicas.items()},
        )

    def _replica(self, name: str, reading: ReplicaReading, last: Frame) -> Total:
        before = self._replicas.get(name)
        return ZERO if before is None else last.replicas.get(name, ZERO) + _carried(before, reading)

    def _sample(self, now_s: float, replica: ReplicaStatus, stable: Window, burst: Window) -> ReplicaSample:
        samples = self._consumption.samples(replica.id, now_s, stable.length_s, burst.length_s)
        if self._history.measures(replica.id):
            samples |= _samples(stable.carried_by(replica.id), burst.carried_by(replica.id))
        return ReplicaSample(replica.id, replica.state, now_s - replica.since_s, samples)

    def _latencies_s(self, stable: Window) -> dict[float, float]:
        percentiles = {metric.percentile for metric in self.rules.metrics if metric.type is MetricType.LATENCY}
        found = {percentile: _latency_s(stable, percentile) for percentile in percentiles}
        return {percentile: latency_s for percentile, latency_s in found.items() if latency_s is not None}


def _latency_s(window: Window, percentile: float) -> float | None:
    latency_us = quantile_us(window.latency, percentile / 100)
    return None if latency_us is None else latency_us / 1e6


def _samples(stable: Total, burst: Total) -> dict[str, Sample]:
    return {
        MetricType.CONCURRENCY: Sample(stable.busy_s, burst.busy_s),
        MetricType.RPS: Sample(stable.answers, burst.answers),
    }


def _departed(replicas: Iterable[ReplicaSample], stable: Window, burst: Window) -> dict[str, Sample]:
    """What is left of the whole when the READY replicas' part is taken away."""
    ready = [each.samples for each in replicas if each.state is ReplicaState.READY and MetricType.CONCURRENCY in each.samples]
    whole = _samples(stable.carried, burst.carried)
    return {metric: _left(whole[metric], [samples[metric] for samples in ready]) for metric in SAMPLED}


def _left(whole: Sample, parts: Sequence[Sample]) -> Sample:
    stable, burst = sum(part.stable for part in parts), sum(part.burst for part in parts)
    return Sample(max(0.0, whole.stable - stable), max(0.0, whole.burst - burst))


def _grown(before: int, now: int) -> int:
    """What a counter counted; nothing when it restarted."""
    return max(0, now - before)


def _carried(before: ReplicaReading, now: ReplicaReading) -> Total:
    return Total(_grown(before.busy_us, now.busy_us) / 1e6, float(_grown(before.requests, now.requests)))


def _failures(reading: ReplicaReading) -> int:
    return reading.status[4] + reading.connect_errors + reading.broken + reading.timeouts


def _attempts(reading: ReplicaReading) -> int:
    return reading.requests + reading.connect_errors + reading.broken + reading.timeouts


def _added(latency: tuple[int, ...], pairs: Pairs) -> tuple[int, ...]:
    for before, now in pairs:
        if now.latency != before.latency:
            latency = tuple(
                total + _grown(early, late) for total, early, late in zip(latency, before.latency, now.latency, strict=True)
            )
    return latency


def _active(before: ServiceReading, now: ServiceReading, replicas: Mapping[str, ReplicaReading], pairs: Pairs) -> bool:
    """Whether a request ran, waited or ended since the reading before."""
    if now.waiting or _ended(before) != _ended(now) or any(reading.in_flight for reading in replicas.values()):
        return True
    return any(early.busy_us != late.busy_us or _attempts(early) != _attempts(late) for early, late in pairs)


def _ended(service: ServiceReading) -> tuple[int, ...]:
    return (
        service.wait_busy_us,
        service.shed,
        service.wait_timeouts,
        service.unavailable,
        sum(service.own_answers),
        service.aborted,
    )
