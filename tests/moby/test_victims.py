"""Which slots Swarm removes first. What real Swarms removed is compared with this in tests/cluster/test_swarm.py."""

import pytest

from autoscaler.cluster.swarm.tasks import Task, TaskState
from autoscaler.cluster.swarm.victims import removal_order, slots
from tests.moby.tasks import REMOVE, RUNNING, SHUTDOWN, spread, task

PENDING, READY, STARTING = TaskState.PENDING, TaskState.READY, TaskState.STARTING


@pytest.mark.parametrize(
    ("tasks", "first_to_go"),
    [
        pytest.param(spread(3, 1), [3, 2, 1], id="on one machine the highest slot goes first"),
        pytest.param(spread(5, 2), [5, 4, 3, 2, 1], id="evenly spread tasks go in the order of their slots, too"),
        pytest.param(
            [task(1, "a"), task(2, "a"), task(3, "a"), task(4, "b")], [3, 2, 4, 1], id="the fullest machine loses one first"
        ),
        pytest.param(
            [task(1, "a", STARTING), task(2, "a"), task(3, "b")],
            [1, 3, 2],
            id="on one machine a starting task goes before a running one",
        ),
        pytest.param(
            [task(1, "a"), task(2, "b", STARTING), task(3, "c")],
            [2, 3, 1],
            id="among firsts of their machines one that only starts goes first",
        ),
        pytest.param([task(1, "", PENDING), task(2), task(3)], [1, 3, 2], id="a task without a machine goes before all others"),
        pytest.param(
            [task(1), task(2), task(1, id="new", state=STARTING)],
            [1, 2],
            id="so does a slot with two tasks, in the middle of an update",
        ),
        pytest.param(
            [task(1), task(2), task(3, desired=SHUTDOWN), task(4, desired=REMOVE)],
            [2, 1],
            id="what Swarm stops already counts no more",
        ),
        pytest.param(
            [task(1), task(2, state=TaskState.FAILED, desired=SHUTDOWN), task(2, id="new", state=READY, desired=READY)],
            [2, 1],
            id="a task that waits to be started again holds its slot",
        ),
        pytest.param([], [], id="of nothing nothing goes"),
    ],
)
def test_swarm_removes(tasks: list[Task], first_to_go: list[int]) -> None:
    assert [slot[0].slot for slot in removal_order(slots(tasks))] == first_to_go


def test_from_thirteen_tasks_on_equals_go_as_gos_sort_leaves_them_and_not_by_their_slots() -> None:
    tasks = [task(slot, "a" if slot < 9 else "b" if slot < 14 else "c") for slot in range(1, 17)]
    assert [slot[0].slot for slot in removal_order(slots(tasks))] == [8, 7, 6, 13, 5, 4, 12, 11, 16, 3, 10, 15, 2, 9, 14, 1]


def test_a_global_service_has_a_slot_on_each_machine() -> None:
    assert len(slots([task(0, "a", id="x"), task(0, "b", id="y"), task(0, "b", RUNNING, SHUTDOWN, id="z")])) == 2
