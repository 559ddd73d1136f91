"""What is remembered from one decision to the next, and for how long."""

import json

import pytest

from autoscaler.memory import CHANGES, Mark, Memory, Trial, from_json, to_json, within

FULL = Memory(
    since_s=1.5,
    highs=(Mark(2.25, 7), Mark(3.0, 4)),
    lows=(Mark(3.0, 4),),
    changes=(Mark(2.0, 3), Mark(2.5, -1)),
    burst=Mark(2.75, 9),
    blind_since_s=2.9,
    trial=Trial(99.0, 0.4, 8, 2.5, failed=True),
)


@pytest.mark.parametrize("memory", [Memory(), FULL], ids=["a new one", "a full one"])
def test_a_memory_comes_back_from_json_as_it_was(memory: Memory) -> None:
    assert from_json(json.loads(json.dumps(to_json(memory)))) == memory


@pytest.mark.parametrize("broken", [{}, {"since_s": 1.0}, {**to_json(FULL), "highs": [{"at": 1}]}])
def test_other_data_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError)):
        from_json(broken)


def test_a_window_leaves_out_its_beginning_and_the_future() -> None:
    marks = tuple(Mark(at_s, 0) for at_s in (4.9, 5.0, 5.1, 10.0, 10.1))
    assert [mark.at_s for mark in within(marks, 10.0, 5.0)] == [5.1, 10.0]


def test_changes_beyond_the_bound_are_taken_together_and_none_is_lost() -> None:
    memory = Memory()
    for tenth in range(1000):
        memory = memory.change(Mark(tenth / 10, 1), 1800.0)
    assert len(memory.changes) == CHANGES
    assert sum(change.value for change in memory.changes) == 1000


def test_changes_older_than_every_period_are_forgotten() -> None:
    assert Memory(changes=(Mark(0.0, 5),)).change(Mark(60.0, 1), 60.0).changes == (Mark(60.0, 1),)
