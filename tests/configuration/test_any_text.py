"""Whatever a file holds, the reader either makes a configuration of it or says what is wrong."""

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from autoscaler.cluster.engine import Clone, Labelled, Source, SwarmService
from sidecar.configuration import ConfigurationErrors, load, parse
from sidecar.configuration.base import Model, hpa_spelling
from sidecar.configuration.labels import KEYS as LABELS
from sidecar.configuration.labels import service_of
from sidecar.configuration.shapes import Json

REFERENCE = (Path(__file__).parents[2] / "examples" / "reference.yaml").read_text()


def every_model(model: type[Model]) -> set[type[Model]]:
    return {model}.union(*(every_model(below) for below in model.__subclasses__()))


KEYS = sorted({spelled for model in every_model(Model) for key in model.model_fields for spelled in (key, hpa_spelling(key))})
WORDS = [
    "",
    "0",
    "1",
    "-1",
    "30s",
    "70%",
    "latency",
    "concurrency",
    "http",
    "docker",
    "swarm",
    "unix:///a",
    "tcp://a",
    "./a:/b",
    "false",
    "8080",
    "/",
    "*",
    "[::1]:80",
    "${A}",
    "$$",
    "\0",
    "\ud800",
]
SCALARS = st.sampled_from(WORDS) | st.text(max_size=8) | st.none() | st.integers() | st.booleans() | st.floats()
VALUES: SearchStrategy[Json] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4), max_leaves=20
)
UNHURRIED = settings(deadline=None)  # the machine may be busy


def read(text: str) -> None:
    """Anything that is raised must be about the configuration."""
    with suppress(ConfigurationErrors):
        parse(text, "f", variables={"B": "\ud800"})


@UNHURRIED
@given(st.text())
def test_any_text(text: str) -> None:
    read(text)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_any_values_under_keys_that_exist(top: dict[str, Json], service: dict[str, Json]) -> None:
    read(yaml.safe_dump({**top, "services": {"a": service, "b": top}}))


NAMES = st.lists(st.sampled_from([*LABELS, *KEYS, "0", "1", ""]), min_size=1, max_size=5).map(".".join)
FLOW = VALUES.map(lambda value: yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n"))


@UNHURRIED
@given(
    st.dictionaries(NAMES.map("ecluse.{}".format), st.sampled_from(WORDS) | FLOW | st.text(max_size=8), max_size=6),
    st.sampled_from([Clone("web"), SwarmService("web"), Labelled("web")]),
)
def test_any_labels(labels: dict[str, str], source: Source) -> None:
    with suppress(ConfigurationErrors):
        service_of(labels, "web", "docker", source, cores=1)


@UNHURRIED
@given(st.integers(0, len(REFERENCE)), st.integers(0, 40), st.text(alphabet="{}[]:,-&*!|>'\"#%@`$\t\n aA0~<\\x", max_size=6))
def test_any_change_to_a_right_file(start: int, length: int, put: str) -> None:
    read(REFERENCE[:start] + put + REFERENCE[start + length :])


@UNHURRIED
@given(octets=st.binary(max_size=64))
def test_any_octets(tmp_path_factory: pytest.TempPathFactory, octets: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(octets)
    with suppress(ConfigurationErrors):
        load(file)
