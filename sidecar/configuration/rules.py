"""The models of `autoscale` turned into what the autoscaler decides by, and into where the values of its signals come from."""

from dataclasses import replace

from autoscaler import rules
from autoscaler.rules import MetricRule, MetricType, TargetType
from probes.signals.spec import SignalSpec, SignalType
from sidecar.configuration import metrics, scaling

STEADIED_S = 60.0
DEFAULT_METRICS = (MetricRule(MetricType.CONCURRENCY, target=20.0, target_utilization=0.7),)


def rules_of(given: scaling.Autoscale, cores: int) -> rules.Rules:
    """The rules. cores: those of the machine that the program runs on."""
    low, high = given.bounds(cores)
    return rules.Rules(
        min_replicas=low,
        max_replicas=high,
        metrics=_metrics(given),
        behavior=rules.Behavior(
            scale_up=_direction(given.behavior.scale_up, rules.SCALE_UP),
            scale_down=_direction(given.behavior.scale_down, _scale_down(given)),
        ),
        stable_window_s=given.stable_window,
        headroom=rules.Headroom(given.headroom.deviations, given.headroom.memory) if given.headroom else None,
        count_backlog=given.count_backlog,
        burst=rules.Burst(given.burst.window, given.burst.threshold) if given.burst else None,
        scale_to_zero=rules.ScaleToZero(given.scale_to_zero.idle_after) if given.scale_to_zero else None,
        fallback_after_s=given.fallback.after,
        fallback_replicas=given.fallback.replicas,
        dry_run=given.dry_run,
        initial_replicas=given.initial_replicas,
        schedules=tuple(_schedule(window) for window in given.windows),
        error_guard=rules.ErrorGuard(given.error_guard.share, given.error_guard.least) if given.error_guard else None,
        slo=_slo(given.slo) if given.slo else None,
        forecast=rules.ForecastRules(given.forecast.horizon, given.forecast.error_limit) if given.forecast else None,
        pause=given.pause,
        priority=given.priority,
    )


def _scale_down(given: scaling.Autoscale) -> rules.ScalingRules:
    """The defaults for going down: what the HPA's long window is for, headroom does with fewer replicas, where it can be learned."""
    learned = given.headroom and any(metric.type in rules.REQUESTS for metric in _metrics(given))
    return replace(rules.SCALE_DOWN, stabilization_window_s=STEADIED_S) if learned else rules.SCALE_DOWN


def _metrics(given: scaling.Autoscale) -> tuple[MetricRule, ...]:
    """An objective needs no target beside it; anything else needs one."""
    named = zip(given.measured, metrics.names(given.measured), strict=True)
    return tuple(_metric(metric, name) for metric, name in named) or (() if given.slo else DEFAULT_METRICS)


def _metric(metric: metrics.Measured, name: str) -> MetricRule:
    kind = MetricType(metric.type)
    match metric:
        case metrics.LatencyMetric():
            return MetricRule(kind, metric.target, percentile=metric.percentile)
        case metrics.RateMetric():
            return MetricRule(kind, metric.target, target_utilization=metric.target_utilization)
        case metrics.QueueMetric():
            return MetricRule(kind, metric.target)
        case metrics.CpuMetric() | metrics.MemoryMetric():
            return _either(kind, metric.target, float(metric.average_value or 0), TargetType.AVERAGE_VALUE)
    rule = _either(kind, metric.target, metric.value or 0.0, TargetType.VALUE)
    return replace(rule, name=name, activation=metric.activation)


def _either(kind: MetricType, target: float | None, other: float, other_type: TargetType) -> MetricRule:
    """The target, or where that is not given what was given instead of it."""
    return MetricRule(kind, other, target_type=other_type) if target is None else MetricRule(kind, target)


def _schedule(given: metrics.Schedule) -> rules.Schedule:
    return rules.Schedule(**given.model_dump(exclude={"type"}))


def _slo(given: scaling.Slo) -> rules.Slo:
    return rules.Slo(given.latency, given.percentile, given.min_concurrency, given.max_concurrency)


def _direction(given: scaling.Direction, default: rules.ScalingRules) -> rules.ScalingRules:
    chosen: dict[str, object] = {
        "stabilization_window_s": given.stabilization_window,
        "policies": tuple(rules.ScalingPolicy(policy.type, policy.value, policy.period) for policy in given.policies) or None,
        "select_policy": given.select_policy,
        "tolerance": given.tolerance,
    }
    return replace(default, **{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type] # by name


def signals_of(given: scaling.Autoscale) -> tuple[SignalSpec, ...]:
    """Where the values of those metrics come from that others tell."""
    named = zip(given.measured, metrics.names(given.measured), strict=True)
    return tuple(_signal(metric, name) for metric, name in named if isinstance(metric, metrics.SignalMetric))


def _signal(metric: metrics.SignalMetric, name: str) -> SignalSpec:
    spec = SignalSpec(name, SignalType(metric.type), stale_after_s=metric.usable_s)
    if isinstance(metric, metrics.AskedMetric):
        spec = replace(spec, headers=dict(metric.headers), interval_s=metric.interval, timeout_s=metric.timeout)
    match metric:
        case metrics.PrometheusMetric():
            return replace(spec, url=metric.server, query=metric.query)
        case metrics.JsonMetric():
            return replace(spec, url=metric.url, path=metric.path, pointer=metric.pointer)
    return spec
