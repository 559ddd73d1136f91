"""The keys under `autoscale`, as pydantic models. Defaults are those of `autoscaler.rules`; see `models` for how this is read."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from autoscaler import rules
from autoscaler.rules import Pause, PolicyType, SelectPolicy
from balancer.limits import REPLICAS
from sidecar import config
from sidecar.configuration import kinds
from sidecar.configuration.base import HpaModel, Model
from sidecar.configuration.metrics import Measured, Metric, Schedule
from sidecar.configuration.shapes import Objective, OrFalse, OrTrue

_RULES = rules.Rules()
_BURST = rules.Burst()
_HEADROOM = rules.Headroom()
_GUARD = rules.ErrorGuard()
_SLO = rules.Slo(1.0)
_FORECAST = rules.ForecastRules()
_SERVICE = config.Service(name="", routes=())
_PERIOD_S = 1800.0  # the HPA's limit
_WINDOW_S = 3600.0  # the HPA's limit
_LEAST_MAXIMUM = 4
_REPLICAS_PER_CORE = 2
_ENTRIES = 20
_PAUSE = {"true": Pause.ALL, "false": Pause.NONE}
_SELECT = {"Max": SelectPolicy.MAX, "Min": SelectPolicy.MIN, "Disabled": SelectPolicy.DISABLED}
_TYPES = {"Pods": PolicyType.REPLICAS, "Percent": PolicyType.PERCENT}


class ScalingPolicy(HpaModel):
    """At most so much change within a period."""

    type: Annotated[PolicyType, kinds.choice(PolicyType, _TYPES)]
    """`replicas` (in the HPA: Pods), or `percent` of the replicas at the start of the period."""
    value: Annotated[int, kinds.whole(1, REPLICAS)]
    """How many replicas, or how many per cent."""
    period: Annotated[float, kinds.duration(1.0, _PERIOD_S)] = 15.0
    """The time within which the change is counted."""


class Direction(HpaModel):
    """How fast the number of replicas may change in one direction."""

    stabilization_window: Annotated[float | None, kinds.duration(0.0, _WINDOW_S)] = None
    """How far back recommendations are remembered; the most cautious one counts. Default: 0s up; down 5m, or 1m
    where `headroom` is learned (from concurrency or rps)."""
    policies: Annotated[tuple[ScalingPolicy, ...], Field(min_length=1, max_length=10)] = ()
    """Limits to the change. Default: up 100 percent or 4 replicas per 15s, down 100 percent per 15s."""
    select_policy: Annotated[SelectPolicy | None, kinds.choice(SelectPolicy, _SELECT)] = None
    """Of several policies the one that allows the most (`max`, the default) or the least (`min`); `disabled`: no change at all."""
    tolerance: Annotated[float | None, kinds.share(0, 1)] = None
    """How far a metric may be off its target before anything is done. Default: 10%."""


class Behavior(HpaModel):
    """How fast the number of replicas may change. A `behavior` block of a Kubernetes HPA can be pasted here."""

    scale_up: Direction = Direction()
    """Upwards."""
    scale_down: Direction = Direction()
    """Downwards."""


class Burst(HpaModel):
    """A short window that overrides the stable one while the load rises steeply (Knative's panic mode)."""

    window: Annotated[float, kinds.duration(1.0, 60.0)] = _BURST.window_s
    """The length of the short window."""
    threshold: Annotated[float, kinds.share(1.1, 10)] = _BURST.threshold
    """The share of the ready replicas that the short window must ask for, before it counts."""


class Headroom(HpaModel):
    """Room for the load to rise by as much as it usually varies, before new replicas are ready."""

    deviations: Annotated[float, kinds.number(0.1, 10)] = _HEADROOM.deviations
    """How many standard deviations of the load there is room for, in replicas that are nearly full."""
    memory: Annotated[float, kinds.duration(60.0, kinds.DAY_S)] = _HEADROOM.memory_s
    """How far back the mean of the load and its deviation reach, about."""


class ScaleToZero(HpaModel):
    """When the last replica goes. Requests that come then are held while one starts."""

    idle_after: Annotated[float, kinds.duration(1.0, 7 * kinds.DAY_S)] = rules.ScaleToZero().idle_after_s
    """The time without any request after which the last replica goes."""
    wake_timeout: Annotated[float, kinds.duration(1.0, 600.0)] = _SERVICE.hold_timeout_s
    """How long a request waits for the first replica before it is answered with 503."""
    max_held: Annotated[int, kinds.whole(1, 100_000)] = _SERVICE.max_held
    """How many requests may wait for the first replica."""


class Fallback(HpaModel):
    """How many replicas there should be while samples are missing."""

    after: Annotated[float, kinds.duration(1.0, 3600.0)] = _RULES.fallback_after_s
    """How long samples must have been missing."""
    replicas: Annotated[int | None, kinds.fallback()] = None
    """`current` (the default): keep as many as there are; or a number of replicas."""


class Slo(HpaModel):
    """The latency that is to be kept. What a replica can carry for that is learned, and scaled on."""

    latency: Annotated[float, kinds.duration(high=3600.0)]
    """The time that `percentile` per cent of the requests should not exceed."""
    percentile: Annotated[float, kinds.number(1, 99.99)] = _SLO.percentile
    """The percentage of requests that should be faster."""
    min_concurrency: Annotated[float, kinds.number(0.01, 1_000_000)] = _SLO.min_concurrency
    """The least that one replica is taken to carry, in requests at once."""
    max_concurrency: Annotated[float, kinds.number(0.01, 1_000_000)] = _SLO.max_concurrency
    """The most that one replica is taken to carry."""


class Forecast(HpaModel):
    """Replicas ahead of what the service's own history says is coming. Never fewer than the other rules ask for."""

    horizon: Annotated[float | None, kinds.duration(1.0, kinds.DAY_S)] = _FORECAST.horizon_s
    """How far ahead. Default: as long as a replica takes to start, and a minute."""
    error_limit: Annotated[float, kinds.share(0.01, 10)] = _FORECAST.error_limit
    """The mean error, as a share of the load, from which on forecasts are not followed."""


class ErrorGuard(HpaModel):
    """While requests fail, nothing goes down: a replica that fails fast looks like one with little to do."""

    share: Annotated[float, kinds.share(0.001, 1)] = _GUARD.share
    """The share of the requests that must fail."""
    least: Annotated[int, kinds.whole(1, 1_000_000)] = _GUARD.least
    """How many must fail at least."""


class Autoscale(HpaModel):
    """How many replicas there should be. Only for a service whose replicas can be started."""

    unavailable: ClassVar[Mapping[str, str]] = {
        "replicas": "for a fixed number give min_replicas and max_replicas the same value",
        "schedules": "stand among metrics: metrics: [{type: schedule, start: ..., end: ..., min_replicas: 4}]",
    }

    min_replicas: Annotated[int | None, kinds.whole(0, REPLICAS)] = None
    """Never fewer replicas. Default: 1, or 0 with `scale_to_zero`."""
    max_replicas: Annotated[int | None, kinds.whole(1, REPLICAS)] = None
    """Never more replicas. Default: 4, or twice the number of processor cores, or any number of replicas that is asked for below,
    whichever is the largest."""
    initial_replicas: Annotated[int | None, kinds.whole(0, REPLICAS)] = _RULES.initial_replicas
    """How many at the very first start. Default: min_replicas, but at least one."""
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=_ENTRIES)] = ()
    """What is measured; of several the one that asks for the most replicas counts. Default: concurrency, target 20 at 70%, unless
    there is `slo`. Schedules may stand here too."""
    slo: Annotated[Slo | None, Objective(), OrFalse()] = None
    """A latency to keep, such as `p95 under 300ms`; what a replica can carry is then learned. false (the default): none."""
    forecast: Annotated[Forecast | None, OrTrue(), OrFalse()] = None
    """Whether replicas are started ahead of a daily or weekly peak; false (the default): no."""
    behavior: Behavior = Behavior()
    """How fast the number may change."""
    stable_window: Annotated[float, kinds.duration(6.0, 3600.0)] = _RULES.stable_window_s
    """The time over which samples are averaged."""
    burst: Annotated[Burst | None, OrFalse()] = Burst()
    """The short window for steep rises; false: none."""
    headroom: Annotated[Headroom | None, OrFalse()] = Headroom()
    """Room for the usual swings of the load; false: none but what the targets leave."""
    count_backlog: Annotated[bool, kinds.flag()] = _RULES.count_backlog
    """Whether concurrency counts requests that only have to be caught up with, as Knative does."""
    scale_to_zero: Annotated[ScaleToZero | None, OrFalse()] = None
    """Whether and when the last replica goes; false (the default): never. Needs `min_replicas: 0`, or none given."""
    fallback: Fallback = Fallback()
    """What holds when there are no samples."""
    error_guard: Annotated[ErrorGuard | None, OrFalse()] = ErrorGuard()
    """When requests fail, nothing goes down; false: no such guard."""
    priority: Annotated[int, kinds.priority()] = _RULES.priority
    """Of services that share a `budget`, the one with the higher priority comes first."""
    pause: Annotated[Pause, kinds.choice(Pause, _PAUSE)] = _RULES.pause
    """What may not change by itself: `none`, `down` (it never falls) or `all`; true is `all`."""
    dry_run: Annotated[bool, kinds.flag()] = _RULES.dry_run
    """Decide and explain, but change nothing."""

    @property
    def measured(self) -> tuple[Measured, ...]:
        """The entries of `metrics` that measure something."""
        return tuple(metric for metric in self.metrics if not isinstance(metric, Schedule))

    @property
    def windows(self) -> tuple[Schedule, ...]:
        """The schedules among them."""
        return tuple(metric for metric in self.metrics if isinstance(metric, Schedule))

    def bounds(self, cores: int) -> tuple[int, int]:
        """The least and the most replicas without a schedule, on a machine with so many processor cores."""
        low = self.min_replicas if self.min_replicas is not None else 0 if self.scale_to_zero else 1
        wanted = (low, self.initial_replicas, self.fallback.replicas, *(window.min_replicas for window in self.windows))
        return low, self.max_replicas or max(_LEAST_MAXIMUM, _REPLICAS_PER_CORE * cores, *(count or 0 for count in wanted))

    def most(self, cores: int) -> int:
        """The most replicas at any time."""
        return max(self.bounds(cores)[1], *(window.max_replicas or 0 for window in self.windows), 0)


class Block(Model):
    """A file that holds nothing but an `autoscale` block."""

    autoscale: Autoscale
    """How many replicas there should be."""
