"""What is known of one service at one moment: the only thing, with the rules and the memory, that a decision is made from.

Plain frozen data; `sampling.Sampler` makes it from the scoreboard, tests make it by hand. No clock and no rule belongs here.

Load adds up: what each replica carried, plus what waited, plus what replicas that no longer count carried, is all that the
service carried in the window. So a replica that came late or left early neither hides load nor counts it twice.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from autoscaler.once import once
from autoscaler.rules import MetricType, Pause
from balancer.table import ReplicaState

LEAVING = frozenset({ReplicaState.DRAINING, ReplicaState.GONE})


class Sample(NamedTuple):
    """One number for the stable window and one for the burst window: a mean, unless it is said to be a count."""

    stable: float = 0.0
    burst: float = 0.0


NOTHING = Sample()
_WITH_WAITING = (MetricType.CONCURRENCY, MetricType.QUEUE)


class ReplicaSample(NamedTuple):
    """One replica. samples: by metric (`MetricRule.key`), 0 for the part of a window in which it was not there (memory: the mean of the
    part in which it was); an absent metric is missing. Of cpu and memory in shares of what the replica may use."""

    id: str
    state: ReplicaState
    age_s: float = 0.0
    samples: Mapping[str, Sample] = MappingProxyType({})


class Allowance(NamedTuple):
    """The most replicas that the service may ask for now, of a budget that it shares with others; why: in words."""

    most: int
    why: str


@dataclass(frozen=True, slots=True)
class Look:
    """The whole service over the last few seconds, beside what was usual before them.

    noise: the standard deviation to be expected of the difference, were there no step.
    """

    window_s: float
    value: float
    usual: float
    noise: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The load that is expected horizon_s from now, out of the service's own history. error: the mean error of such forecasts, as a
    share of the load; None while there are too few to tell."""

    load: float
    horizon_s: float
    error: float | None


@dataclass(frozen=True, slots=True)
class Performance:
    """The whole service over a window long enough to judge an objective by.

    load: requests running and waiting, on average. rate: answers per second. answers: how many. late: the share of all requests that
    failed or took longer than the objective. latency_s: the objective's percentile over all requests, a failure counted as later than
    any answer; None when that is where the percentile falls.
    """

    window_s: float
    load: float
    rate: float
    answers: int
    late: float
    latency_s: float | None


@dataclass(frozen=True)
class Snapshot:
    """One service at `now_s`.

    desired: the count asked for last, so that replicas on their way count. departed: what replicas that are not READY (any more)
    carried; memory, which is free when they are gone, is not in it. backlog: the part of the load that is only to be caught up with
    (`demand`). looks: the shortest first, none before enough is known.
    latency_s: by percentile, over the stable window; absent when nothing was answered. attempts, failures: how many in the windows;
    a failure is an answer 5xx or none. idle_s: since a request last ran, waited or ended. data_age_s: since the newest sample, None
    when there never was one. seen_s: how much of the stable window there are samples of. override: the count set by hand. full: why
    the engine has no place for more replicas, in words, "" while it has. wall_s: the same moment in seconds since the epoch, for
    schedules. values: what a signal says of the whole service, by `MetricRule.key`. missing: why a metric has no samples, in words.
    pause: what is held by hand. start_s: how long a replica of this service usually takes to be READY, None while unknown. forecasts:
    by metric. performance: for the objective of `slo` mode, None when no window has
    answers enough to judge by. allowance: None where nothing is shared.
    """

    now_s: float
    service: str
    desired: int
    replicas: tuple[ReplicaSample, ...] = ()
    waiting: Sample = NOTHING
    waiting_now: int = 0
    departed: Mapping[str, Sample] = field(default_factory=dict)
    backlog: Sample = NOTHING
    looks: Mapping[str, tuple[Look, ...]] = field(default_factory=dict)
    latency_s: Mapping[float, float] = field(default_factory=dict)
    attempts: Sample = NOTHING
    failures: Sample = NOTHING
    idle_s: float = 0.0
    data_age_s: float | None = 0.0
    seen_s: float = math.inf
    override: int | None = None
    full: str = ""
    wall_s: float = 0.0
    values: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    pause: Pause = Pause.NONE
    start_s: float | None = None
    forecasts: Mapping[str, Forecast] = field(default_factory=dict)
    performance: Performance | None = None
    allowance: Allowance | None = None

    @once
    def current(self) -> int:
        """Replicas that are there and not on their way out."""
        return sum([replica.state not in LEAVING for replica in self.replicas])

    @once
    def serving(self) -> tuple[ReplicaSample, ...]:
        """The READY replicas."""
        return tuple([replica for replica in self.replicas if replica.state is ReplicaState.READY])

    @property
    def ready(self) -> int:
        """Replicas that requests are sent to."""
        return len(self.serving)

    def load(self, metric: str) -> Sample:
        """All that has to be carried, without what is only to be caught up with. With no replica READY it is what waits: what others
        carried has gone with them."""
        load = self._loads.get(metric)
        if load is None:
            load = self._loads[metric] = self._load(metric)
        return load

    @once
    def _loads(self) -> dict[str, Sample]:
        return {}

    def _load(self, metric: str) -> Sample:
        held = self.waiting if metric in _WITH_WAITING else NOTHING
        if not self.serving:
            return held
        departed = self.departed.get(metric, NOTHING)
        stable, burst = departed.stable + held.stable, departed.burst + held.burst
        for replica in self.serving:
            sample = replica.samples.get(metric)
            if sample is not None:
                stable, burst = stable + sample.stable, burst + sample.burst
        if metric == MetricType.CONCURRENCY:
            stable, burst = stable - self.backlog.stable, burst - self.backlog.burst
        return Sample(stable, burst)
