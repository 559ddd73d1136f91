"""What Prometheus reads from /metrics, made anew from the controller's views at each scrape. Names begin with `ecluse_`.

Two families count requests, so that nothing is ever counted twice and nothing ever goes down:

- `ecluse_replica_...` has one series per living replica. It ends when the replica goes, as any target's series does.
- `ecluse_...` by service adds what the replicas that are gone had counted. It never goes down while the service is configured.

(Moving a gone replica's count to a series `replica=""` would show `rate()` an increase that never happened.)

The totals come from `sidecar.ledger`, which says how exact they are.
"""

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from autoscaler.cluster.engine import Usage
from balancer.hotpath import board
from balancer.scoreboard import ReplicaReading, ServiceReading, WorkerReading
from balancer.table import ReplicaState
from sidecar.ledger import Ledger
from sidecar.views import Control, Overview, ProxyView, ServiceView, WorkerView

STATUSES: Final = ("true", "false")
STATUS_CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")
BUCKETS_PER_BOUND: Final = 4  # one bound to a doubling: 64 us, 128 us, ... 67 s


def latency_buckets(latency: Sequence[int]) -> list[tuple[str, float]]:
    """(upper bound in seconds, answers at or below it) in Prometheus's form: cumulative, the last bound infinite.

    Only bounds that the scoreboard's buckets have too are used: counts between them would be guesses.
    """
    below = list(accumulate(latency))
    last = len(latency) - 2  # the last bucket has no upper bound
    bounds = [(f"{board.bucket_floor_us(i + 1) / 1e6:.6f}", float(below[i])) for i in range(0, last + 1, BUCKETS_PER_BOUND)]
    return [*bounds, ("+Inf", float(below[-1]))]


class ViewCollector(Collector):
    """Reads the controller's views when asked."""

    def __init__(self, control: Control, ledger: Ledger) -> None:
        self._control = control
        self._ledger = ledger

    def collect(self) -> Iterator[Metric]:
        services = self._control.services()
        self._ledger.observe(services)
        overview = self._control.overview()
        yield from _program(overview)
        yield from _workers(overview.workers)
        yield from _proxies(overview.proxies)
        yield from _decisions(self._control.decisions())
        yield from _scaling(services)
        yield from _objectives(services)
        yield from _signals(services)
        yield from _services(services)
        yield from _traffic(services, self._ledger)
        yield from _replicas(services)


def registry(control: Control, ledger: Ledger) -> CollectorRegistry:
    """A registry with nothing but these metrics in it."""
    made = CollectorRegistry()
    made.register(ViewCollector(control, ledger))
    return made


Rows = Iterable[tuple[Sequence[str], float]]


def _counter(name: str, help_text: str, labels: Sequence[str], rows: Rows) -> Metric:
    family = CounterMetricFamily(f"ecluse_{name}", help_text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _gauge(name: str, help_text: str, labels: Sequence[str], rows: Rows) -> Metric:
    family = GaugeMetricFamily(f"ecluse_{name}", help_text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _program(overview: Overview) -> Iterator[Metric]:
    build = (overview.version, overview.build, platform.python_version())
    yield _gauge("build_info", "Always 1; the labels say what runs.", ("version", "build", "python"), [(build, 1)])
    yield _gauge("start_time_seconds", "When the program was started, since the epoch.", (), [((), overview.started_at)])
    yield _gauge("table_generation", "The routing table that the controller sent last.", (), [((), overview.generation)])
    label = ("resource",)
    yield _gauge("budget", "What all services may have together.", label, [((s.resource,), s.limit) for s in overview.budget])
    yield _gauge("budget_used", "What they take up of it now.", label, [((s.resource,), s.used) for s in overview.budget])
    reloads = [(("ok",), overview.reloads), (("failed",), overview.reloads_failed)]
    yield _counter("reloads", "Configuration reloads; a failed one changed nothing.", ("result",), reloads)


_WORKER_COUNTERS: Final[tuple[tuple[str, str, Callable[[WorkerReading], int]], ...]] = (
    ("connections_accepted", "Client connections accepted.", lambda cells: cells.accepted),
    ("connections_refused", "Client connections over the limit, answered 503 and closed.", lambda cells: cells.refused),
    ("bad_requests", "Requests answered 4xx before a service was chosen.", lambda cells: cells.bad_requests),
    ("unrouted_requests", "Requests that no route matched.", lambda cells: cells.no_route),
    ("access_log_lines", "Access log lines written.", lambda cells: cells.log_written),
    ("access_log_lines_dropped", "Access log lines dropped because writing fell behind.", lambda cells: cells.log_dropped),
)


def _workers(workers: Sequence[WorkerView]) -> Iterator[Metric]:
    label = ("worker",)
    rows = [((str(worker.row),), worker) for worker in workers]
    yield _gauge("connections", "Client connections open.", label, [(r, w.reading.connections) for r, w in rows])
    yield _gauge("worker_table_generation", "The routing table in use.", label, [(r, w.reading.generation) for r, w in rows])
    yield _counter("worker_restarts", "Times the worker was replaced.", label, [(r, w.restarts) for r, w in rows])
    for name, help_text, cell in _WORKER_COUNTERS:
        yield _counter(name, help_text, label, [(r, cell(w.reading)) for r, w in rows])


def _proxies(proxies: Sequence[ProxyView]) -> Iterator[Metric]:
    label = ("proxy",)
    heard = [((proxy.address,), proxy.age_s) for proxy in proxies if proxy.age_s is not None]
    acknowledged = [((proxy.address,), proxy.acknowledged) for proxy in proxies]
    yield _gauge("proxy_reading_age_seconds", "Since a proxy that runs apart said last what it counts.", label, heard)
    yield _gauge("proxy_table_generation", "The routing table it uses; 0: none, or it is not heard.", label, acknowledged)
    yield _gauge("proxy_connections", "Its client connections.", label, [((p.address,), p.connections) for p in proxies])


def _decisions(decisions: dict[tuple[str, str], int]) -> Iterator[Metric]:
    yield _counter("decisions", "Decisions of the autoscaler.", ("service", "reason"), sorted(decisions.items()))


def _scaling(services: Sequence[ServiceView]) -> Iterator[Metric]:
    states = [((s.name, state.value), _in_state(s, state)) for s in services for state in ReplicaState if state != "gone"]
    yield _gauge("replicas", "Replicas by state.", ("service", "state"), states)
    label = ("service",)
    scalable = [service for service in services if service.scalable]
    yield _gauge("desired_replicas", "Replicas the autoscaler asked for last.", label, [((s.name,), s.desired) for s in scalable])
    yield _gauge("min_replicas", "Fewest replicas allowed.", label, [((s.name,), s.min_replicas) for s in scalable])
    yield _gauge("max_replicas", "Most replicas allowed.", label, [((s.name,), s.max_replicas) for s in scalable])
    usual = [((each.name,), each.start_s) for each in scalable if each.start_s is not None]
    yield _gauge(
        "replica_start_seconds", "How long a replica usually takes to be ready: the median of the last starts.", label, usual
    )
    yield _gauge(
        "wanted_replicas",
        "Replicas the autoscaler would ask for without a budget.",
        label,
        [((s.name,), s.wanted or 0) for s in scalable],
    )
    told = [(service.name, each) for service in scalable for each in service.scaling]
    statuses = [
        ((name, each.type, status), float(each.status is (status == "true"))) for name, each in told for status in STATUSES
    ]
    yield _gauge(
        "scaling_condition", "The HPA's conditions: 1 for the status it has.", ("service", "condition", "status"), statuses
    )
    counted = [(service.name, *service.predictions) for service in services if any(service.predictions)]
    predicted = [((name, result), count) for name, *both in counted for result, count in zip(("hit", "miss"), both, strict=True)]
    help_text = "Removals where the engine chooses: as predicted and so drained before, or not."
    yield _counter("predictions", help_text, ("service", "result"), predicted)
    yield _gauge(
        "load_requests",
        "Requests running, queued and held: the last second's mean.",
        label,
        [((s.name,), s.load) for s in services],
    )


def _objectives(services: Sequence[ServiceView]) -> Iterator[Metric]:
    """No family at all where there is no objective."""
    rows = [((service.name,), service.slo) for service in services if service.slo]
    if rows:
        learned = [(r, slo.concurrency) for r, slo in rows if slo.concurrency is not None]
        yield _gauge(
            "slo_objective_seconds", "Under which the latency is to stay.", ("service",), [(r, s.objective_s) for r, s in rows]
        )
        yield _gauge("slo_concurrency", "Requests at once on each replica that meet it, as learned.", ("service",), learned)


def _signals(services: Sequence[ServiceView]) -> Iterator[Metric]:
    """No family at all where nothing is told by others."""
    label = ("service", "signal")
    rows = [((service.name, signal.name), signal) for service in services for signal in service.signals]
    if rows:
        values = [(r, signal.value) for r, signal in rows if signal.value is not None]
        yield _gauge("signal_value", "What others tell; missing while it is not known.", label, values)
        ages = [(r, signal.age_s) for r, signal in rows if signal.age_s is not None]
        yield _gauge("signal_age_seconds", "Since it was read or pushed.", label, ages)
        help_text = "Times that asking gave no value, or that a pushed one grew too old."
        yield _counter("signal_failures", help_text, label, [(r, signal.failures) for r, signal in rows])


def _in_state(service: ServiceView, state: ReplicaState) -> int:
    return sum(replica.state == state for replica in service.replicas)


_SERVICE_COUNTERS: Final[tuple[tuple[str, str, Callable[[ServiceReading], int]], ...]] = (
    ("retries", "Attempts after the first.", lambda cells: cells.retries),
    ("retries_denied", "Attempts that were not made again since the budget was spent.", lambda cells: cells.retries_denied),
    ("hedges", "Second attempts beside a slow first one.", lambda cells: cells.hedges),
    ("hedges_won", "Of these, those that answered first.", lambda cells: cells.hedges_won),
    ("rate_limited_requests", "Requests refused with 429.", lambda cells: cells.rate_limited),
    ("strayed_requests", "Requests that could not go to the replica they were to meet again.", lambda cells: cells.strayed),
    (
        "shed_requests",
        "Requests refused with 503: the queue was full, or the wait too long.",
        lambda cells: cells.shed,
    ),
    ("wait_timeouts", "Requests refused with 503 because they had waited too long.", lambda cells: cells.wait_timeouts),
    ("unavailable_requests", "Requests refused with 503 because no replica was ready.", lambda cells: cells.unavailable),
    ("aborted_requests", "Requests whose client left before the answer was complete.", lambda cells: cells.aborted),
    ("upgrades", "Connections that became tunnels (WebSocket).", lambda cells: cells.upgrades),
)


def _services(services: Sequence[ServiceView]) -> Iterator[Metric]:
    rows = [((service.name,), service.reading) for service in services if service.reading]
    yield _gauge("waiting_requests", "Requests queued or held for a replica.", ("service",), [(r, c.waiting) for r, c in rows])
    yield _gauge(
        "retrying_requests", "Attempts after the first and hedges under way.", ("service",), [(r, c.retrying) for r, c in rows]
    )
    caps = [(r, c.cap) for r, c in rows if c.cap]
    yield _gauge("learned_concurrency", "The most requests at once in a replica, as learned.", ("service",), caps)
    ejections = [((each.name, kind), count) for each in services for kind, count in each.ejections.items()]
    yield _counter("ejections", "Replicas taken out for what their answers were.", ("service", "reason"), ejections)
    for name, help_text, cell in _SERVICE_COUNTERS:
        yield _counter(name, help_text, ("service",), [(r, cell(c)) for r, c in rows])
    own = [((*r, kind), n) for r, c in rows for kind, n in zip(STATUS_CLASSES, c.own_answers, strict=True)]
    yield _counter("own_answers", "Answers that the proxy gave itself, in place of a replica's.", ("service", "status"), own)


_TRAFFIC_COUNTERS: Final[tuple[tuple[str, str, Callable[[ReplicaReading], float]], ...]] = (
    ("connect_errors", "Connections that a replica refused or did not accept in time.", lambda cells: cells.connect_errors),
    ("broken_attempts", "Attempts that ended without a whole answer on a connection that stood.", lambda cells: cells.broken),
    ("attempt_timeouts", "Attempts that ended at a deadline.", lambda cells: cells.timeouts),
    ("upstream_connects", "Connections opened to replicas.", lambda cells: cells.connects),
    ("upstream_received_bytes", "Octets from replicas.", lambda cells: cells.bytes_in),
    ("upstream_sent_bytes", "Octets to replicas.", lambda cells: cells.bytes_out),
    ("in_flight_seconds", "Request-seconds in flight: its rate is the mean concurrency.", lambda cells: cells.busy_us / 1e6),
)


def _traffic(services: Sequence[ServiceView], ledger: Ledger) -> Iterator[Metric]:
    totals = [(service.name, ledger.total(service.name)) for service in services]
    own = {service.name: service.reading.own_answers if service.reading else (0,) * 5 for service in services}
    by_class = [
        ((name, kind), n + m)
        for name, total in totals
        for kind, n, m in zip(STATUS_CLASSES, total.status, own[name], strict=True)
    ]
    yield _counter("requests", "Answers: of replicas, gone ones included, and the proxy's own.", ("service", "status"), by_class)
    durations = HistogramMetricFamily(
        "ecluse_request_duration_seconds", "Request head read to whole answer, gone replicas included.", labels=("service",)
    )
    for name, total in totals:
        durations.add_metric((name,), latency_buckets(total.latency), total.latency_sum_us / 1e6)
    yield durations
    for metric, help_text, cell in _TRAFFIC_COUNTERS:
        yield _counter(metric, help_text, ("service",), [((name,), cell(total)) for name, total in totals])


def _replicas(services: Sequence[ServiceView]) -> Iterator[Metric]:
    label = ("service", "replica")
    rows = [((service.name, replica.id), replica) for service in services for replica in service.replicas]
    by_class = [((*r, kind), n) for r, v in rows for kind, n in zip(STATUS_CLASSES, v.reading.status, strict=True)]
    yield _counter("replica_requests", "Whole answers of a living replica.", (*label, "status"), by_class)
    yield _gauge("replica_in_flight_requests", "Requests in flight.", label, [(r, v.reading.in_flight) for r, v in rows])
    yield _gauge("replica_pooled_connections", "Idle connections kept.", label, [(r, v.reading.pooled) for r, v in rows])
    yield _counter("replica_connect_errors", "Connections refused.", label, [(r, v.reading.connect_errors) for r, v in rows])
    yield _counter("replica_restarts", "Times it was started again.", label, [(r, v.restarts) for r, v in rows])
    yield from _usages([(labels, replica.usage) for labels, replica in rows if replica.usage])


def _usages(rows: Sequence[tuple[Sequence[str], Usage]]) -> Iterator[Metric]:
    """Of the replicas whose engine tells; no family at all where none does."""
    label = ("service", "replica")
    if rows:
        yield _counter("replica_cpu_seconds", "Processor seconds used.", label, [(r, used.cpu_s) for r, used in rows])
        yield _gauge("replica_cpus", "Processor cores it may use.", label, [(r, used.cpus) for r, used in rows])
        yield _gauge("replica_memory_bytes", "Memory in use.", label, [(r, used.memory) for r, used in rows])
        yield _gauge("replica_memory_limit_bytes", "Memory it may use.", label, [(r, used.memory_limit) for r, used in rows])
