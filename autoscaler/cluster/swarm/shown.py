"""From a service's tasks to the instances that a fleet sees. Pure.

Invariant: each slot that Swarm wants is one instance that counts (PENDING, RUNNING or BACKOFF), whatever happens in it: a task that is
being replaced must not look like one that is missing, or a fleet would start another. Only one whose machine is down counts no more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autoscaler.cluster.engine import Instance, InstanceStatus
from autoscaler.cluster.swarm.tasks import MachineState, Task, TaskState
from autoscaler.cluster.swarm.victims import Slot, slots
from autoscaler.cluster.swarm.ways import Reach

CRASH_WINDOW_S = 300.0  # failures of one slot that are further back are no part of a crash loop
CRASH_LOOP = 3  # failures within it

_BROKEN = frozenset({TaskState.FAILED, TaskState.REJECTED})


@dataclass(frozen=True, slots=True)
class Showing:
    """What the tasks of one service are shown by. service: the name that it has here. reach: where requests for a task go.

    since_s: CLOCK_MONOTONIC of a moment in seconds since the epoch. foreign: whether somebody else made the service.
    """

    service: str
    machines: Mapping[str, MachineState]
    reach: Callable[[Task], Reach]
    since_s: Callable[[Task], float]
    foreign: bool = True


def instances(tasks: Sequence[Task], showing: Showing) -> list[Instance]:
    """All that there are, oldest first; those that have ended as EXITED, for as long as Swarm remembers them."""
    shown: dict[str, Instance] = {}
    for slot in slots(tasks):
        task = counting(slot)
        shown[task.id] = _wanted(task, failures(task, tasks), showing)
        replaced = [other for other in slot if other is not task and other.state is TaskState.RUNNING]
        shown |= {other.id: _leaving(other, "is being replaced by an update", showing) for other in replaced}
    for task in tasks:
        if not task.wanted and (task.ended or task.state >= TaskState.STARTING):
            shown[task.id] = _leaving(task, "is being stopped by Swarm", showing)
    return [shown[task.id] for task in sorted(tasks, key=lambda task: (task.created_s, task.slot)) if task.id in shown]


def instance_id(service: str, task: Task) -> str:
    """The name of a task's instance."""
    return f"{service}.{task.slot or task.machine[:8]}.{task.id[:12]}"


def counting(slot: Slot) -> Task:
    """The one of a slot's tasks that stands for it: the newest that runs, else the newest."""
    running = [task for task in slot if task.state is TaskState.RUNNING]
    return max(running or slot, key=lambda task: task.created_s)


def failures(task: Task, tasks: Sequence[Task]) -> list[Task]:
    """The tasks that failed in its slot not long before it, oldest first."""
    before = [
        other
        for other in tasks
        if other.slot == task.slot
        and (task.slot or other.machine == task.machine)
        and other.state in _BROKEN
        and 0 <= task.created_s - other.created_s < CRASH_WINDOW_S
    ]
    return sorted(before, key=lambda other: other.created_s)


def _wanted(task: Task, failed: Sequence[Task], showing: Showing) -> Instance:
    if _down(task, showing):
        return _leaving(task, "", showing)
    found = showing.reach(task) if task.state is TaskState.RUNNING else Reach("", task.words)
    return Instance(
        instance_id(showing.service, task),
        showing.service,
        found.address,
        _status(task, found),
        showing.since_s(task),
        restarts=len(failed),
        crash_looping=len(failed) >= CRASH_LOOP,
        detail="" if found.address else _detail(task, found, failed),
        foreign=showing.foreign,
    )


def _status(task: Task, found: Reach) -> InstanceStatus:
    """One that runs where no request can get is not there yet."""
    if found.address:
        return InstanceStatus.RUNNING
    return InstanceStatus.BACKOFF if task.ended else InstanceStatus.PENDING


def _detail(task: Task, found: Reach, failed: Sequence[Task]) -> str:
    before = f"; the one before it failed: {failed[-1].words}" if failed and failed[-1] is not task else ""
    return f"{found.way}{before}"


def _leaving(task: Task, why: str, showing: Showing) -> Instance:
    """One that Swarm wants no more, or that is on a machine that is down: until it is replaced, that is as good as stopping."""
    gone = task.ended or (_down(task, showing) and not task.wanted)
    if _down(task, showing):
        why = f"its machine {showing.machines[task.machine].name} is down"
    return Instance(
        instance_id(showing.service, task),
        showing.service,
        "" if gone else showing.reach(task).address,
        InstanceStatus.EXITED if gone else InstanceStatus.STOPPING,
        showing.since_s(task),
        detail=task.words if task.ended else why,
        foreign=showing.foreign,
    )


def _down(task: Task, showing: Showing) -> bool:
    machine = showing.machines.get(task.machine)
    return machine is not None and not machine.up
