"""Snapshots as JSON: what is written reads back the same, short forms mean what they say, and what is wrong is said where."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from autoscaler.rules import Pause
from autoscaler.snapshot import Allowance, Forecast, Performance, ReplicaSample, Sample, Snapshot
from balancer.table import ReplicaState
from sidecar.deciding.exchange import NotASnapshot, read, snapshot_of, written
from sidecar.deciding.schema import main, schema
from tests.autoscaler.test_properties import MANY, SNAPSHOTS

FULL = Snapshot(
    3.0,
    "shop",
    4,
    (ReplicaSample("a", ReplicaState.EJECTED, 9.0, {"cpu": Sample(0.5, 0.9)}),),
    backlog=Sample(2.0, 5.0),
    seen_s=12.0,
    full="no memory is left",
    wall_s=1e9,
    values={"jobs": 7.0},
    missing={"prometheus": "it does not answer"},
    pause=Pause.DOWN,
    start_s=8.0,
    forecasts={"rps": Forecast(90.0, 70.0, None)},
    performance=Performance(10.0, 3.0, 50.0, 500, 0.01, None),
    allowance=Allowance(3, "the budget leaves 3"),
)


def back(snapshot: Snapshot) -> Snapshot:
    return snapshot_of(read(json.dumps(written(snapshot))), None)


@given(SNAPSHOTS)
@settings(MANY)
def test_what_is_written_reads_back_the_same(snapshot: Snapshot) -> None:
    assert back(snapshot) == snapshot


def test_every_field_comes_back() -> None:
    assert back(FULL) == FULL


@given(SNAPSHOTS)
@settings(MANY, max_examples=10)
def test_what_is_written_is_what_the_schema_says(snapshot: Snapshot) -> None:
    Draft202012Validator(schema()).validate(json.loads(json.dumps(written(snapshot))))


def test_the_published_schema_is_current() -> None:
    assert main(["--check"]) == 0


@pytest.mark.parametrize(
    ("given", "asked", "replicas", "desired"),
    [
        pytest.param({"load": {"rps": 90}}, 3, [30.0] * 3, 3, id="the load is shared by all that were asked for"),
        pytest.param({"load": {"rps": 90}}, None, [90.0], 1, id="one at the beginning"),
        pytest.param({"ready": 2, "load": {"rps": 90}}, 3, [45.0] * 2, 3, id="or by the ready ones"),
        pytest.param({"starting": 1, "load": {"rps": 90}}, 3, [45.0, 45.0, None], 3, id="those on their way carry nothing"),
        pytest.param({"ready": 2, "each": {"rps": 9}}, None, [9.0] * 2, 2, id="each carries so much"),
        pytest.param({"desired": 5, "ready": 2, "each": {"rps": 9}}, 3, [9.0] * 2, 5, id="what is given as desired counts"),
        pytest.param({"ready": 0, "load": {"rps": 90}}, 1, [], 1, id="none carries nothing"),
    ],
)
def test_short_forms(given: dict[str, Any], asked: int | None, replicas: list[float | None], desired: int) -> None:
    found = snapshot_of(read(json.dumps({"now_s": 0, **given})), asked)
    carried = [replica.samples["rps"].stable if replica.samples else None for replica in found.replicas]
    assert (carried, found.desired, found.seen_s) == (replicas, desired, math.inf)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "is not JSON: EOF while parsing an object at line 1 column 1", id="no JSON"),
        pytest.param("[]", "Input should be an object", id="no object"),
        pytest.param('{"desired": 1}', "now_s: is needed", id="no time"),
        pytest.param(
            '{"now_s": 0, "replcas": []}', "replcas: unknown key; did you mean replicas?", id="a key that is nearly one"
        ),
        pytest.param(
            '{"now_s": 0, "replicas": [{"id": "a", "state": "UP"}]}',
            "replicas.0.state: Input should be 'starting', 'ready', 'ejected', 'draining' or 'gone'; got \"UP\"",
            id="no such state",
        ),
        pytest.param(
            '{"now_s": 0, "ready": -1}', "ready: Input should be greater than or equal to 0; got -1", id="fewer than none"
        ),
        pytest.param('{"now_s": 0, "ready": 1, "replicas": []}', "give replicas, or ready; not both", id="both forms"),
        pytest.param(
            '{"now_s": 0, "load": {"rps": 1}, "each": {"rps": 1}}', "rps stands in load and in each; give one of them", id="twice"
        ),
        pytest.param('{"now_s": NaN}', "now_s: Input should be a finite number; got NaN", id="no number"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(NotASnapshot) as error:
        read(text)
    assert str(error.value) == message
