"""Files of rules for `ecluse decide` and `ecluse simulate`: a whole configuration, or one block that is for every service."""

from dataclasses import replace
from pathlib import Path

import pytest

from autoscaler.rules import SCALE_DOWN, Behavior, Headroom, MetricRule, MetricType, Rules
from sidecar.configuration import ConfigurationErrors
from sidecar.configuration.rules_file import RulesFile, load_rules

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "rules").glob("*.yaml"))
BLOCK = "maxReplicas: 7\nmetrics: [{type: rps, target: 5}]\n"
STEADIED = Behavior(scale_down=replace(SCALE_DOWN, stabilization_window_s=60.0))  # where headroom is learned
RULES = Rules(max_replicas=7, metrics=(MetricRule(MetricType.RPS, 5.0),), behavior=STEADIED, headroom=Headroom())
CONFIGURATION = """
services:
  shop: {command: serve, autoscale: {max_replicas: 7, metrics: [{type: rps, target: 5}]}}
  docs: {command: serve, routes: [{path: /docs}]}
  old: {endpoints: ["10.0.0.1:80"], routes: [{path: /old}]}
"""


def rules_of(text: str, folder: Path, cores: int = 1) -> RulesFile:
    (folder / "rules.yaml").write_text(text)
    return load_rules(folder / "rules.yaml", cores)


@pytest.mark.parametrize(
    "text", [BLOCK, "autoscale: {max_replicas: 7, metrics: [{type: rps, target: 5}]}"], ids=["at the top", "under autoscale"]
)
def test_a_block_alone_is_for_every_service(text: str, tmp_path: Path) -> None:
    found = rules_of(text, tmp_path)
    assert (found.of("shop"), found.of("any"), found.services) == (RULES, RULES, ())


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_are_blocks(file: Path) -> None:
    assert load_rules(file, 1).services == ()


def test_a_configuration_has_the_rules_of_its_services(tmp_path: Path) -> None:
    found = rules_of(CONFIGURATION, tmp_path, cores=8)
    assert (found.services, found.source) == (("shop", "docs"), str(tmp_path / "rules.yaml"))
    assert (found.of("shop"), found.of("docs").max_replicas) == (RULES, 16)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("old", "has no rules for a service 'old' (it has: shop, docs)"),
        ("shopp", "has no rules for a service 'shopp'; did you mean \"shop\"? (it has: shop, docs)"),
    ],
    ids=["one that is not scaled", "one that is not there"],
)
def test_who_asks_for_another_service_is_told_which_there_are(service: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(LookupError) as caught:
        rules_of(CONFIGURATION, tmp_path).of(service)
    assert str(caught.value) == f"{tmp_path}/rules.yaml {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "max_replicas: 7\nmetrics: [{type: rps, traget: 5}]",
            '2:23: metrics[0].traget: unknown key; did you mean "target"? (known: type, target, target_utilization)',
        ),
        (
            "autoscale:\n  stable_window: 1m30",
            "2:18: autoscale.stable_window: must be a duration such as 30s, 5m or 250ms; got '1m30'",
        ),
        ("minReplicas: 5\nmaxReplicas: 3", "2:14: maxReplicas: must not be less than min_replicas, which is 5"),
        ("autoscale: {min_replicas: 0}", "1:27: autoscale.min_replicas: 0 needs scale_to_zero beside it, such as ..."),
        ("autoscale: {}\nmetrics: []", "2:1: metrics: unknown key (known: autoscale)"),
        (
            "workers: 2\nautoscale: {}",
            "2:1: autoscale: unknown key (known: engine, docker, ...",
        ),
        ("services: {shop: {comand: serve}}", '1:19: services.shop.comand: unknown key; did you mean "command"? ...'),
        ("- 1", "1:1: must be a mapping, ..."),
    ],
)
def test_mistakes_are_named_at_their_place(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        rules_of(text, tmp_path)
    line = str(caught.value).splitlines()[-1]
    expected = f"{tmp_path}/rules.yaml:{said.removesuffix('...')}"
    assert line[: len(expected)] == expected
    assert said.endswith("...") or line == expected


def test_a_file_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationErrors, match="cannot be read: no such file"):
        load_rules(tmp_path / "nowhere.yaml", 1)
