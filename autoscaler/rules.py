"""The scaling rules of one service: what the user wrote under `autoscale`, as plain data, named as in the Kubernetes HPA v2."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final


class MetricType(StrEnum):
    """What is measured. Targets: requests per replica, requests per second per replica, requests waiting per replica, seconds, and
    twice a share of what a replica may use, 0.7 is 70 %; of what others tell (SIGNALS), whatever they count."""

    CONCURRENCY = "concurrency"
    RPS = "rps"
    QUEUE = "queue"
    LATENCY = "latency"
    CPU = "cpu"
    MEMORY = "memory"
    PROMETHEUS = "prometheus"
    JSON = "json"
    EXTERNAL = "external"


REQUESTS: Final = frozenset({MetricType.CONCURRENCY, MetricType.RPS})  # counted as they come, whatever the replicas can take
USAGES: Final = frozenset({MetricType.CPU, MetricType.MEMORY})  # what the engine measures
SIGNALS: Final = frozenset(
    {MetricType.PROMETHEUS, MetricType.JSON, MetricType.EXTERNAL}
)  # what others tell; all else we see ourselves


class TargetType(StrEnum):
    """What a target is compared with, as in the HPA: a number for the whole service, one for each replica, or the share of what a
    replica may use (cpu and memory only; their average values are cores and octets)."""

    VALUE = "value"
    AVERAGE_VALUE = "average_value"
    UTILIZATION = "utilization"


class Pause(StrEnum):
    """What may not change by itself: nothing is held, the count may not fall, or it may not change at all."""

    NONE = "none"
    DOWN = "down"
    ALL = "all"


class SelectPolicy(StrEnum):
    """Which of several policies limits a change: the one that allows the most, the least, or none at all."""

    MAX = "max"
    MIN = "min"
    DISABLED = "disabled"


class PolicyType(StrEnum):
    """A number of replicas, or a percentage of the replicas at the start of the period."""

    REPLICAS = "replicas"
    PERCENT = "percent"


@dataclass(frozen=True)
class MetricRule:
    """One metric and its target. The effective target is target x target_utilization. percentile: for latency only, 0 to 100.

    target_type: None is utilization for cpu and memory, and average_value for all others. name: what people call it, "" is its type;
    that of one of SIGNALS is unique in its rules. activation: of one of SIGNALS; a value above it keeps the last replica and wakes
    the first one (KEDA's activation threshold).
    """

    type: MetricType
    target: float
    target_utilization: float = 1.0
    percentile: float = 95.0
    target_type: TargetType | None = None
    name: str = ""
    activation: float = 0.0

    @cached_property
    def effective_target(self) -> float:
        """What a replica is meant to carry."""
        return self.target * self.target_utilization

    @cached_property
    def key(self) -> str:
        """What its samples are called in a snapshot: "rps", "cpu" (a share), "cpu_value" (cores), a signal's own name."""
        if self.type in USAGES and self.target_type is TargetType.AVERAGE_VALUE:
            return f"{self.type.value}_value"
        return self.name if self.type in SIGNALS else self.type.value


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
class Headroom:
    """Room for so many standard deviations of the load, as it varied within the last memory_s or so."""

    deviations: float = 1.0
    memory_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class ScaleToZero:
    """Whether and when the last replica goes. Requests that come then are held while a replica starts."""

    idle_after_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """From each `start` to the next `end` (cron expressions of five fields, in the time zone) other bounds hold, and another priority.

    None: as without it. Of several that are active at once the highest minimum, the lowest maximum and the highest priority count; a
    minimum wins over a maximum.
    """

    start: str
    end: str
    timezone: str = "UTC"
    min_replicas: int | None = None
    max_replicas: int | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class ErrorGuard:
    """While this share of the requests fails, and at least so many do, nothing goes down: failing fast looks like having little to do."""

    share: float = 0.1
    least: int = 5


@dataclass(frozen=True, slots=True)
class Slo:
    """All that the user says in `slo` mode: this percentile (0 to 100) of the latency is to stay under latency_s. The concurrency per
    replica that meets it is learned, and kept within the bounds."""

    latency_s: float
    percentile: float = 95.0
    min_concurrency: float = 1.0
    max_concurrency: float = 1000.0


@dataclass(frozen=True, slots=True)
class ForecastRules:
    """Raise ahead of what the service's own history says is coming within horizon_s (None: as long as a replica takes to start, and a
    minute). error_limit: the mean error, as a share of the load, from which on forecasts are not followed."""

    horizon_s: float | None = None
    error_limit: float = 0.3


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of one service. stable_window_s: over which samples are averaged. fallback_*: without any data for so long,
    hold (`fallback_replicas` None) or go to that many; never below min_replicas. initial_replicas: at the first start, None is
    min_replicas but at least one. count_backlog: whether requests that only have to be caught up with are load, too. priority: of
    services that share a budget, the higher comes first. min_why, max_why: where a bound comes from that is not the file's, to be
    put behind it in a sentence.
    """

    min_replicas: int = 1
    max_replicas: int = 1
    metrics: tuple[MetricRule, ...] = ()
    behavior: Behavior = field(default_factory=Behavior)
    stable_window_s: float = 60.0
    burst: Burst | None = field(default_factory=Burst)
    headroom: Headroom | None = None
    count_backlog: bool = False
    scale_to_zero: ScaleToZero | None = None
    fallback_after_s: float = 60.0
    fallback_replicas: int | None = None
    dry_run: bool = False
    initial_replicas: int | None = None
    schedules: tuple[Schedule, ...] = ()
    error_guard: ErrorGuard | None = field(default_factory=ErrorGuard)
    slo: Slo | None = None
    forecast: ForecastRules | None = None
    pause: Pause = Pause.NONE
    priority: int = 0
    min_why: str = ""
    max_why: str = ""
