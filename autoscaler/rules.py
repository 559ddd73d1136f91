"""The scaling rules of one service: what the user wrote under `autoscale`, as plain data, named as in the Kubernetes HPA v2."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class MetricType(StrEnum):
    """What is measured. Targets: requests per replica, requests per second per replica, seconds, and twice a share of what a replica
    may use, 0.7 is 70 %."""

    CONCURRENCY = "concurrency"
    RPS = "rps"
    LATENCY = "latency"
    CPU = "cpu"
    MEMORY = "memory"


REQUESTS: Final = frozenset({MetricType.CONCURRENCY, MetricType.RPS})  # counted as they come, whatever the replicas can take
USAGES: Final = frozenset({MetricType.CPU, MetricType.MEMORY})  # what the engine measures; all else we see ourselves


class SelectPolicy(StrEnum):
    """Which of several policies limits a change: the one that allows the most, the least, or none at all."""

    MAX = "max"
    MIN = "min"
    DISABLED = "disabled"


class PolicyType(StrEnum):
    """A number of replicas, or a percentage of the replicas at the start of the period."""

    REPLICAS = "replicas"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class MetricRule:
    """One metric and its target. The effective target is target x target_utilization. percentile: for latency only, 0 to 100."""

    type: MetricType
    target: float
    target_utilization: float = 1.0
    percentile: float = 95.0

    @property
    def effective_target(self) -> float:
        """What a replica is meant to carry."""
        return self.target * self.target_utilization


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """At most `value` replicas (or per cent) of change within any `period_s` seconds."""

    type: PolicyType
    value: int
    period_s: float


@dataclass(frozen=True, slots=True)
class ScalingRules:
    """One direction of `behavior`. tolerance: a share, 0.1 is 10 %."""

    stabilization_window_s: float
    policies: tuple[ScalingPolicy, ...]
    select_policy: SelectPolicy = SelectPolicy.MAX
    tolerance: float = 0.1


SCALE_UP = ScalingRules(
    stabilization_window_s=0.0,
    policies=(ScalingPolicy(PolicyType.PERCENT, 100, 15.0), ScalingPolicy(PolicyType.REPLICAS, 4, 15.0)),
)
SCALE_DOWN = ScalingRules(stabilization_window_s=300.0, policies=(ScalingPolicy(PolicyType.PERCENT, 100, 15.0),))


@dataclass(frozen=True, slots=True)
class Behavior:
    """How fast the count may change, per direction. The defaults are those of the HPA."""

    scale_up: ScalingRules = SCALE_UP
    scale_down: ScalingRules = SCALE_DOWN


@dataclass(frozen=True, slots=True)
class Burst:
    """Knative's panic mode: a short window that overrides the stable one while it asks for `threshold` x the ready replicas."""

    window_s: float = 6.0
    threshold: float = 2.0


@dataclass(frozen=True, slots=True)
class ScaleToZero:
    """Whether and when the last replica goes. Requests that come then are held while a replica starts."""

    idle_after_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of one service. stable_window_s: over which samples are averaged. fallback_*: without any data for so long,
    hold (`fallback_replicas` None) or go to that many; never below min_replicas."""

    min_replicas: int = 1
    max_replicas: int = 1
    metrics: tuple[MetricRule, ...] = ()
    behavior: Behavior = field(default_factory=Behavior)
    stable_window_s: float = 60.0
    burst: Burst | None = field(default_factory=Burst)
    scale_to_zero: ScaleToZero | None = None
    fallback_after_s: float = 60.0
    fallback_replicas: int | None = None
    dry_run: bool = False
