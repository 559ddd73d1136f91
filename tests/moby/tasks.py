"""Tasks for tables: only what a test is about is written down."""

from typing import Any

from autoscaler.cluster.swarm.tasks import Task, TaskState

RUNNING, SHUTDOWN, REMOVE = TaskState.RUNNING, TaskState.SHUTDOWN, TaskState.REMOVE


def task(slot: int, machine: str = "one", state: TaskState = RUNNING, desired: TaskState = RUNNING, **more: Any) -> Task:
    """A task of service "s1". Its id is T and its slot, unless the test says otherwise."""
    return Task(
        **{"id": f"T{slot}", "service_id": "s1", "slot": slot, "machine": machine, "state": state, "desired": desired, **more}
    )


def spread(count: int, machines: int) -> list[Task]:
    """Running tasks, one machine after the other."""
    return [task(slot, f"m{slot % machines}") for slot in range(1, count + 1)]
