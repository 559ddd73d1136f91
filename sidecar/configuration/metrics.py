"""The keys of one entry under `autoscale.metrics`, as pydantic models: one for each type. See `models` for how this is read.

The key says what a number is compared with. `target` is always meant for each replica; where the HPA has another way to say it, that
has a key of its own, of which an entry takes one.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field

from autoscaler.rules import Slo
from balancer.limits import REPLICAS
from probes.signals.spec import SignalSpec, SignalType
from sidecar.configuration import addresses, kinds, urls
from sidecar.configuration.base import HpaModel
from sidecar.configuration.shapes import Secrets

_SPEC = SignalSpec("", SignalType.EXTERNAL)
_MOST = 1e15
_MISSED = 3  # reads that may fail in a row before a value is stale, where intervals are long
_TYPE = "is said by the key that holds the number: "


class RateMetric(HpaModel):
    """Requests in progress (running, queued and held), or requests per second, per replica."""

    type: Literal["concurrency", "rps"]
    """What is measured."""
    target: Annotated[float, kinds.number(0.001, 1_000_000)]
    """What one replica can carry: requests at once (concurrency) or per second (rps)."""
    target_utilization: Annotated[float, kinds.share(0.01, 1)] = 1.0
    """The share of the target to stay at, so that there is room while a replica starts."""


class QueueMetric(HpaModel):
    """Requests that wait for a replica, queued or held, per replica."""

    type: Literal["queue"]
    """What is measured."""
    target: Annotated[float, kinds.number(0.001, 1_000_000)]
    """How many requests may wait for each replica."""


class LatencyMetric(HpaModel):
    """The time that requests take. It scales up only where more replicas can help."""

    type: Literal["latency"]
    """What is measured."""
    target: Annotated[float, kinds.duration(high=3600.0)]
    """The time that `percentile` per cent of the requests should not exceed."""
    percentile: Annotated[float, kinds.number(1, 99.99)] = Slo(1.0).percentile
    """The percentage of requests that should be faster than the target."""


class _UsageMetric(HpaModel):
    """What replicas use, as the engine measures it."""

    unavailable: ClassVar[Mapping[str, str]] = {"target_type": f"{_TYPE}target for a share, average_value for an amount"}

    type: str
    """What is measured."""
    target: Annotated[float | None, kinds.share(0.01, 10)] = None
    """The share to stay at: of what a replica requests, else of its limit, else of all that its machine has."""


class CpuMetric(_UsageMetric):
    """The processor time that replicas use. Takes `target` or `average_value`."""

    type: Literal["cpu"]
    """What is measured."""
    average_value: Annotated[float | None, kinds.cores()] = None
    """Instead of a share, the processor cores that each replica may use: 0.5 or 500m."""


class MemoryMetric(_UsageMetric):
    """The memory that replicas use. Takes `target` or `average_value`."""

    type: Literal["memory"]
    """What is measured."""
    average_value: Annotated[int | None, kinds.size(1, kinds.MEMORY)] = None
    """Instead of a share, the memory that each replica may use: 256MiB."""


class SignalMetric(HpaModel):
    """A number that others tell. Takes `target` or `value`."""

    unavailable: ClassVar[Mapping[str, str]] = {
        "target_type": f"{_TYPE}target for each replica, value for the whole service",
        **dict.fromkeys(("average_value", "averageValue"), "is target here: what the number may be for each replica"),
    }

    type: str
    """Where the number comes from."""
    name: Annotated[str, kinds.text(kinds.metric_name)] = ""
    """What it is called, once in a service. Default: its type; for further ones prometheus_2, json_2 and so on."""
    target: Annotated[float | None, kinds.number(0.000001, _MOST)] = None
    """What the number may be for each replica: 30 with a number of 120 is 4 replicas."""
    value: Annotated[float | None, kinds.number(0.000001, _MOST)] = None
    """Instead of `target`, what the number may be for the whole service: 30 with a number of 60 is twice the replicas."""
    activation: Annotated[float, kinds.number(0, _MOST)] = 0.0
    """With `scale_to_zero`: a number above this starts the first replica, and keeps the last one."""
    stale_after: Annotated[float | None, kinds.duration(1.0, kinds.DAY_S)] = None
    """How long a number may be used. Default: 30s, or three times `interval` if that is more."""

    @property
    def usable_s(self) -> float:
        """How long a number may be used, in seconds."""
        return self.stale_after or _SPEC.stale_after_s


class AskedMetric(SignalMetric):
    """A number that is asked for again and again."""

    headers: Annotated[
        dict[str, Annotated[str, kinds.text(urls.field_value)]], Secrets(), Field(default_factory=dict, max_length=urls.FIELDS)
    ]
    """Header fields that are sent along, such as Authorization. Best given as ${NAME}."""
    interval: Annotated[float, kinds.duration(0.5, 3600.0)] = _SPEC.interval_s
    """The time between two questions."""
    timeout: Annotated[float, kinds.duration(high=60.0)] = _SPEC.timeout_s
    """How long an answer may take."""

    @property
    def usable_s(self) -> float:
        return self.stale_after or max(_SPEC.stale_after_s, _MISSED * self.interval)


class PrometheusMetric(AskedMetric):
    """What a Prometheus server answers to a query. Takes `target` or `value`."""

    type: Literal["prometheus"]
    """Where the number comes from."""
    server: Annotated[str, kinds.text(urls.server)]
    """The server's URL: http://prometheus:9090."""
    query: Annotated[str, kinds.text(urls.query, kinds.WORDS)]
    """PromQL that gives one number."""


class JsonMetric(AskedMetric):
    """A number in a JSON document. Takes `url` or `path`, and `target` or `value`."""

    type: Literal["json"]
    """Where the number comes from."""
    url: Annotated[str, kinds.text(urls.url)] = _SPEC.url
    """The URL of the document."""
    path: Annotated[str, kinds.text(addresses.probe_path)] = _SPEC.path
    """Instead of `url`, a path such as /stats that each replica is asked for; the numbers of all are added up. With `target` only."""
    pointer: Annotated[str, kinds.text(urls.pointer)] = _SPEC.pointer
    """Which number of the document, as a JSON Pointer: /queue/length. Default: the document is the number."""


class ExternalMetric(SignalMetric):
    """A number that is pushed to the admin API. Takes `target` or `value`."""

    type: Literal["external"]
    """Where the number comes from."""
    name: Annotated[str, kinds.text(kinds.metric_name)]
    """What it is called, once in a service; it is pushed under this name."""


class Schedule(HpaModel):
    """Not a metric: other bounds, or another priority, from each `start` to the next `end`."""

    type: Literal["schedule"]
    """What it is."""
    timezone: Annotated[str, kinds.text(kinds.time_zone)] = "UTC"
    """The time zone of both expressions, such as Europe/Paris."""
    start: Annotated[str, kinds.text(kinds.cron)]
    """When it begins, as a cron expression: "0 8 * * mon-fri"."""
    end: Annotated[str, kinds.text(kinds.cron)]
    """When it ends."""
    min_replicas: Annotated[int | None, kinds.whole(0, REPLICAS)] = None
    """The minimum meanwhile."""
    max_replicas: Annotated[int | None, kinds.whole(1, REPLICAS)] = None
    """The maximum meanwhile."""
    priority: Annotated[int | None, kinds.priority()] = None
    """The priority meanwhile, where services share a `budget`."""


Measured = RateMetric | QueueMetric | LatencyMetric | CpuMetric | MemoryMetric | PrometheusMetric | JsonMetric | ExternalMetric
Metric = Annotated[Measured | Schedule, Discriminator("type")]


def names(metrics: tuple[Measured | Schedule, ...]) -> list[str]:
    """What each is called: "" for schedules and what we see ourselves; a signal without a name has its type's, numbered if need be."""
    taken = {metric.name for metric in metrics if isinstance(metric, SignalMetric)}
    return [_name(metric, taken) if isinstance(metric, SignalMetric) else "" for metric in metrics]


def _name(metric: SignalMetric, taken: set[str]) -> str:
    if metric.name:
        return metric.name
    free = (f"{metric.type}_{number}" if number > 1 else metric.type for number in range(1, len(taken) + 2))
    name = next(name for name in free if name not in taken)
    taken.add(name)
    return name
