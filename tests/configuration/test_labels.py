"""What labels come to, and what is said about those that are wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from autoscaler.cluster.engine import Clone, Labelled, Source, SwarmService
from autoscaler.rules import MetricRule, MetricType
from balancer.table import Policy
from probes.spec import ProbeSpec
from sidecar.config import Route, Service
from sidecar.configuration import ConfigurationErrors, parse
from sidecar.configuration.labels import service_of

WEB = Clone("web", "shop")
KNOWN = "(known: enable, service, host, path, port, routes, balance, probes, autoscale)"


def read(*labels: str, source: Source = WEB, engine: str = "docker", name: str = "web") -> Service:
    pairs = [label.partition("=") for label in ("ecluse.enable=true", *labels)]
    return service_of({key: value for key, _, value in pairs}, name, engine, source, cores=1)


def test_a_label_that_says_yes_is_enough() -> None:
    assert read() == Service("web", (Route("", "/"),), engine="docker", source=WEB)


def test_labels_of_others_are_left_alone() -> None:
    assert read("traefik.enable=true", "com.docker.compose.service=web", "eclusier=1") == read()


@pytest.mark.parametrize(
    ("source", "engine"), [(WEB, "docker"), (SwarmService("shop_web"), "swarm"), (Labelled("web"), "docker")], ids=repr
)
def test_the_port_goes_to_where_the_labels_were_found(source: Source, engine: str) -> None:
    service = read("ecluse.port=8000", source=source, engine=engine)
    assert (service.source, service.engine, service.rules) == (replace(source, port=8000), engine, None)


@pytest.mark.parametrize(
    ("labels", "routes"),
    [
        (["ecluse.host=Shop.example.com"], [("shop.example.com", "/")]),
        (["ecluse.host=a.example.com, *.b.example.com"], [("a.example.com", "/"), ("*.b.example.com", "/")]),
        (["ecluse.host=a,b,a", "ecluse.path=/api/"], [("a", "/api"), ("b", "/api")]),
        (["ecluse.path=/api"], [("", "/api")]),
        (["ecluse.host="], [("", "/")]),
        (["ecluse.host=[::1]"], [("[::1]", "/")]),
        (["ecluse.routes=[{host: a, path: /x}, {host: b}]"], [("a", "/x"), ("b", "/")]),
        (["ecluse.routes.0.host=a", "ecluse.routes.1.path=/b", "ecluse.routes.1.host=b"], [("a", "/"), ("b", "/b")]),
    ],
)
def test_routes(labels: list[str], routes: list[tuple[str, str]]) -> None:
    assert read(*labels).routes == tuple(Route(host, path) for host, path in routes)


def test_every_key_of_a_service_by_its_dotted_path() -> None:
    service = read(
        "ecluse.service=shop",
        "ecluse.balance.policy=least_request",
        "ecluse.balance.queue=7",
        "ecluse.balance.drain_timeout=1m",
        "ecluse.probes.readiness.path=/healthz?a=[b]",
        "ecluse.probes.readiness={interval: 5s, expect: [200, 204]}",
        "ecluse.autoscale.max_replicas=12",
    )
    assert service.rules
    assert (service.rules.min_replicas, service.rules.max_replicas) == (1, 12)
    assert service == Service(
        name="shop",
        routes=(Route("", "/"),),
        engine="docker",
        source=WEB,
        policy=Policy.LEAST_REQUEST,
        queue=7,
        drain_timeout_s=60.0,
        readiness=ProbeSpec("/healthz?a=[b]", expect=(200, 204), interval_s=5.0),
        rules=service.rules,
    )


@pytest.mark.parametrize(
    "labels",
    [
        ["ecluse.autoscale.metrics=[{type: concurrency, target: 20, target_utilization: 70%}, {type: rps, target: 5}]"],
        [
            "ecluse.autoscale.metrics.0.type=concurrency",
            "ecluse.autoscale.metrics.0.target=20",
            "ecluse.autoscale.metrics.0.targetUtilization=70%",
            "ecluse.autoscale.metrics.1={type: rps, target: 5}",
        ],
        ["ecluse.autoscale={metrics: [{type: concurrency, target: 20, target_utilization: 70%}, {type: rps, target: 5}]}"],
    ],
    ids=["as one list", "one by one", "all in one"],
)
def test_metrics_in_each_form(labels: list[str]) -> None:
    rules = read(*labels).rules
    assert rules
    assert rules.metrics == (MetricRule(MetricType.CONCURRENCY, 20.0, 0.7), MetricRule(MetricType.RPS, 5.0))


def test_what_labels_say_is_what_a_file_says() -> None:
    text = (
        "{max_replicas: 3, behavior: {scale_down: {stabilization_window: 1m, policies: [{type: Pods, value: 1}]}}, burst: false}"
    )
    (filed,) = parse(
        f"{{engine: docker, services: {{web: {{compose: web, autoscale: {text}}}}}}}", "f", directory=Path("/")
    ).services
    labelled = read(
        "ecluse.autoscale.max_replicas=3",
        "ecluse.autoscale.behavior.scaleDown.stabilization_window=1m",
        "ecluse.autoscale.behavior.scaleDown.policies.0.type=Pods",
        "ecluse.autoscale.behavior.scaleDown.policies.0.value=1",
        "ecluse.autoscale.burst=false",
        source=Clone("web"),
    )
    assert labelled.rules == filed.rules


def test_a_swarm_service_may_go_to_zero() -> None:
    rules = read("ecluse.autoscale.scale_to_zero={}", source=SwarmService("shop_web"), engine="swarm").rules
    assert rules
    assert rules.min_replicas == 0


def test_dollar_signs_mean_nothing() -> None:
    assert read("ecluse.routes=[{path: '/${A}/$$'}]").routes == (Route("", "/${A}/$$"),)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["ecluse.prot=80"], f'ecluse.prot: unknown key; did you mean "port"? {KNOWN}'),
        (["ecluse.zebra.x=80"], f"ecluse.zebra.x: unknown key {KNOWN}"),
        (["ecluse.image=shop"], "ecluse.image: is not a label: the container or Swarm service says that by itself"),
        (["ecluse.replicas=3"], "ecluse.replicas: for a fixed number give min_replicas and max_replicas under autoscale ..."),
        (["ecluse.host.name=a"], "ecluse.host.name: is no label: ecluse.host has no keys of its own"),
        (["ecluse.port=http"], "ecluse.port: must be a whole number such as 3; got 'http'"),
        (["ecluse.port.x=1"], "ecluse.port: must be a whole number such as 3; got a mapping"),
        (
            ["ecluse.host=shop:80"],
            "ecluse.host: must be a host name such as shop.example.com or *.example.com, without a port ...",
        ),
        (["ecluse.host=a,,b"], "ecluse.host: has nothing between two commas; it must be host names such as ..."),
        (["ecluse.path=api"], "ecluse.path: must be a path that begins with /, such as /api, ..."),
        (["ecluse.host=a", "ecluse.routes=[{host: b}]"], "ecluse.host: cannot stand beside ecluse.routes: give one or the other"),
        (["ecluse.routes=[{path: /a}, {path: /a/}]"], "ecluse.routes.1: host (any), path /a is a route of services.web already"),
        (["ecluse.routes.0.host=a:1"], "ecluse.routes.0.host: must be a host name ..."),
        (["ecluse.balance.polcy=p2c"], 'ecluse.balance.polcy: unknown key; did you mean "policy"? (known: policy, ...'),
        (["ecluse.balance=p2c"], "ecluse.balance: must be a mapping of keys and values; got 'p2c'"),
        (["ecluse.port=1", "ecluse.port.x=1"], "ecluse.port.x: is inside of what ecluse.port gives already"),
        (
            ["ecluse.balance={queue: 1}", "ecluse.balance.queue=1"],
            "ecluse.balance.queue: is given twice, here and as a part of ...",
        ),
        (["ecluse.balance..queue=1"], "ecluse.balance..queue: must be at most 32 keys with a dot between them"),
        ([f"ecluse.balance{'.x' * 99}=1"], f"ecluse.balance{'.x' * 99}: must be at most 32 keys with a dot between them"),
        (["ecluse.balance={queue: 1"], "ecluse.balance: is not valid YAML: ..."),
        (["ecluse.balance={queue: !!binary x}"], "ecluse.balance: has the tag !!binary, which is not known here; take it away"),
        (["ecluse.balance={queue: 1}\nqueue: 1"], "ecluse.balance: must be one list or one mapping"),
        (["ecluse.autoscale.max_replicas=many"], "ecluse.autoscale.max_replicas: must be a whole number such as 3; got 'many'"),
        (["ecluse.autoscale.metrics.0.type=rps"], 'ecluse.autoscale.metrics.0: needs the key "target"'),
        (
            ["ecluse.autoscale.metrics=[{type: rps, traget: 1}]"],
            'ecluse.autoscale.metrics.0.traget: unknown key; did you mean "target"? ...',
        ),
        (
            ["ecluse.autoscale.metrics.0.type=rps", "ecluse.autoscale.metrics.2.type=rps"],
            "ecluse.autoscale.metrics: lacks the part 1: the parts of a list are numbered from 0, without gaps",
        ),
        (
            ["ecluse.autoscale.minReplicas=5", "ecluse.autoscale.maxReplicas=3"],
            "ecluse.autoscale.maxReplicas: must not be less than min_replicas, which is 5",
        ),
        (["ecluse.autoscale.scale_to_zero={}"], "ecluse.autoscale.scale_to_zero: cannot go to 0 with compose: ..."),
        (["ecluse.probes.readiness.expect=200"], "ecluse.probes.readiness.expect: means nothing to a probe without path, ..."),
        (["ecluse.service=my shop"], "ecluse.service: must be a service's name: 1 to 63 letters, ..."),
    ],
    ids=lambda value: value[0][:50] if isinstance(value, list) else "",
)
def test_each_mistake_is_named_by_container_and_label(labels: list[str], said: str) -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        read(*labels)
    (line,) = str(caught.value).splitlines()
    expected = f"labels of web: {said.removesuffix('...')}"
    assert line[: len(expected)] == expected
    assert said.endswith("...") or line == expected


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        read("ecluse.prot=1", "ecluse.balance.queue=many", "ecluse.autoscale.metrics=[", "ecluse.host=a:1", "ecluse.path=b")
    assert [problem.key for problem in caught.value.problems] == [
        "ecluse.autoscale.metrics",
        "ecluse.balance.queue",
        "ecluse.host",
        "ecluse.path",
        "ecluse.prot",
    ]


def test_containers_of_nobody_are_not_scaled() -> None:
    with pytest.raises(
        ConfigurationErrors, match=r"labels of web: ecluse\.autoscale: is for a Compose service or a Swarm service only"
    ):
        read("ecluse.autoscale.max_replicas=3", source=Labelled("web"))


def test_a_container_whose_name_is_not_a_service_s_is_asked_for_another() -> None:
    with pytest.raises(ConfigurationErrors, match=r"labels of web\.1: ecluse\.service: must be a service's name"):
        read(name="web.1")
    assert read("ecluse.service=web", name="web.1").name == "web"


def test_labels_that_are_too_large_are_not_read() -> None:
    with pytest.raises(ConfigurationErrors, match="labels of web: is larger than 1024 KiB"):
        read(f"ecluse.path=/{'a' * 1024 * 1024}")
