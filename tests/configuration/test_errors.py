"""Every mistake is named at its line and column, in words, and all of them at once."""

from pathlib import Path

import pytest

from sidecar.configuration import ConfigurationErrors, Problem, parse
from tests.configuration.bad import ALL, Bad
from tests.configuration.bad_scaling import SCALING


def said(text: str, directory: Path) -> list[str]:
    with pytest.raises(ConfigurationErrors) as caught:
        parse(text, "f.yaml", directory=directory, variables={})
    return str(caught.value).splitlines()


@pytest.mark.parametrize("bad", [*ALL, *SCALING], ids=lambda bad: bad.claim)
def test_each_mistake_is_named_at_its_place(bad: Bad, tmp_path: Path) -> None:
    lines = said(bad.text, tmp_path)
    expected = [f"f.yaml:{line}" for line in bad.said]
    shown = [line[: len(want) - 3] + "..." if want.endswith("...") else line for line, want in zip(lines, expected, strict=False)]
    assert shown + lines[len(expected) :] == expected


def test_a_mistake_in_a_merged_mapping_is_where_it_is_written(tmp_path: Path) -> None:
    text = """
x-probe: &probe
  interval: often
services:
  a: {command: a, probes: {readiness: {<<: *probe, path: /}}}
"""
    assert said(text, tmp_path) == [
        "f.yaml:3:13: services.a.probes.readiness.interval: must be a duration such as 30s, 5m or 250ms; got 'often'"
    ]


def test_a_missing_variable_is_named_and_hides_no_other_mistake(tmp_path: Path) -> None:
    text = """
workers: ${CORES}
services:
  a:
    command: app ${OPTIONS:?say how}
    routes: [{host: "${HOST}"}, {path: x}]
"""
    assert [line.partition("; ")[0] for line in said(text, tmp_path)] == [
        "f.yaml:2:10: workers: needs the environment variable CORES, which is not set",
        "f.yaml:5:14: services.a.command: needs the environment variable OPTIONS: say how",
        "f.yaml:6:21: services.a.routes[0].host: needs the environment variable HOST, which is not set",
        "f.yaml:6:40: services.a.routes[1].path: must be a path that begins with /, such as /api, in visible ASCII without ? and #",
    ]


def test_of_very_many_problems_the_first_hundred_are_printed_and_all_are_kept() -> None:
    errors = ConfigurationErrors([Problem("f", line, 1, "k", "m") for line in range(1, 151)])
    assert len(errors.problems) == 150
    assert str(errors).splitlines()[99:] == ["f:100:1: k: m", "... and 50 more"]
