"""One Swarm service at one moment, and whose turn it is in Swarm's order of removal. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from autoscaler.cluster.engine import Instance, InstanceStatus
from autoscaler.cluster.swarm.tasks import ServiceState


@dataclass(frozen=True, slots=True)
class Picture:
    """One service at one moment. service: None if there is none. order: the ids that count, in Swarm's order of removal."""

    service: ServiceState | None = None
    instances: tuple[Instance, ...] = ()
    order: tuple[str, ...] = ()

    def find(self, instance_id: str) -> Instance | None:
        """One of the instances."""
        return next((instance for instance in self.instances if instance.id == instance_id), None)

    def there(self, instance_id: str) -> bool:
        """Whether it has not ended yet."""
        instance = self.find(instance_id)
        return instance is not None and instance.status is not InstanceStatus.EXITED


def first_marked(order: Sequence[str], marked: Collection[str]) -> list[str]:
    """Those marked that Swarm removes if it removes as many."""
    return list(takewhile(marked.__contains__, order))


def overtaken(order: Sequence[str], marked: Mapping[str, Collection[str]]) -> list[str]:
    """Those marked that others go before which did not at first. marked: the slots that were to go before each."""
    found = []
    for place, instance_id in enumerate(order):
        if instance_id in marked and slots_of(order[:place]) - slots_of(marked) - set(marked[instance_id]):
            found.append(instance_id)
    return found


def slot_of(instance_id: str) -> str:
    """What stays the same when a task is replaced: an instance's id without the task's."""
    return instance_id.rpartition(".")[0]


def slots_of(ids: Iterable[str]) -> set[str]:
    """The slots of instances."""
    return {slot_of(instance_id) for instance_id in ids}
