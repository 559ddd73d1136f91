"""What a right `autoscale` block comes to: rules of every kind, and where the values of signals come from."""

import pytest

from autoscaler.rules import ErrorGuard, ForecastRules, MetricRule, MetricType, Pause, Rules, Schedule, Slo, TargetType
from probes.signals.spec import SignalSpec, SignalType
from sidecar.config import Service
from sidecar.configuration import parse


def service(autoscale: str, **more: str) -> Service:
    keys = "".join(f", {key}: {value}" for key, value in more.items())
    text = f"services: {{a: {{command: a, autoscale: {autoscale}{keys}}}}}"
    (found,) = parse(text, "f", variables={"TOKEN": "secret"}).services
    return found


def rules(autoscale: str) -> Rules:
    found = service(autoscale).rules
    assert found
    return found


PROMETHEUS = "type: prometheus, server: 'https://p:9090/base/', query: 'sum(jobs)'"


@pytest.mark.parametrize(
    ("metric", "rule"),
    [
        ("{type: queue, target: 5}", MetricRule(MetricType.QUEUE, 5.0)),
        ("{type: cpu, target: 150%}", MetricRule(MetricType.CPU, 1.5)),
        ("{type: cpu, averageValue: 500m}", MetricRule(MetricType.CPU, 0.5, target_type=TargetType.AVERAGE_VALUE)),
        ("{type: cpu, average_value: 1.5}", MetricRule(MetricType.CPU, 1.5, target_type=TargetType.AVERAGE_VALUE)),
        (
            "{type: memory, average_value: 256MiB}",
            MetricRule(MetricType.MEMORY, 256.0 * 2**20, target_type=TargetType.AVERAGE_VALUE),
        ),
        (f"{{{PROMETHEUS}, target: 30}}", MetricRule(MetricType.PROMETHEUS, 30.0, name="prometheus")),
        (
            f"{{{PROMETHEUS}, value: 30, name: jobs, activation: 2}}",
            MetricRule(MetricType.PROMETHEUS, 30.0, target_type=TargetType.VALUE, name="jobs", activation=2.0),
        ),
        ("{type: json, path: /stats, target: 1}", MetricRule(MetricType.JSON, 1.0, name="json")),
        ("{type: external, name: jobs, target: 1}", MetricRule(MetricType.EXTERNAL, 1.0, name="jobs")),
    ],
)
def test_each_metric_is_a_rule(metric: str, rule: MetricRule) -> None:
    assert rules(f"{{metrics: [{metric}]}}").metrics == (rule,)


def test_what_is_asked_says_where_and_how() -> None:
    found = service(
        f"""{{metrics: [
        {{{PROMETHEUS}, target: 1, headers: {{Authorization: "Bearer ${{TOKEN}}"}}, interval: 1m, timeout: 500ms}},
        {{type: rps, target: 5}},
        {{type: json, url: "http://app/stats", pointer: /queue/length, target: 1, stale_after: 2m}},
        {{type: json, path: /stats, target: 1}},
        {{type: external, name: jobs, value: 1, stale_after: 10m}}]}}"""
    )
    assert found.signals == (
        SignalSpec(
            "prometheus",
            SignalType.PROMETHEUS,
            url="https://p:9090/base",
            query="sum(jobs)",
            headers={"Authorization": "Bearer secret"},
            interval_s=60.0,
            timeout_s=0.5,
            stale_after_s=180.0,
        ),
        SignalSpec("json", SignalType.JSON, url="http://app/stats", pointer="/queue/length", stale_after_s=120.0),
        SignalSpec("json_2", SignalType.JSON, path="/stats"),
        SignalSpec("jobs", SignalType.EXTERNAL, stale_after_s=600.0),
    )


def test_a_name_that_somebody_else_has_is_no_default_name() -> None:
    metrics = "{type: json, path: /a, target: 1}, {type: external, name: json, target: 1}, {type: json, path: /b, target: 1}"
    assert [metric.name for metric in rules(f"{{metrics: [{metrics}]}}").metrics] == ["json_2", "json", "json_3"]


def test_a_schedule_stands_among_the_metrics_and_is_none() -> None:
    found = rules(
        "{metrics: [{type: schedule, timezone: Europe/Paris, start: 0 8 * * mon-fri, end: 0 18 * * mon-fri, minReplicas: 40},"
        "{type: schedule, start: 0 0 * * *, end: 0 6 * * *, max_replicas: 2}]}"
    )
    assert found.schedules == (
        Schedule("0 8 * * mon-fri", "0 18 * * mon-fri", "Europe/Paris", min_replicas=40),
        Schedule("0 0 * * *", "0 6 * * *", max_replicas=2),
    )
    assert found.max_replicas == 40
    assert [metric.type for metric in found.metrics] == ["concurrency"]


@pytest.mark.parametrize(
    ("slo", "expected"),
    [
        ("p95 under 300ms", Slo(0.3)),
        ("p99.9 < 1s", Slo(1.0, 99.9)),
        ("{latency: 1s, percentile: 90, max_concurrency: 8}", Slo(1.0, 90.0, max_concurrency=8.0)),
        ("false", None),
    ],
)
def test_an_objective_in_words_or_with_its_bounds(slo: str, expected: Slo | None) -> None:
    assert rules(f"{{slo: {slo}}}").slo == expected


def test_an_objective_needs_no_metric_beside_it() -> None:
    assert rules("{slo: p95 under 300ms}").metrics == ()
    assert rules("{slo: p95 under 300ms, metrics: [{type: cpu, target: 70%}]}").metrics == (MetricRule(MetricType.CPU, 0.7),)


@pytest.mark.parametrize(
    ("autoscale", "key", "value"),
    [
        ("{forecast: true}", "forecast", ForecastRules()),
        ("{forecast: {horizon: 5m, error_limit: 20%}}", "forecast", ForecastRules(300.0, 0.2)),
        ("{forecast: false}", "forecast", None),
        ("{pause: down}", "pause", Pause.DOWN),
        ("{pause: true}", "pause", Pause.ALL),
        ("{pause: false}", "pause", Pause.NONE),
        ("{initial_replicas: 3}", "initial_replicas", 3),
        ("{error_guard: {share: 20%, least: 3}}", "error_guard", ErrorGuard(0.2, 3)),
        ("{error_guard: false}", "error_guard", None),
        ("{}", "error_guard", ErrorGuard()),
    ],
)
def test_the_other_rules(autoscale: str, key: str, value: object) -> None:
    assert getattr(rules(autoscale), key) == value


def test_what_a_replica_needs_may_be_said_of_what_cannot_be_limited() -> None:
    found = service("{metrics: [{type: cpu, target: 70%}]}", resources="{requests: {cpus: 500m, memory: 1GiB}}")
    assert found.request == (0.5, 2**30)
