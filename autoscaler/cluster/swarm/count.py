"""The one place that writes a Swarm service's number of replicas: from starts and stops that are asked for to as few updates as will do.

A start raises the count, unless Swarm is about to make a task anyway or a stop waits to be taken back. A stop waits until it
belongs to the first ones in Swarm's own order of removal; then the count is lowered, and what Swarm removed is compared with what was
expected. Invariants: one update at a time, of what was read just before it; nothing of a service but its count is changed; whoever waits
is answered within a limit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from autoscaler.cluster.engine import EngineError, Instance, InstanceStatus
from autoscaler.cluster.swarm.picture import Picture, first_marked, overtaken, slot_of, slots_of
from autoscaler.cluster.swarm.tasks import ServiceState
from autoscaler.cluster.swarm.waiting import Endings, Start, Stop, answer, refuse

GATHER_S = 0.02  # in which starts and stops come together that belong to one decision
SOON_S = 0.1  # between looks while something is under way
MAKE_S = 15.0  # for a new task to be there; most are within 0.1 s
REMOVE_S = 10.0  # for Swarm to say which tasks it removes; most of the time 0.1 s
MARK_S = 120.0  # a stop that is not the next one's turn by then is given up
STOP_MARGIN_S = 20.0  # beyond a service's own grace, for a task to end

_HERE = frozenset({InstanceStatus.PENDING, InstanceStatus.RUNNING, InstanceStatus.BACKOFF})


@dataclass(frozen=True, slots=True)
class Means:
    """What a count works with. Everything asynchronous raises EngineError.

    fresh: how things are now. write: (service as read, replicas); whether it was done, which it is not if somebody else came first.
    make: a service with so many replicas, where there is none. usable: the service if it may be scaled up, None if it is to be made
    first; raises EngineError. judged: so many removals were as expected, so many were not. clock: CLOCK_MONOTONIC seconds.
    """

    fresh: Callable[[], Awaitable[Picture]]
    write: Callable[[ServiceState, int], Awaitable[bool]]
    make: Callable[[int], Awaitable[None]]
    usable: Callable[[Picture], ServiceState | None]
    tell: Callable[[str, str], None]
    judged: Callable[[int, int], None]
    clock: Callable[[], float]


class Count:
    """One service's count. `run` works until it is cancelled; `seen` has to be called with each new picture.

    told: the ids that whoever asks has been told of; a start gives none of them. None: he has not asked yet, and means all there are.
    """

    def __init__(self, means: Means) -> None:
        self._means = means
        self.told: Collection[str] | None = None
        self._picture = Picture()
        self._starts: list[Start] = []
        self._marked: dict[str, Stop] = {}
        self._endings = Endings()
        self._given: set[str] = set()
        self._woken = asyncio.Event()
        self._working = False

    @property
    def busy(self) -> bool:
        """Whether something is under way that the next looks will show."""
        return self._working or bool(self._starts) or bool(self._endings)

    async def start(self) -> Instance:
        """One more instance. Raises EngineError."""
        known = self._picture.order if self.told is None else self.told
        start = Start(set(known), asyncio.get_running_loop().create_future())
        self._starts.append(start)
        self._woken.set()
        return await start.future

    async def stop(self, instance_id: str) -> None:
        """Returns when it is gone, or is not to go any more. Raises EngineError."""
        stop = Stop(self._ahead(instance_id), self._means.clock() + MARK_S, asyncio.get_running_loop().create_future())
        self._marked[instance_id] = stop
        self._woken.set()
        if await stop.future:
            self._forget(instance_id)

    def seen(self, picture: Picture) -> None:
        """How things are now."""
        before, self._picture = self._picture, picture
        self._given &= set(picture.order)
        for instance_id in [one for one in self._marked if one not in picture.order]:
            self._endings.add(instance_id, self._marked.pop(instance_id).future, self._means.clock() + _longest_s(picture))
        self._endings.look(picture, self._means.clock())
        if self._marked and (before.order != picture.order or before.service != picture.service or self._overdue()):
            self._woken.set()

    async def run(self) -> None:
        """Do what is asked for, one update after the other."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            await asyncio.sleep(GATHER_S)
            self._working = True
            try:
                await self._work()
            except EngineError as error:
                self._fail(error)
            finally:
                self._working = False

    async def _work(self) -> None:
        picture = await self._means.fresh()
        self._take_back(picture)
        if self._starts:
            await self._raise()
        elif self._marked:
            await self._lower(picture)

    # Up

    def _take_back(self, picture: Picture) -> None:
        """What was to go stays instead, the last to go first."""
        marked = [instance_id for instance_id in reversed(picture.order) if instance_id in self._marked]
        self._starts = [start for start in self._starts if not start.future.done()]
        for instance_id, start in zip(marked, list(self._starts), strict=False):
            instance = picture.find(instance_id)
            if instance and instance.status in _HERE:
                self._starts.remove(start)
                self._given.add(instance_id)
                self._release(instance_id, given=True)
                answer(start.future, instance)

    async def _raise(self) -> None:
        starts, self._starts = self._starts, []
        known = starts[0].known | self._given
        until_s = self._means.clock() + MAKE_S
        try:
            while starts:
                picture = await self._means.fresh()
                known |= self._hand_out(starts, [one for one in picture.instances if one.status in _HERE and one.id not in known])
                if starts and self._means.clock() > until_s:
                    raise EngineError(_not_made(picture))
                if starts:
                    await self._ask_for(len(starts), picture)
        except EngineError as error:
            for start in starts:
                refuse(start.future, error)
        if self._marked or self._starts:
            self._woken.set()

    def _hand_out(self, starts: list[Start], new: Sequence[Instance]) -> set[str]:
        """Each start gets one of the new instances, as far as they go. The ids of those."""
        given = new[: len(starts)]
        for instance in given:
            answer(starts.pop(0).future, instance)
        self._given |= {instance.id for instance in given}
        return {instance.id for instance in given}

    async def _ask_for(self, count: int, picture: Picture) -> None:
        """What Swarm is about to make by itself is not asked for again."""
        service = self._means.usable(picture)
        if service is None:
            return await self._means.make(count)
        replicas = service.replicas or 0
        short = count - max(0, replicas - len(picture.order))
        if short <= 0 or not await self._means.write(service, replicas + short):
            await asyncio.sleep(SOON_S)
        return None

    # Down

    async def _lower(self, picture: Picture) -> None:
        service = picture.service
        if service is None or service.replicas is None:
            self._give_up(list(self._marked), "its service is not one whose replicas are counted")
        elif service.updating or service.paused:
            self._give_up(list(self._marked), "Swarm updates the service, and no replica is removed until that has ended")
        elif len(picture.order) == service.replicas:  # else Swarm is at work on its own, and the next look shows what came of it
            first = first_marked(picture.order, self._marked)
            if first and await self._means.write(service, service.replicas - len(first)):
                await self._compare(picture, first)
            elif first:
                self._woken.set()
        self._give_up(
            overtaken(self._picture.order, {one: stop.ahead for one, stop in self._marked.items()}),
            "Swarm would now remove others before it",
        )
        self._give_up(self._overdue(), f"it was not its turn within {MARK_S:g} s")

    async def _compare(self, before: Picture, expected: Sequence[str]) -> None:
        """What Swarm removed with what was expected."""
        until_s = self._means.clock() + REMOVE_S
        while len(removed := slots_of(before.order) - slots_of((await self._means.fresh()).order)) < len(expected):
            if self._means.clock() > until_s:
                break
            await asyncio.sleep(SOON_S)
        missed = removed - slots_of(expected)
        self._means.judged(len(removed - missed), len(missed))
        if missed:
            others = ", ".join(sorted(one for one in before.order if slot_of(one) in missed))
            self._means.tell("prediction_missed", f"Swarm removed {others} without a drain, not {', '.join(expected)}")
        for instance_id in expected:
            if slot_of(instance_id) not in removed:
                self._release(instance_id)

    def _overdue(self) -> list[str]:
        now_s = self._means.clock()
        return [instance_id for instance_id, stop in self._marked.items() if now_s > stop.until_s]

    def _ahead(self, instance_id: str) -> frozenset[str]:
        return frozenset(slots_of(takewhile(lambda one: one != instance_id, self._picture.order)))

    # Answers

    def _give_up(self, ids: Iterable[str], why: str) -> None:
        for instance_id in ids:
            self._means.tell("taken_back", f"{instance_id} stays: {why}")
            self._release(instance_id)

    def _release(self, instance_id: str, given: bool = False) -> None:
        """It stays. given: to a start."""
        if stop := self._marked.pop(instance_id, None):
            answer(stop.future, not given)

    def _forget(self, instance_id: str) -> None:
        """It stays, but from now on it is gone to whoever asked for its end: it may be what he is given for his next start."""
        self.told = None if self.told is None else {*self.told} - {instance_id}
        self._given.discard(instance_id)
        for start in self._starts:
            start.known.discard(instance_id)

    def _fail(self, error: EngineError) -> None:
        """Whoever waits may ask again."""
        starts, self._starts = self._starts, []
        stops, self._marked = self._marked, {}
        for start in starts:
            refuse(start.future, error)
        for stop in stops.values():
            refuse(stop.future, error)


def _longest_s(picture: Picture) -> float:
    """For a task of it to end."""
    return STOP_MARGIN_S + (picture.service.stop_grace_s if picture.service else 0.0)


def _not_made(picture: Picture) -> str:
    service = picture.service
    name, replicas = (service.name, service.replicas) if service else ("the service", 0)
    return f"Swarm keeps {len(picture.order)} of the {replicas} tasks of {name} that it was told to; does its restart policy forbid more?"
