"""From tasks to instances: each slot counts once, whatever happens in it."""

import pytest

from autoscaler.cluster.engine import Instance
from autoscaler.cluster.swarm.shown import Showing, instances
from autoscaler.cluster.swarm.tasks import MachineState, Task, TaskState
from autoscaler.cluster.swarm.ways import Reach
from tests.moby.tasks import REMOVE, RUNNING, SHUTDOWN, task

FAILED, PENDING, READY, STARTING = TaskState.FAILED, TaskState.PENDING, TaskState.READY, TaskState.STARTING
MACHINES = {"one": MachineState("one", "alpha", True, "10.1.0.1"), "lost": MachineState("lost", "omega", False, "10.1.0.2")}


def shown(tasks: list[Task], reach: Reach = Reach("10.0.1.7:80", "over a network")) -> list[Instance]:  # noqa: B008 - frozen
    return instances(tasks, Showing("web", MACHINES, lambda task: reach, lambda task: task.created_s))


def failed(number: int) -> Task:
    return task(1, id=f"F{number}", state=FAILED, desired=SHUTDOWN, words="task: non-zero exit (3)", created_s=float(number))


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        pytest.param([task(1)], ["T1 running"], id="a running task runs"),
        pytest.param([task(1, "", PENDING)], ["T1 pending"], id="one that waits for a machine is pending"),
        pytest.param([task(1, state=READY, desired=READY)], ["T1 pending"], id="so is one whose turn has not come"),
        pytest.param([task(1, state=FAILED)], ["T1 backoff"], id="one that failed is backing off until Swarm gives up on it"),
        pytest.param([task(1, desired=SHUTDOWN)], ["T1 stopping"], id="one that is told to shut down is stopping"),
        pytest.param([task(1, desired=REMOVE)], ["T1 stopping"], id="so is one that is removed"),
        pytest.param([task(1, state=SHUTDOWN, desired=REMOVE)], ["T1 exited"], id="until it has ended"),
        pytest.param([task(1, state=PENDING, desired=REMOVE)], [], id="one that never started needs no goodbye"),
        pytest.param(
            [task(1, desired=SHUTDOWN), task(1, id="N", state=READY, desired=READY, created_s=1.0)],
            ["T1 stopping", "N pending"],
            id="of an update that stops first the new task counts",
        ),
        pytest.param(
            [task(1), task(1, id="N", state=STARTING, created_s=1.0)],
            ["T1 running"],
            id="of an update that starts first the old one counts while the new one starts",
        ),
        pytest.param(
            [task(1), task(1, id="N", created_s=1.0)], ["T1 stopping", "N running"], id="and the new one as soon as it runs"
        ),
        pytest.param([task(1, "lost")], ["T1 stopping"], id="on a machine that is down a task is as good as stopping"),
        pytest.param(
            [task(1, "lost", desired=SHUTDOWN), task(1, id="N", created_s=1.0)],
            ["T1 exited", "N running"],
            id="and gone as soon as it is replaced",
        ),
        pytest.param([task(2, created_s=2.0), task(1, created_s=3.0)], ["T2 running", "T1 running"], id="the oldest comes first"),
    ],
)
def test_of_tasks_a_fleet_sees(tasks: list[Task], expected: list[str]) -> None:
    assert [f"{one.id.split('.')[2]} {one.status}" for one in shown(tasks)] == expected


def test_a_task_that_no_request_can_reach_is_pending_and_says_why() -> None:
    (one,) = shown([task(1)], Reach("", "there is no way to its port 80"))
    assert (one.status, one.address, one.detail) == ("pending", "", "there is no way to its port 80")


def test_the_one_after_a_failure_says_what_the_failure_was() -> None:
    *_, waiting = shown([failed(1), task(1, id="N", state=READY, desired=READY, words="prepared", created_s=2.0)])
    assert waiting.detail == "prepared; the one before it failed: task: non-zero exit (3)"
    assert (waiting.restarts, waiting.crash_looping) == (1, False)


def test_three_failures_in_a_row_are_a_crash_loop() -> None:
    *_, last = shown([failed(1), failed(2), failed(3), task(1, id="N", created_s=4.0)])
    assert (last.restarts, last.crash_looping) == (3, True)


def test_failures_of_long_ago_are_forgiven() -> None:
    *_, last = shown([failed(1), failed(2), failed(3), task(1, id="N", created_s=500.0)])
    assert (last.restarts, last.crash_looping) == (0, False)


def test_ids_name_service_slot_and_task() -> None:
    (one,) = shown([task(3, id="ccu3j8fkgqlgv8ajabmwli18i", state=RUNNING)])
    assert one.id == "web.3.ccu3j8fkgqlg"
