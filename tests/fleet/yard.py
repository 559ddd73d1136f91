"""A yard for fleets in virtual time: an engine, workers and an application whose every move the test makes.

The fake parts show what real ones cannot show on demand: an engine that fails, a worker that hangs, an application that is never
ready. The fleet, the registry and the prober are real. Real engines and workers are met in tests/controller.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from autoscaler.cluster.engine import (
    Changed,
    EngineError,
    Instance,
    InstanceSpec,
    InstanceStatus,
    NotHeardYet,
    Plain,
    Tell,
    silent,
)
from autoscaler.fleet import Fleet
from autoscaler.registry import FleetSettings, Surroundings
from autoscaler.slots import Slots
from balancer.scoreboard import ReplicaReading
from balancer.table import ReplicaState
from probes.prober import Prober
from probes.spec import ProbeSpec
from probes.verdict import Outcome

NOTHING = ReplicaReading(0, 0, (0,) * 5, 0, 0, 0, 0, 0, 0, 0, 0, ())
START_S = 1.0
STOP_S = 0.5


class YardEngine(Plain):
    """Starts in START_S, stops in STOP_S. failing: every start and stop raises. away: so does every look at the list.

    order: that in which it would remove instances itself, for an engine that does.
    """

    can_scale = True

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.instances: dict[str, Instance] = {}
        self.specs: dict[str, InstanceSpec] = {}
        self.calls: list[str] = []
        self.failing = False
        self.away = False
        self.order: list[str] | None = None
        self.stranger = False
        self.changed: Callable[[str], None] = lambda service: None
        self._count = 0

    async def open(self, changed: Changed, tell: Tell = silent) -> None:
        self.changed = changed

    def removal_order(self, service: str) -> Sequence[str] | None:
        return self.order

    async def list(self, service: str) -> Sequence[Instance]:
        if self.away:
            raise NotHeardYet("the engine has not answered yet")
        return tuple(self.instances.values())

    async def start(self, spec: InstanceSpec) -> Instance:
        self.calls.append("start")
        await asyncio.sleep(START_S)
        if self.failing:
            raise EngineError("the engine has no room")
        self._count += 1
        name = f"{spec.service}-{self._count}"
        made = Instance(name, spec.service, f"10.0.0.{self._count}:80", InstanceStatus.RUNNING, self.clock())
        self.specs[name] = spec
        self.put(made)
        return made

    async def stop(self, instance_id: str, grace_s: float) -> None:
        self.calls.append(f"stop {instance_id}")
        await asyncio.sleep(STOP_S)
        if self.failing:
            raise EngineError("the engine does not answer")
        self.instances.pop(instance_id, None)
        self.changed("web")

    async def restart(self, instance_id: str) -> None:
        self.calls.append(f"restart {instance_id}")
        if self.failing:
            raise EngineError("the engine does not answer")
        was = self.instances[instance_id]
        self.put(replace(was, status=InstanceStatus.BACKOFF, detail="is being replaced", pid=0))
        await asyncio.sleep(STOP_S)
        self.revive(instance_id)
        await asyncio.sleep(START_S)

    def owns_listener(self, instance_id: str) -> bool | None:
        return not self.stranger

    async def close(self) -> None:
        self.instances.clear()

    def put(self, instance: Instance) -> None:
        """The instance is now so."""
        self.instances[instance.id] = instance
        self.changed(instance.service)

    def crash(self, name: str, looping: bool = False) -> None:
        detail = "exited with status 1, starts again in 4 s"
        status = InstanceStatus.BACKOFF
        self.put(replace(self.instances[name], status=status, detail=detail, crash_looping=looping, pid=0))

    def revive(self, name: str) -> None:
        was = self.instances[name]
        self.put(replace(was, status=InstanceStatus.RUNNING, detail="", restarts=was.restarts + 1, address="10.0.1.1:80"))


class YardWorkers:
    """Acknowledges everything ack_s after it was asked. load: requests in flight by slot."""

    def __init__(self) -> None:
        self.generation = 0
        self.ack_s = 0.01
        self.load: dict[int, int] = defaultdict(int)

    def publish(self) -> int:
        self.generation += 1
        return self.generation

    async def acknowledged(self, generation: int) -> None:
        await asyncio.sleep(self.ack_s)

    def in_flight(self, slot: int) -> int:
        return self.load[slot]

    def counted(self, slot: int) -> ReplicaReading:
        return NOTHING


class Yard:
    """One fleet of the service "web", all of it. sick: addresses whose probes fail ("*": all). lifeless: the same of liveness probes."""

    def __init__(self, startup: ProbeSpec | None = None, liveness: ProbeSpec | None = None) -> None:
        self.clock = asyncio.get_running_loop().time
        self.engine = YardEngine(self.clock)
        self.workers = YardWorkers()
        self.slots = Slots("replicas", 100, lambda slot: self.workers.load[slot] > 0)
        self.sick: set[str] = set()
        self.told: list[tuple[str, str, str]] = []
        self.taken_over: list[int] = []
        self.prober = Prober(self._verdict, random.Random(1), http=self._probe)
        self.settings = FleetSettings(
            spec=InstanceSpec("web", ("serve", "{port}")),
            readiness=ProbeSpec(path="/", start_timeout_s=60.0),
            drain_timeout_s=30.0,
            startup=startup,
            liveness=liveness,
        )
        self.lifeless: set[str] = set()
        self.vital = Prober(self._life_verdict, random.Random(2), http=self._vital_probe)
        around = Surroundings(self.prober, self.workers, self.slots, self.clock, self.clock, self.vital)
        self.fleet = Fleet(self.settings, self.engine, around, lambda *told: self.told.append(told), self.taken_over.append)

    async def __aenter__(self) -> "Yard":
        await self.engine.open(lambda service: self.fleet.look_again())
        self.fleet.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.fleet.close()
        await self.prober.close()
        await self.vital.close()

    async def scaled_to(self, desired: int) -> None:
        """Ask for so many, as the autoscaler does once a second, and let ten seconds pass."""
        for _ in range(10):
            self.fleet.scale_to(desired)
            await asyncio.sleep(1)

    async def looked_at(self, seconds: int) -> None:
        """One replica wanted, for so long."""
        for _ in range(seconds):
            self.fleet.scale_to(1)
            self.fleet.tick()
            await asyncio.sleep(1)

    def states(self) -> dict[str, str]:
        return {name: replica.state.value for name, replica in self.fleet.registry.replicas.items()}

    def ready(self) -> int:
        return sum(replica.state is ReplicaState.READY for replica in self.fleet.registry.replicas.values())

    def slot(self, name: str) -> int:
        return self.fleet.registry.replicas[name].slot

    def kinds(self, replica: str = "") -> list[str]:
        return [kind for kind, name, _ in self.told if replica in {"", name}]

    def _verdict(self, service: str, replica: str, ready: bool, reason: str) -> None:
        self.fleet.verdict(replica, ready, reason)

    def _life_verdict(self, service: str, replica: str, alive: bool, reason: str) -> None:
        if not alive:
            self.fleet.lifeless(replica, reason)

    async def _vital_probe(self, address: str, spec: ProbeSpec) -> Outcome:
        ill = address in self.lifeless or "*" in self.lifeless
        return Outcome(not ill, "answered 500" if ill else "answered 200")

    async def _probe(self, address: str, spec: ProbeSpec) -> Outcome:
        ill = address in self.sick or "*" in self.sick
        return Outcome(not ill, "answered 503" if ill else "answered 200")
