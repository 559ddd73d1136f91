"""Frozen dataclasses through JSON and from one clock to another."""

import json
from typing import Any

import pytest

from autoscaler.memory import Learned, Mark, Memory, Trial
from autoscaler.portable import from_json, shifted, to_json

FULL = Memory(
    since_s=1.5,
    highs=(Mark(2.25, 7), Mark(3.0, 4)),
    lows=(Mark(3.0, 4),),
    changes=(Mark(2.0, 3), Mark(2.5, -1)),
    burst=Mark(2.75, 9),
    blind_since_s=2.9,
    trial=Trial(99.0, 0.4, 8, 2.5, failed=True),
    learned=Learned(7.5),
)


def written(memory: Memory) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(to_json(memory)))
    return data


@pytest.mark.parametrize("memory", [Memory(), FULL], ids=["a new one", "a full one"])
def test_a_memory_comes_back_from_json_as_it_was(memory: Memory) -> None:
    assert from_json(Memory, written(memory)) == memory


def test_what_an_earlier_version_did_not_write_has_its_default_and_what_a_later_one_added_is_passed_over() -> None:
    data = {"since_s": 1.5, "highs": [{"at_s": 2, "value": 7}], "moods": ["good"]}
    assert from_json(Memory, data) == Memory(since_s=1.5, highs=(Mark(2, 7),))


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param([], id="a list"),
        pytest.param({**written(FULL), "highs": [{"at_s": 1}]}, id="a mark without a value"),
        pytest.param({**written(FULL), "highs": 3}, id="no marks at all"),
        pytest.param({**written(FULL), "since_s": "1.5"}, id="a text for a time"),
    ],
)
def test_other_data_is_refused(broken: Any) -> None:
    with pytest.raises(TypeError):
        from_json(Memory, broken)


def test_another_clock_moves_moments_and_nothing_else() -> None:
    moved = shifted(FULL, 100.0)
    assert moved == Memory(
        since_s=101.5,
        highs=(Mark(102.25, 7), Mark(103.0, 4)),
        lows=(Mark(103.0, 4),),
        changes=(Mark(102.0, 3), Mark(102.5, -1)),
        burst=Mark(102.75, 9),
        blind_since_s=102.9,
        trial=Trial(99.0, 0.4, 8, 102.5, failed=True),  # 0.4 s is a latency
        learned=Learned(7.5),
    )
    assert shifted(Memory(), 100.0) == Memory()
