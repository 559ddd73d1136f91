"""The published JSON Schema: current, and of one mind with the reader as far as a schema can be."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from sidecar.configuration import parse
from sidecar.configuration.schema import main, schema
from tests.configuration.bad import ALL, Bad
from tests.configuration.bad_scaling import SCALING
from tests.configuration.test_config import PASTED

EXAMPLES = sorted(
    file for file in (Path(__file__).parents[2] / "examples").rglob("*.yaml") if file.parent.name not in {"rules", "decide"}
)  # those are blocks
GOOD = {
    "the smallest": "services: {a: {command: a}}",
    "a pasted behavior block": PASTED,
    "short forms": "{listen: 8080, trusted_proxies: 10.0.0.1, services: {a: {endpoints: ['10.0.0.1:80']}}}",
    "false for not at all": "{access_log: false, services: {a: {command: a, autoscale: {burst: false, scale_to_zero: false}}}}",
    "variables wherever a value can stand": """
workers: ${N:-2}
limits: {head: "${H:-64k}"}
services: {a: {command: "${C:-a}", balance: {policy: "${P:-p2c}", queue_timeout: "${T:-1s}"}, autoscale: {dry_run: "${D:-true}"}}}
""",
    "words that YAML takes for numbers": "services: {a: {command: [serve, 80, true], environment: {A: 1, B: true, C: 1.5}}}",
    "statuses in every form": "services: {a: {command: a, probes: {readiness: {path: /, expect: [200, 204-206, '301']}}}}",
}


@pytest.fixture(scope="module")
def validator() -> Any:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def test_the_published_file_is_current() -> None:
    assert main(["--check"]) == 0


def test_a_file_that_is_not_current_is_said_to_be_and_then_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sidecar.configuration.schema.FILE", tmp_path / "s.json")
    assert main(["--check"]) == 1
    assert capsys.readouterr().err == "s.json is not current: run python -m sidecar.configuration.schema\n"
    assert main([]) == 0
    assert main(["--check"]) == 0


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_the_reader_accepts_the_schema_accepts(text: str, validator: Any) -> None:
    parse(text, "f", variables={})
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_every_example_is_accepted_by_both(file: Path, validator: Any) -> None:
    parse(file.read_text(), file.name, directory=file.parent, variables={"ECLUSE_TOKEN": "secret"})
    validator.validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize("bad", [bad for bad in (*ALL, *SCALING) if bad.seen_by_schema], ids=lambda bad: bad.claim)
def test_what_a_schema_can_see_it_refuses(bad: Bad, validator: Any) -> None:
    assert not validator.is_valid(yaml.safe_load(bad.text))


def test_every_key_is_described() -> None:
    models = schema()["$defs"].values()
    assert not [key for model in models for key, part in model["properties"].items() if "description" not in part]
