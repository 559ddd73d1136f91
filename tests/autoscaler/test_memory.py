"""What is remembered from one decision to the next, and for how long."""

from autoscaler.memory import CHANGES, Mark, Memory, within


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
