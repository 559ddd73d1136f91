"""A toy of a Swarm's manager for virtual time: it does at once what is asked, as a real one would, or goes wrong as the test says.

What a real Swarm does is met in test_real.py; here is what one cannot be made to do on demand: an answer that is lost, another victim
than expected, a policy that makes no more tasks.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from autoscaler.cluster.engine import Image, InstanceSpec, SwarmService
from autoscaler.cluster.moby.api import MobyError
from autoscaler.cluster.moby.where import Where
from autoscaler.cluster.swarm.engine import Swarm
from autoscaler.cluster.swarm.tasks import Json, read_task
from autoscaler.cluster.swarm.victims import removal_order, slots
from tests.support import in_virtual_time

T = TypeVar("T")

ANSWER_S = 0.01
START_S = 0.5
MACHINES = ("one", "two", "three")
SHOP = InstanceSpec("shop", source=SwarmService("web", 80))
STALE = "rpc error: code = Unknown desc = update out of sequence"


class Toy:
    """One manager, and a service "web" if there is one. Its methods are those of `Api`.

    making: whether it makes the tasks that its count asks for. chooses: which tasks it removes, the first to go first. lost: so many
    answers to updates are lost after they were carried out. room: tasks that find a machine. stop_s: what a task takes to end.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.where = Where("tcp://toy:2375")
        self.service: Json | None = None
        self.tasks_: list[Json] = []
        self.updates: list[int] = []
        self.making = True
        self.chooses: Callable[[Sequence[str]], Sequence[str]] = lambda order: order
        self.lost = 0
        self.room = 1000
        self.stop_s = 1.0
        self.down: set[str] = set()
        self._made = 0

    def create(self, replicas: int, **spec: Any) -> None:
        """As by `docker service create`."""
        self.create_service(
            {
                "Name": "web",
                "TaskTemplate": {"ContainerSpec": {"Image": "app:1"}},
                "Mode": {"Replicated": {"Replicas": replicas}},
                **spec,
            }
        )

    def scale(self, replicas: int) -> None:
        """As by `docker service scale`."""
        assert self.service
        self.service["Spec"] = {**self.service["Spec"], "Mode": {"Replicated": {"Replicas": replicas}}}
        self.service["Version"] = {"Index": self.service["Version"]["Index"] + 1}
        self._keep()

    def update(self, state: str) -> None:
        """A rolling update is so."""
        assert self.service
        self.service["UpdateStatus"] = {"State": state, "Message": "because of a test"}

    def fail(self, task_id: str) -> None:
        """A task ends by itself, and another one takes its slot."""
        task = next(task for task in self.tasks_ if task["ID"] == task_id)
        task["Status"], task["DesiredState"] = {"State": "failed", "Err": "task: non-zero exit (3)"}, "shutdown"
        self._make(task["Slot"])

    # What `Api` has

    def version(self) -> Json:
        return {"GoVersion": "go1.19.8"}

    def services(self, filters: dict[str, list[str]]) -> list[Json]:
        return [dict(self.service)] if self.service else []

    def nodes(self) -> list[Json]:
        return [
            {
                "ID": name,
                "Description": {"Hostname": name},
                "Status": {"State": "down" if name in self.down else "ready", "Addr": "10.1.0.1"},
            }
            for name in MACHINES
        ]

    def tasks(self, filters: dict[str, list[str]]) -> list[Json]:
        self._pass_time()
        return [dict(task) for task in self.tasks_]

    def create_service(self, spec: Json) -> str:
        if self.service:
            raise MobyError("name conflicts with an existing object", 409)
        self.service = {"ID": "s1", "Version": {"Index": 10}, "Spec": spec}
        self._keep()
        return "s1"

    def update_service(self, service: str, version: int, spec: Json, image: str = "") -> None:
        assert self.service
        if version != self.service["Version"]["Index"]:
            raise MobyError(STALE, 500)
        self.updates.append(spec["Mode"]["Replicated"]["Replicas"])
        self.service = {**self.service, "Version": {"Index": version + 1}, "Spec": spec}
        self._keep()
        if self.lost:
            self.lost -= 1
            raise MobyError("no answer", 0)

    def remove_service(self, service: str) -> None:
        self.service, self.tasks_ = None, []

    # What a Swarm does

    def _keep(self) -> None:
        assert self.service
        replicas = self.service["Spec"]["Mode"].get("Replicated", {"Replicas": 0})["Replicas"]
        wanted = slots([read_task(task) for task in self.tasks_])
        order = self.chooses([slot[0].id for slot in removal_order(wanted)])
        for task in self.tasks_:
            if task["ID"] in order[: max(0, len(wanted) - replicas)]:
                task["DesiredState"], task["ends"] = "remove", self.clock() + self.stop_s
        for _ in range(replicas - len(wanted) if self.making else 0):
            self._make(1 + max((task["Slot"] for task in self.tasks_), default=0))

    def _make(self, slot: int) -> None:
        self._made += 1
        placed = self._made <= self.room
        self.tasks_.append(
            {
                "ID": f"t{self._made}",
                "CreatedAt": f"2026-11-25T01:00:{self._made % 60:02}.{self._made:06}Z",
                "ServiceID": "s1",
                "Slot": slot,
                "NodeID": MACHINES[self._made % 3] if placed else "",
                "Status": {"State": "pending", "Err": "" if placed else "no suitable node (insufficient resources on 3 nodes)"},
                "DesiredState": "running",
                "begins": self.clock() + START_S if placed else float("inf"),
            }
        )

    def _pass_time(self) -> None:
        for task in self.tasks_:
            if task["Status"]["State"] == "pending" and self.clock() >= task["begins"]:
                ports = [{"TargetPort": 80, "PublishedPort": 32000 + int(task["ID"][1:]), "PublishMode": "host"}]
                task["Status"] = {"State": "running", "PortStatus": {"Ports": ports}}
        self.tasks_ = [task for task in self.tasks_ if self.clock() < task.get("ends", float("inf"))]


class ToyLink:
    """As `Link`: asks again while the manager is away, here once only. away: it does not answer."""

    def __init__(self, toy: Toy) -> None:
        self.trouble = ""
        self.away = False
        self._toy = toy

    async def ask(self, use: Callable[[Any], T], patience_s: float = 0.0, answer_s: float = 0.0) -> T:
        await asyncio.sleep(ANSWER_S)
        try:
            return self._once(use)
        except MobyError as error:
            if not error.away:
                raise
            await asyncio.sleep(ANSWER_S)
            return self._once(use)

    def _once(self, use: Callable[[Any], T]) -> T:
        if self.away:
            raise MobyError("no answer from the toy", 0)
        return use(self._toy)


@dataclass
class Yard:
    """The engine under test, over a toy. told: (service, kind) of what it told; words: the last message of each kind."""

    toy: Toy
    link: ToyLink
    swarm: Swarm
    told: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    hears: Callable[[str], None] = lambda service: None

    async def ids(self) -> list[str]:
        """The short ids of the instances that count, oldest first."""
        counting = {"pending", "running", "backoff"}
        return [one.id for one in await self.swarm.list("shop") if one.status in counting]

    async def start(self, count: int = 1) -> list[str]:
        """So many starts at the same moment."""
        return [one.id for one in await asyncio.gather(*(self.swarm.start(SHOP) for _ in range(count)))]

    def stop(self, *ids: str) -> "list[asyncio.Task[None]]":
        """Stops under way."""
        return [asyncio.create_task(self.swarm.stop(one, 10.0)) for one in ids]

    def changed(self, service: str) -> None:
        self.changes.append(service)
        self.hears(service)

    def tell(self, service: str, kind: str, message: str) -> None:
        self.told.append(kind)
        self.words[kind] = message


Story = Callable[[Yard], Coroutine[object, object, None]]


def play(story: Story, replicas: int | None = 3, spec: InstanceSpec = SHOP, **given: Any) -> None:
    """Tell a story of a service that has so many replicas (None: it is not there). It begins when the engine has seen them run."""

    async def whole() -> None:
        clock = asyncio.get_running_loop().time
        toy = Toy(clock)
        link = ToyLink(toy)
        if replicas is not None:
            toy.create(replicas, **given)
        yard = Yard(toy, link, Swarm(link, "lock", clock=clock, wall=lambda: 1795568400.0 + clock(), attached=lambda cidr: False))
        await yard.swarm.open(yard.changed, yard.tell)
        yard.swarm.declare(spec)
        await asyncio.sleep(3.0)
        try:
            await story(yard)
        finally:
            await yard.swarm.close()

    in_virtual_time(whole)


IMAGE = InstanceSpec("web", source=Image("app:1", port=80))
