"""What a right file comes to: the defaults that a person would choose, and what was written."""

from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from autoscaler.rules import (
    SCALE_DOWN,
    SCALE_UP,
    Behavior,
    Burst,
    Headroom,
    MetricRule,
    MetricType,
    PolicyType,
    Rules,
    ScaleToZero,
    ScalingPolicy,
    ScalingRules,
    SelectPolicy,
)
from balancer.limits import Limits, Timeouts
from balancer.table import Policy, Settings
from probes.spec import ProbeSpec
from sidecar.config import Config, Route, Service
from sidecar.configuration import ConfigurationErrors, from_command, load, models, parse
from sidecar.configuration.models import File
from sidecar.configuration.scaling import Autoscale

STEADIED = Behavior(scale_down=replace(SCALE_DOWN, stabilization_window_s=60.0))  # where headroom is learned


def only_service(text: str, **variables: str) -> Service:
    (service,) = parse(text, "f", directory=Path("/"), variables=variables).services
    return service


def rules(autoscale: str) -> Rules:
    found = only_service(f"services: {{a: {{command: a, autoscale: {autoscale}}}}}").rules
    assert found
    return found


def test_a_file_with_only_a_command_gets_the_defaults_of_the_contracts(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text('services: {app: {command: "serve {port}"}}')
    config = load(tmp_path / "f.yaml")
    found = config.services[0].rules
    assert found
    metrics = (MetricRule(MetricType.CONCURRENCY, 20.0, 0.7),)
    assert found == Rules(1, found.max_replicas, metrics, STEADIED, headroom=Headroom())
    service = Service("app", (Route("", "/"),), ("serve", "{port}"), {}, str(tmp_path), rules=found)
    assert config == Config(str(tmp_path / "f.yaml"), (service,), state=config.state)


@pytest.mark.parametrize(
    ("autoscale", "cores", "bounds"),
    [
        ("", 1, (1, 4)),
        ("", 8, (1, 16)),
        ("min_replicas: 20", 8, (20, 20)),
        ("max_replicas: 2", 8, (1, 2)),
        ("scale_to_zero: {}", 1, (0, 4)),
        ("scale_to_zero: false", 1, (1, 4)),
    ],
)
def test_bounds_that_are_not_given_suit_the_machine_and_each_other(autoscale: str, cores: int, bounds: tuple[int, int]) -> None:
    key, _, value = autoscale.partition(": ")
    given = {key: {} if value == "{}" else value} if key else {}
    assert Autoscale.model_validate(given).bounds(cores) == bounds


def test_every_limit_and_timeout_of_the_data_path_has_its_key() -> None:
    assert list(models.Limits.model_fields) == [field.name for field in fields(Limits)]
    assert [f"{name}_s" for name in models.Timeouts.model_fields] == [field.name for field in fields(Timeouts)]


def test_models_without_any_value_have_the_defaults_of_the_contracts() -> None:
    assert asdict(Limits()) == models.Limits().model_dump()
    assert asdict(Timeouts()) == {f"{name}_s": value for name, value in models.Timeouts().model_dump().items()}


def test_settings_of_the_whole_program(tmp_path: Path) -> None:
    config = parse(
        """
listen: ["8080", ":8081", localhost:8082, "[0::0]:8083"]
admin: {listen: "[::]:9090", token: "${TOKEN}", hosts: [Admin.Example.com., "[fd00::0:7]", 10.0.0.7]}
workers: 3
shutdown_timeout: 1m
trusted_proxies: 10.0.0.0/8
access_log: {file: access.log, format: clf}
limits: {head: 64k, body: 1GiB, fields: 50}
timeouts: {idle: 1m, total: 0}
services: {a: {command: a}}
""",
        "f",
        directory=tmp_path,
        variables={"TOKEN": "secret"},
    )
    assert config.listen == ("0.0.0.0:8080", "0.0.0.0:8081", "127.0.0.1:8082", "[::]:8083")
    assert (config.admin_listen, config.admin_token) == ("[::]:9090", "secret")
    assert config.admin_hosts == ("admin.example.com", "fd00::7", "10.0.0.7")
    assert (config.engine, config.workers, config.shutdown_timeout_s) == ("processes", 3, 60.0)
    assert config.settings == Settings(
        limits=Limits(head=65_536, body=1_073_741_824, fields=50),
        timeouts=Timeouts(idle_s=60.0, total_s=0.0),
        trusted_proxies=("10.0.0.0/8",),
        access_log=str(tmp_path / "access.log"),
        access_log_format="clf",
    )


def test_a_service_that_is_started_here(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    config = parse(
        """
services:
  shop:
    command: [serve, --port, "{port}", 1.10, true]
    environment: [A=1, B=x=y]
    directory: app
    routes: [{host: Shop.Example.COM., path: /api/}, {host: "*", path: /}]
    balance: {policy: least_request, max_concurrency: 40, queue: 0, queue_timeout: 1s, drain_timeout: 2s, stop_grace: 3s}
    probes: {readiness: {path: "/healthz?full=1", interval: 1s, timeout: 500ms, rise: 1, fall: 5, expect: [204, 200-202],
      host: localhost, start_timeout: 5m}}
    autoscale: {scale_to_zero: {idle_after: 5m, wake_timeout: 20s, max_held: 10}}
""",
        "f",
        directory=tmp_path,
    )
    (service,) = config.services
    assert service == Service(
        name="shop",
        routes=(Route("shop.example.com", "/api"), Route("", "/")),
        command=("serve", "--port", "{port}", "1.10", "true"),
        environment={"A": "1", "B": "x=y"},
        directory=str(tmp_path / "app"),
        policy=Policy.LEAST_REQUEST,
        max_concurrency=40,
        queue=0,
        queue_timeout_s=1.0,
        drain_timeout_s=2.0,
        stop_grace_s=3.0,
        hold_timeout_s=20.0,
        max_held=10,
        readiness=ProbeSpec("/healthz?full=1", (200, 201, 202, 204), 1.0, 0.5, 1, 5, "localhost", 300.0),
        rules=service.rules,
    )
    assert service.rules
    assert (service.rules.min_replicas, service.rules.scale_to_zero) == (0, ScaleToZero(300.0))


def test_services_that_are_only_found_are_not_scaled() -> None:
    config = parse(
        """
services:
  fixed: {endpoints: ["10.0.0.5:80", localhost:81, "unix:/run/a.sock", {address: "[::1]:82", weight: 3}]}
  named: {dns: "tasks.web:8000", routes: [{path: /named}]}
""",
        "f",
    )
    fixed, named = config.services
    assert fixed.endpoints == (("10.0.0.5:80", 1), ("127.0.0.1:81", 1), ("unix:/run/a.sock", 1), ("[::1]:82", 3))
    assert (named.dns, named.rules, fixed.rules, fixed.directory) == ("tasks.web:8000", None, None, "")


@pytest.mark.parametrize(
    ("readiness", "path"),
    [("{}", ""), ("{path: /up}", "/up"), ("{type: http}", "/"), ("{type: tcp}", ""), ("{type: http, path: /up}", "/up")],
)
def test_a_probe_asks_over_http_where_there_is_a_path_or_it_is_told_to(readiness: str, path: str) -> None:
    assert only_service(f"services: {{a: {{command: a, probes: {{readiness: {readiness}}}}}}}").readiness.path == path


PASTED = """
services:
  shop:
    command: serve
    autoscale:
      minReplicas: 2
      maxReplicas: 10
      behavior:
        scaleDown:
          stabilizationWindowSeconds: 60
          selectPolicy: Min
          tolerance: 0.05
          policies:
          - type: Percent
            value: 10
            periodSeconds: 60
          - type: Pods
            value: 5
            periodSeconds: 60
        scaleUp:
          selectPolicy: Disabled
"""


def test_the_behavior_block_of_a_kubernetes_hpa_can_be_pasted() -> None:
    found = only_service(PASTED).rules
    assert found
    down = ScalingRules(
        60.0, (ScalingPolicy(PolicyType.PERCENT, 10, 60.0), ScalingPolicy(PolicyType.REPLICAS, 5, 60.0)), SelectPolicy.MIN, 0.05
    )
    up = ScalingRules(SCALE_UP.stabilization_window_s, SCALE_UP.policies, SelectPolicy.DISABLED)
    assert (found.min_replicas, found.max_replicas, found.behavior) == (2, 10, Behavior(up, down))


def test_all_other_rules_of_scaling() -> None:
    found = rules(
        "{max_replicas: 9, metrics: [{type: concurrency, target: 5}, {type: rps, target: 150, target_utilization: 80%}, "
        "{type: latency, target: 300ms, percentile: 99}, {type: cpu, target: 70%}, {type: memory, target: 0.8}], "
        "stable_window: 30s, burst: {window: 3s, threshold: 150%}, headroom: {deviations: 2, memory: 1h}, count_backlog: true, "
        "fallback: {after: 10s, replicas: 3}, dry_run: true, behavior: {scale_down: {stabilization_window: 1m}}}"
    )
    assert found == Rules(
        max_replicas=9,
        metrics=(
            MetricRule(MetricType.CONCURRENCY, 5.0),
            MetricRule(MetricType.RPS, 150.0, 0.8),
            MetricRule(MetricType.LATENCY, 0.3, percentile=99.0),
            MetricRule(MetricType.CPU, 0.7),
            MetricRule(MetricType.MEMORY, 0.8),
        ),
        behavior=Behavior(SCALE_UP, ScalingRules(60.0, SCALE_DOWN.policies)),
        stable_window_s=30.0,
        burst=Burst(3.0, 1.5),
        headroom=Headroom(2.0, 3600.0),
        count_backlog=True,
        fallback_after_s=10.0,
        fallback_replicas=3,
        dry_run=True,
    )
    assert rules("{burst: false}").burst is None


@pytest.mark.parametrize(
    ("text", "window_s"),
    [
        ("{}", 60.0),
        ("{headroom: false}", 300.0),
        ("{metrics: [{type: cpu, target: 70%}]}", 300.0),
        ("{slo: p95 under 1s}", 300.0),
        ("{behavior: {scale_down: {stabilization_window: 2m}}}", 120.0),
    ],
    ids=["headroom is learned", "no headroom", "nothing to learn it from", "an objective", "what is given counts"],
)
def test_the_window_for_going_down_is_short_where_headroom_is_learned(text: str, window_s: float) -> None:
    assert rules(text).behavior.scale_down.stabilization_window_s == window_s


def test_values_stay_the_text_that_was_written_until_their_kind_is_known() -> None:
    service = only_service("services: {a: {command: serve, environment: {VERSION: 1.10, ON: on, DAY: 2024-01-01, N: 010}}}")
    assert service.environment == {"VERSION": "1.10", "ON": "on", "DAY": "2024-01-01", "N": "010"}


def test_variables_reach_every_kind_of_value() -> None:
    service = only_service("services: {a: {command: '${CMD} {port}', balance: {queue: '${QUEUE}'}}}", CMD="serve", QUEUE="7")
    assert (service.command, service.queue) == (("serve", "{port}"), 7)


def test_keys_for_anchors_are_looked_at_only_where_they_are_used() -> None:
    assert parse("x-any: {unset: '${UNSET}', n: [1]}\nservices: {a: {command: a}}", "f", variables={}).services[0].name == "a"


def test_the_description_of_each_key_is_there() -> None:
    assert not [name for name, field in File.model_fields.items() if not field.description]


class TestCommandLine:
    def test_a_command_alone_is_a_whole_configuration(self) -> None:
        config = from_command(["serve", "--port", "{port}"])
        (service,) = config.services
        assert (config.source, service.name, service.command) == ("command line", "app", ("serve", "--port", "{port}"))

    def test_options_are_what_they_are_in_a_file(self) -> None:
        config = from_command(["serve"], minimum=2, maximum="5", listen="9000", admin="127.0.0.1:0", workers=1)
        found = config.services[0].rules
        assert found
        assert (found.min_replicas, found.max_replicas) == (2, 5)
        assert (config.listen, config.admin_listen, config.workers) == (("0.0.0.0:9000",), "127.0.0.1:0", 1)

    def test_a_minimum_of_zero_scales_to_zero(self) -> None:
        found = from_command(["serve"], minimum="0").services[0].rules
        assert found
        assert found.scale_to_zero == ScaleToZero()

    def test_words_are_taken_as_they_are(self) -> None:
        assert from_command(["sh", "-c", "echo ${HOME} 'x"]).services[0].command == ("sh", "-c", "echo ${HOME} 'x")

    def test_a_current_directory_that_was_removed_is_said_in_words(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        with pytest.raises(ConfigurationErrors, match="command line: the current directory cannot be found"):
            from_command(["serve"])

    def test_mistakes_are_named_by_their_options(self) -> None:
        with pytest.raises(ConfigurationErrors) as caught:
            from_command([], minimum=3, maximum=2, listen="x", workers="many")
        assert [line.partition(";")[0] for line in str(caught.value).splitlines()] == [
            "command line: --listen: must be an address and port such as 8080, 127.0.0.1:8080 or [::]:8080, "
            "with a port from 0 to 65535",
            "command line: --max: must not be less than min_replicas, which is 3",
            "command line: --workers: must be a whole number such as 3",
            "command line: COMMAND: must not be empty",
        ]
