"""The keys under `autoscale`, as pydantic models. Defaults are those of `autoscaler.rules`; see `models` for how this is read."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field

from autoscaler import rules
from autoscaler.rules import PolicyType, SelectPolicy
from balancer.limits import REPLICAS
from sidecar import config
from sidecar.configuration import kinds
from sidecar.configuration.base import HpaModel, Model
from sidecar.configuration.shapes import OrFalse

_RULES = rules.Rules()
_BURST = rules.Burst()
_SERVICE = config.Service(name="", routes=())
_PERIOD_S = 1800.0  # the HPA's limit
_WINDOW_S = 3600.0  # the HPA's limit
_LEAST_MAXIMUM = 4
_REPLICAS_PER_CORE = 2
_SELECT = {"Max": SelectPolicy.MAX, "Min": SelectPolicy.MIN, "Disabled": SelectPolicy.DISABLED}
_TYPES = {"Pods": PolicyType.REPLICAS, "Percent": PolicyType.PERCENT}


class RateMetric(HpaModel):
    """Requests in progress (running, queued and held), or requests per second, per replica."""

    type: Literal["concurrency", "rps"]
    """What is measured: `concurrency`, `rps`, `latency`, `cpu` or `memory`."""
    target: Annotated[float, kinds.number(0.001, 1_000_000)]
    """What one replica can carry: requests at once (concurrency) or per second (rps)."""
    target_utilization: Annotated[float, kinds.share(0.01, 1)] = 1.0
    """The share of the target to stay at, so that there is room while a replica starts."""


class LatencyMetric(HpaModel):
    """The time that requests take. It scales up only where more replicas can help."""

    type: Literal["latency"]
    """What is measured."""
    target: Annotated[float, kinds.duration(high=3600.0)]
    """The time that `percentile` per cent of the requests should not exceed."""
    percentile: Annotated[float, kinds.number(1, 99.99)] = 95.0
    """The percentage of requests that should be faster than the target."""


class UsageMetric(HpaModel):
    """The processor time or the memory that replicas use, as the engine measures it."""

    type: Literal["cpu", "memory"]
    """What is measured."""
    target: Annotated[float, kinds.share(0.01, 1)]
    """The share of what a replica may use (its limit, else all that its machine has) to stay at."""


Metric = Annotated[RateMetric | LatencyMetric | UsageMetric, Discriminator("type")]


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
    """How far back recommendations are remembered; the most cautious one counts. Default: 0s up, 5m down."""
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


class Autoscale(HpaModel):
    """How many replicas there should be. Only for a service whose replicas can be started."""

    unavailable: ClassVar[Mapping[str, str]] = {
        "replicas": "for a fixed number give min_replicas and max_replicas the same value",
    }

    min_replicas: Annotated[int | None, kinds.whole(0, REPLICAS)] = None
    """Never fewer replicas. Default: 1, or 0 with `scale_to_zero`."""
    max_replicas: Annotated[int | None, kinds.whole(1, REPLICAS)] = None
    """Never more replicas. Default: 4, or twice the number of processor cores, or min_replicas, whichever is the largest."""
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=10)] = ()
    """What is measured; of several the one that asks for the most replicas counts. Default: concurrency, target 20 at 70%."""
    behavior: Behavior = Behavior()
    """How fast the number may change."""
    stable_window: Annotated[float, kinds.duration(6.0, 3600.0)] = _RULES.stable_window_s
    """The time over which samples are averaged."""
    burst: Annotated[Burst | None, OrFalse()] = Burst()
    """The short window for steep rises; false: none."""
    scale_to_zero: Annotated[ScaleToZero | None, OrFalse()] = None
    """Whether and when the last replica goes; false (the default): never. Needs `min_replicas: 0`, or none given."""
    fallback: Fallback = Fallback()
    """What holds when there are no samples."""
    dry_run: Annotated[bool, kinds.flag()] = _RULES.dry_run
    """Decide and explain, but change nothing."""

    def bounds(self, cores: int) -> tuple[int, int]:
        """The least and the most replicas, on a machine with so many processor cores."""
        low = self.min_replicas if self.min_replicas is not None else 0 if self.scale_to_zero else 1
        return low, self.max_replicas or max(_LEAST_MAXIMUM, _REPLICAS_PER_CORE * cores, low)


class Block(Model):
    """A file that holds nothing but an `autoscale` block."""

    autoscale: Autoscale
    """How many replicas there should be."""
