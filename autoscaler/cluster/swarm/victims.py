"""Which tasks Swarm will remove when a service's count is lowered, and in which order. Pure.

Swarm does not say, but it does the same each time (read from what it did, and checked on real Swarms by tests/cluster): slots
with a running task before those without, each by its number; each slot numbered as the n-th of its machine; sorted by that number
with Go's own sort; removed from the end. So the machine with the most tasks loses one first. A slot that holds two tasks (in the
middle of an update) or whose task has no machine yet counts as the last of all.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from autoscaler.cluster.swarm.gosort import go_sorted
from autoscaler.cluster.swarm.tasks import Task, TaskState

Slot = Sequence[Task]


def slots(tasks: Iterable[Task]) -> list[Slot]:
    """The tasks that Swarm wants, those of one slot together (of a global service: of one machine).

    There are as many as the service has replicas, but for moments.
    """
    found: defaultdict[tuple[int, str], list[Task]] = defaultdict(list)
    for task in tasks:
        if task.wanted:
            found[task.slot, "" if task.slot else task.machine].append(task)
    return [found[key] for key in sorted(found)]


def removal_order(found: Sequence[Slot], since_1_24: bool = False) -> list[Slot]:
    """The slots in the order in which Swarm removes them, the first to go first. since_1_24: as for `go_sorted`."""
    in_order = sorted(found, key=lambda slot: (not _runs(slot), slot[0].slot))
    copies: Counter[str] = Counter()
    numbers = [_number(slot, copies) for slot in in_order]
    return [in_order[place] for place in reversed(go_sorted(numbers, since_1_24))]


def _number(slot: Slot, copies: Counter[str]) -> float:
    if len(slot) > 1 or not slot[0].machine:
        return math.inf
    copies[slot[0].machine] += 1
    return copies[slot[0].machine]


def _runs(slot: Slot) -> bool:
    return any(task.state is TaskState.RUNNING for task in slot)
