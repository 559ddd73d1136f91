"""What the keys under `autoscale` must be to each other: pure functions over its models, yielding findings as in `checks`."""

from collections.abc import Iterator

from sidecar.configuration import metrics, urls
from sidecar.configuration.metrics import AskedMetric, CpuMetric, JsonMetric, Measured, MemoryMetric, Schedule, SignalMetric
from sidecar.configuration.problems import Finding, Path
from sidecar.configuration.quantities import duration_text, number_text
from sidecar.configuration.scaling import Autoscale


def scaling_findings(scaling: Autoscale, path: Path) -> Iterator[Finding]:
    """Everything that does not fit together in one block. path: where it stands."""
    yield from _bounds(scaling, path)
    yield from _zero(scaling, path)
    yield from _objective(scaling, path)
    if scaling.burst and scaling.burst.window >= scaling.stable_window:
        message = f"must be less than stable_window, which is {duration_text(scaling.stable_window)}"
        yield Finding((*path, "burst", "window"), message, needs=((*path, "stable_window"),))
    for index, entry in enumerate(scaling.metrics):
        at = (*path, "metrics", index)
        yield from _schedule(entry, scaling, at, path) if isinstance(entry, Schedule) else _metric(entry, at)
    yield from _names(scaling, path)


def _bounds(scaling: Autoscale, path: Path) -> Iterator[Finding]:
    low, high = scaling.min_replicas, scaling.max_replicas
    needs = ((*path, "min_replicas"), (*path, "max_replicas"))
    if low is not None and high is not None and low > high:
        yield Finding((*path, "max_replicas"), f"must not be less than min_replicas, which is {low}", needs)
    within = {("fallback", "replicas"): scaling.fallback.replicas, ("initial_replicas",): scaling.initial_replicas}
    for keys, count in within.items():
        if count is not None and low is not None and count < low:
            yield Finding((*path, *keys), f"must not be less than min_replicas, which is {low}", needs)
        if count is not None and high is not None and count > high:
            yield Finding((*path, *keys), f"must not be more than max_replicas, which is {high}", needs)


def _zero(scaling: Autoscale, path: Path) -> Iterator[Finding]:
    least, zero = (*path, "min_replicas"), (*path, "scale_to_zero")
    if scaling.scale_to_zero and scaling.min_replicas:
        yield Finding(zero, f"needs min_replicas: 0; it is {scaling.min_replicas}", needs=(least,), at_key=True)
    if scaling.min_replicas == 0 and not scaling.scale_to_zero:
        yield Finding(least, "0 needs scale_to_zero beside it, such as scale_to_zero: {idle_after: 10m}", needs=(zero,))


def _objective(scaling: Autoscale, path: Path) -> Iterator[Finding]:
    if scaling.slo and scaling.slo.min_concurrency > scaling.slo.max_concurrency:
        message = f"must not be less than min_concurrency, which is {number_text(scaling.slo.min_concurrency)}"
        yield Finding((*path, "slo", "max_concurrency"), message)


def _schedule(window: Schedule, scaling: Autoscale, path: Path, block: Path) -> Iterator[Finding]:
    low, high = window.min_replicas, window.max_replicas
    if low is None and high is None and window.priority is None:
        yield Finding(path, "needs min_replicas, max_replicas or priority: what holds from start to end", at_key=True)
    if low is not None and high is not None and low > high:
        yield Finding((*path, "max_replicas"), f"must not be less than min_replicas, which is {low}")
    if low == 0 and not scaling.scale_to_zero:
        zero = (*block, "scale_to_zero")
        yield Finding((*path, "min_replicas"), "0 needs scale_to_zero under autoscale, which is what goes there", needs=(zero,))


def _metric(metric: Measured, path: Path) -> Iterator[Finding]:
    match metric:
        case CpuMetric() | MemoryMetric():
            yield from _one_of(metric, ("target", "average_value"), path)
        case SignalMetric():
            yield from _signal(metric, path)


def _signal(metric: SignalMetric, path: Path) -> Iterator[Finding]:
    if isinstance(metric, JsonMetric):
        yield from _one_of(metric, ("url", "path"), path)
    if isinstance(metric, JsonMetric) and metric.path and metric.value is not None:
        yield Finding((*path, "value"), "is for a url: each replica is asked for the path, so give target, for each", at_key=True)
    else:
        yield from _one_of(metric, ("target", "value"), path)
    if isinstance(metric, AskedMetric):
        yield from _asked(metric, path)


def _one_of(metric: Measured | SignalMetric, keys: tuple[str, str], path: Path) -> Iterator[Finding]:
    given = [key for key in keys if getattr(metric, key) not in (None, "")]
    if not given:
        yield Finding(path, f"needs {' or '.join(keys)}", at_key=True)
    if len(given) > 1:
        yield Finding((*path, keys[1]), f"cannot stand beside {keys[0]}: one of the two says it", at_key=True)


def _asked(metric: AskedMetric, path: Path) -> Iterator[Finding]:
    for name in metric.headers:
        if wrong := urls.field_name(name):
            yield Finding((*path, "headers", name), wrong, at_key=True)
    if metric.stale_after is not None and metric.stale_after < metric.interval:
        message = f"must not be less than interval, which is {duration_text(metric.interval)}: there would be no value between two reads"
        yield Finding((*path, "stale_after"), message)


def _names(scaling: Autoscale, path: Path) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, name in enumerate(metrics.names(scaling.metrics)):
        if name in seen:
            yield Finding((*path, "metrics", index, "name"), f"{name} is given twice")
        seen |= {name} - {""}
