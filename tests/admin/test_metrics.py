"""What Prometheus reads: every number is right, nothing is counted twice, and no counter ever goes down."""

from collections.abc import Iterable

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from autoscaler.cluster.engine import Usage
from balancer.hotpath import board
from balancer.hotpath.row import bucket
from sidecar.ledger import Ledger
from sidecar.metrics import latency_buckets, registry
from tests.admin.control import FakeControl, reading, replica, service


def samples(made: CollectorRegistry) -> list[Sample]:
    return parsed(generate_latest(made).decode())


def parsed(text: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def value(found: Iterable[Sample], name: str, **labels: str) -> float:
    """The one sample with that name and those labels."""
    (one,) = [sample for sample in found if sample.name == name and labels.items() <= sample.labels.items()]
    return one.value


@pytest.fixture
def made(control: FakeControl) -> CollectorRegistry:
    return registry(control, Ledger())


async def test_metrics_are_served_as_prometheus_text(api: httpx.AsyncClient) -> None:
    answer = await api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert value(parsed(answer.text), "ecluse_build_info", version="0.1.0", build="compiled") == 1


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("ecluse_requests_total", {"service": "shop", "status": "2xx"}, 47),
        ("ecluse_requests_total", {"service": "shop", "status": "5xx"}, 2),
        ("ecluse_replica_requests_total", {"service": "shop", "replica": "shop-2", "status": "2xx"}, 7),
        ("ecluse_replicas", {"service": "shop", "state": "ready"}, 2),
        ("ecluse_replicas", {"service": "shop", "state": "draining"}, 0),
        ("ecluse_desired_replicas", {"service": "shop"}, 2),
        ("ecluse_decisions_total", {"service": "shop", "reason": "scale_up"}, 2),
        ("ecluse_retries_total", {"service": "shop"}, 2),
        ("ecluse_broken_attempts_total", {"service": "shop"}, 2),
        ("ecluse_reloads_total", {"result": "failed"}, 1),
        ("ecluse_worker_restarts_total", {"worker": "0"}, 1),
        ("ecluse_connections", {"worker": "0"}, 3),
        ("ecluse_access_log_lines_dropped_total", {"worker": "0"}, 5),
        ("ecluse_replica_pooled_connections", {"replica": "shop-1"}, 1),
        ("ecluse_upstream_received_bytes_total", {"service": "shop"}, 4700),
        ("ecluse_request_duration_seconds_count", {"service": "shop"}, 49),
    ],
)
def test_each_number_is_where_it_belongs(made: CollectorRegistry, name: str, labels: dict[str, str], expected: float) -> None:
    assert value(samples(made), name, **labels) == expected


def test_only_scalable_services_have_a_desired_count(made: CollectorRegistry) -> None:
    assert [s.labels["service"] for s in samples(made) if s.name == "ecluse_desired_replicas"] == ["shop"]


def test_every_family_has_help_a_prefix_and_no_series_twice(made: CollectorRegistry) -> None:
    families = list(text_string_to_metric_families(generate_latest(made).decode()))
    assert all(family.name.startswith("ecluse_") and family.documentation for family in families)
    series = [(sample.name, tuple(sorted(sample.labels.items()))) for family in families for sample in family.samples]
    assert len(series) == len(set(series))


def test_what_replicas_use_is_told_of_those_whose_engine_knows(control: FakeControl, made: CollectorRegistry) -> None:
    assert not [sample for sample in samples(made) if "cpu" in sample.name or "memory" in sample.name]
    used = Usage(at_s=9.0, cpu_s=12.5, cpus=1.5, memory=300_000_000, memory_limit=500_000_000)
    control.shown["shop"] = service("shop", replica("shop-1", usage=used), replica("shop-2"))
    found = [sample for sample in samples(made) if "cpu" in sample.name or "memory" in sample.name]
    assert {sample.name: sample.value for sample in found} == {
        "ecluse_replica_cpu_seconds_total": 12.5,
        "ecluse_replica_cpus": 1.5,
        "ecluse_replica_memory_bytes": 300_000_000,
        "ecluse_replica_memory_limit_bytes": 500_000_000,
    }
    assert all(sample.labels == {"service": "shop", "replica": "shop-1"} for sample in found)


def test_durations_are_cumulative_in_seconds_and_end_with_all() -> None:
    latency = list(reading(ok=3, latency_us=100).latency)
    latency[bucket(50_000)] += 2
    latency[-1] += 1  # longer than any bound
    buckets = latency_buckets(latency)
    counts = {float(bound): count for bound, count in buckets}
    assert counts[0.000064] == 0
    assert counts[0.000128] == 3
    assert counts[0.032768] == 3
    assert counts[0.065536] == 5
    assert counts[67.108864] == 5
    assert buckets[-1] == ("+Inf", 6.0)
    assert [count for _, count in buckets] == sorted(count for _, count in buckets)
    assert 20 <= len(buckets) <= 24


@pytest.mark.parametrize("index", range(board.BUCKETS - 1))
def test_every_latency_lies_below_the_first_bound_that_counts_it(index: int) -> None:
    latency = [0] * board.BUCKETS
    latency[index] = 1
    first = next(float(bound) for bound, count in latency_buckets(latency) if count)
    assert board.bucket_floor_us(index) / 1e6 < first


class TestReplicasThatGo:
    """The story of a service whose replicas come and go between scrapes."""

    control: FakeControl
    ledger: Ledger

    def shown(self, *replicas: tuple[str, int]) -> float:
        """What is exported once the service has these (name, answers)."""
        self.control.shown = {"shop": service("shop", *(replica(name, reading(ok=answers)) for name, answers in replicas))}
        return value(samples(registry(self.control, self.ledger)), "ecluse_requests_total", service="shop", status="2xx")

    @pytest.fixture(autouse=True)
    def _begin(self) -> None:
        self.control, self.ledger = FakeControl(), Ledger()

    def test_their_answers_stay_in_the_services_total(self) -> None:
        assert self.shown(("a", 40), ("b", 7)) == 47
        assert self.shown(("b", 9)) == 49
        assert self.shown() == 49

    def test_a_new_replica_of_the_same_name_adds_to_it(self) -> None:
        assert self.shown(("a", 40)) == 40
        assert self.shown(("a", 3)) == 43
        assert self.shown(("a", 5)) == 45

    def test_a_replica_that_is_seen_only_between_scrapes_counts_too(self) -> None:
        assert self.shown(("a", 1)) == 1
        self.ledger.observe([service("shop", replica("a", reading(ok=2)), replica("b", reading(ok=10)))])
        assert self.shown(("a", 3)) == 13

    def test_their_own_series_end(self) -> None:
        self.shown(("a", 40), ("b", 7))
        self.shown(("b", 9))
        found = samples(registry(self.control, self.ledger))
        assert {s.labels["replica"] for s in found if s.name == "ecluse_replica_requests_total"} == {"b"}

    def test_what_they_had_open_is_not_carried_on(self) -> None:
        self.ledger.observe([service("shop", replica("a", reading(ok=1, in_flight=5)))])
        self.ledger.observe([service("shop")])
        assert self.ledger.total("shop").in_flight == 0
        assert self.ledger.total("shop").pooled == 0

    def test_a_service_that_goes_takes_its_past_with_it(self) -> None:
        self.shown(("a", 40))
        self.ledger.observe([])
        assert self.shown(("c", 2)) == 2
