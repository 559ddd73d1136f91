"""The rule that is printed is one that the configuration takes, and says what was measured."""

from pathlib import Path

import pytest

from autoscaler.rules import MetricType
from sidecar.bench.objective import Objective, parse
from sidecar.bench.rule import as_yaml, rule_for
from sidecar.configuration import load
from tests.bench.steps import step

COMMAND = "    command: ./serve {port}"


def loaded(
    tmp_path: Path, in_flight: float, objective: Objective | None = None
) -> tuple[int, dict[MetricType, tuple[float, float]]]:
    """max_concurrency, and (target, effective target) of each metric, as the real configuration reads them."""
    lines = as_yaml("shop", rule_for(in_flight, objective))
    file = tmp_path / "ecluse.yaml"
    file.write_text("\n".join([*lines[:2], COMMAND, *lines[2:]]) + "\n")
    (service,) = load(file).services
    assert service.rules is not None
    return service.max_concurrency, {each.type: (each.target, each.effective_target) for each in service.rules.metrics}


@pytest.mark.parametrize(
    ("in_flight", "target", "cap"),
    [(1.0, 1.0, 4), (4.2, 4.2, 11), (17.649, 18.0, 31), (250.0, 250.0, 298), (0.001, 0.01, 1), (123_456.0, 120_000.0, 121_040)],
)
def test_the_configuration_takes_the_rule(tmp_path: Path, in_flight: float, target: float, cap: int) -> None:
    found_cap, metrics = loaded(tmp_path, in_flight)
    assert found_cap == cap
    assert metrics == {MetricType.CONCURRENCY: (target, pytest.approx(target * 0.7))}


@pytest.mark.parametrize("text", ["p95 under 300ms", "p99 < 1s", "p99.9<=1m30s", "p50 below 0.25"])
def test_the_objective_goes_into_the_rule(tmp_path: Path, text: str) -> None:
    objective = parse(text)
    _, metrics = loaded(tmp_path, 4.0, objective)
    assert metrics[MetricType.LATENCY][0] == objective.limit_s


@pytest.mark.parametrize("text", ["", "fast", "p95", "p95 under", "p95 under soon", "p42 under 1s", "p95 over 1s"])
def test_what_is_no_objective_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 'p95 under 300ms'|must be a duration"):
        parse(text)


def test_an_objective_is_met_at_its_limit_and_not_beyond() -> None:
    objective = parse("p95 under 200ms")
    assert objective.met_by(step(10, 0.1))
    assert not objective.met_by(step(10, 0.1001))
    assert not objective.met_by(step(10, None))
