"""The reference and the commented example have every key, and the reference has its true default."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar.configuration import parse
from sidecar.configuration.quantities import duration_text, share_text, size_text
from sidecar.configuration.schema import schema

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "configuration.md").read_text()
EXAMPLE = yaml.safe_load((ROOT / "examples" / "reference.yaml").read_text())


def keys_of_models() -> Iterator[tuple[str, Any]]:
    """Every key in its own spelling, with its default."""
    parts = schema()
    for model in (parts, *parts["$defs"].values()):
        for key, described in model["properties"].items():
            if not described.get("description", "").startswith("The same as "):
                yield key, described.get("default")


def keys_of_example(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of_example(inner)
    if isinstance(value, list):
        for inner in value:
            yield from keys_of_example(inner)


ROWS = re.findall(r"^\| `([^`]+)` \| (.*?) \| .* \|$", DOCUMENT, re.MULTILINE)
BLOCKS = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
DEFAULTS = sorted({(key, str(default)) for key, default in keys_of_models() if default is not None})


def spellings(default: str) -> set[str]:
    """The ways in which a default may be shown."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", default):
        number = float(default)
        return {f"{number:g}", f"{number:.0f}", duration_text(number), size_text(int(number)), share_text(number)}
    return {default, default.lower()}


def test_the_example_has_every_key() -> None:
    assert {key for key, _ in keys_of_models()} - set(keys_of_example(EXAMPLE)) == set()


def test_the_reference_has_every_key() -> None:
    listed = {re.split(r"\.|\[\]\.", name)[-1] for name, _ in ROWS}
    headings = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"^#+ (.*)$", DOCUMENT, re.MULTILINE))))
    groups = {part for name, _ in ROWS for part in re.split(r"\.|\[\]\.", name)[:-1]}
    assert {key for key, _ in keys_of_models()} - listed - headings - groups == set()


@pytest.mark.parametrize(("key", "default"), DEFAULTS, ids=lambda value: value)
def test_the_reference_shows_the_true_default(key: str, default: str) -> None:
    shown = {value.strip("`") for name, value in ROWS if re.split(r"\.|\[\]\.", name)[-1] == key}
    assert shown & spellings(default)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.partition(":")[0])
def test_every_block_of_the_reference_can_be_used(block: str, tmp_path: Path) -> None:
    data = yaml.safe_load(block)
    if "behavior" in data:
        data = {"autoscale": data}
    if data.keys() & {"balance", "probes", "autoscale"}:
        data = {"services": {"app": {"command": "serve", **data}}}
    (tmp_path / "certs").mkdir()
    whole = {"services": {"app": {"command": "serve"}}, **data}
    assert parse(yaml.safe_dump(whole), "block", directory=tmp_path, variables={"ECLUSE_TOKEN": "secret"}).services
