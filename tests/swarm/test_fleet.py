"""A whole fleet over a toy Swarm, in virtual time: drains come before removals, and nobody is started twice."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine

from autoscaler.fleet import Fleet
from autoscaler.registry import FleetSettings, Surroundings
from autoscaler.slots import Slots
from balancer.table import ReplicaState
from probes.prober import Prober
from probes.spec import ProbeSpec
from probes.verdict import Outcome
from tests.fleet.yard import YardWorkers
from tests.swarm.toy import SHOP, Yard, play


class Flotilla:
    """A fleet of the service "shop" over the yard's engine, told once a second what is desired. load: as of `YardWorkers`."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.workers = YardWorkers()
        self.told: list[tuple[str, str]] = []
        self._prober = Prober(
            lambda service, one, ready, why: self.fleet.verdict(one, ready, why), random.Random(1), http=_healthy
        )
        slots = Slots("replicas", 100, lambda slot: self.workers.load[slot] > 0)
        around = Surroundings(self._prober, self.workers, slots, asyncio.get_running_loop().time, time.time)
        settings = FleetSettings(spec=SHOP, readiness=ProbeSpec(path="/", start_timeout_s=60.0), drain_timeout_s=30.0)
        self.fleet = Fleet(settings, yard.swarm, around, lambda kind, replica, message: self.told.append((kind, replica)))
        yard.hears = lambda service: self.fleet.look_again()

    async def wants(self, desired: int, seconds: int = 15) -> None:
        """For so long, as the autoscaler says it once a second."""
        for _ in range(seconds):
            self.fleet.scale_to(desired)
            self.fleet.tick()
            await asyncio.sleep(1.0)

    @property
    def ready(self) -> set[str]:
        return {name for name, replica in self.fleet.registry.replicas.items() if replica.state is ReplicaState.READY}

    async def close(self) -> None:
        await self.fleet.close()
        await self._prober.close()


async def _healthy(address: str, spec: ProbeSpec) -> Outcome:
    return Outcome(True, "answered 200")


def sail(story: Callable[[Flotilla], Coroutine[object, object, None]], replicas: int = 3) -> None:
    """Tell a story of a fleet that has taken over so many replicas."""

    async def whole(yard: Yard) -> None:
        flotilla = Flotilla(yard)
        flotilla.fleet.open()
        try:
            await flotilla.wants(replicas, 5)
            await story(flotilla)
        finally:
            await flotilla.close()

    play(whole, replicas)


def test_up_and_down_in_as_few_updates_as_there_were_decisions() -> None:
    async def story(flotilla: Flotilla) -> None:
        await flotilla.wants(7)
        assert len(flotilla.ready) == 7
        await flotilla.wants(2)
        assert len(flotilla.ready) == 2
        assert flotilla.yard.toy.updates == [7, 2]
        assert flotilla.yard.swarm.predictions("shop") == (5, 0)

    sail(story)


def test_a_count_is_lowered_when_the_first_to_go_is_idle_and_not_before() -> None:
    async def story(flotilla: Flotilla) -> None:
        first, second = flotilla.yard.swarm.removal_order("shop")[:2]
        slot = flotilla.fleet.registry.replicas[first].slot
        flotilla.workers.load[slot] = 1
        await flotilla.wants(1, 10)
        assert flotilla.yard.toy.updates == []  # the second one is drained and waits for the first
        assert flotilla.fleet.registry.replicas[second].state is ReplicaState.DRAINING
        flotilla.workers.load[slot] = 0
        await flotilla.wants(1)
        assert flotilla.yard.toy.updates == [1]
        assert len(flotilla.ready) == 1

    sail(story)


def test_load_that_comes_back_takes_a_drained_replica_back_without_an_update() -> None:
    async def story(flotilla: Flotilla) -> None:
        first, second = flotilla.yard.swarm.removal_order("shop")[:2]
        flotilla.workers.load[flotilla.fleet.registry.replicas[first].slot] = 1
        await flotilla.wants(1, 10)
        await flotilla.wants(2, 5)
        assert second in flotilla.ready
        assert flotilla.yard.toy.updates == []

    sail(story)


def test_a_wrong_prediction_ends_with_the_right_count() -> None:
    async def story(flotilla: Flotilla) -> None:
        flotilla.yard.toy.chooses = lambda expected: expected[::-1]
        await flotilla.wants(3)
        assert len(flotilla.ready) == 3
        assert flotilla.yard.toy.updates == [3]
        assert flotilla.yard.swarm.predictions("shop") == (0, 2)

    sail(story, replicas=5)


def test_a_count_set_by_others_is_brought_back_either_way() -> None:
    async def story(flotilla: Flotilla) -> None:
        flotilla.yard.toy.scale(1)
        await flotilla.wants(3, 5)
        assert len(flotilla.ready) == 3
        flotilla.yard.toy.scale(6)
        await flotilla.wants(3)
        assert len(flotilla.ready) == 3
        assert flotilla.yard.toy.updates == [3, 3]

    sail(story)


def test_a_task_that_fails_is_replaced_by_swarm_and_started_by_nobody_else() -> None:
    async def story(flotilla: Flotilla) -> None:
        for number in range(1, 4):
            flotilla.yard.toy.fail(f"t{number}")
            await flotilla.wants(3, 2)
        await flotilla.wants(3)
        assert len(flotilla.ready) == 3
        assert flotilla.yard.toy.updates == []

    sail(story)


def test_a_manager_that_is_away_for_minutes_costs_nothing_and_then_it_goes_on() -> None:
    async def story(flotilla: Flotilla) -> None:
        flotilla.yard.link.away = True
        await flotilla.wants(5, 200)
        assert len(flotilla.ready) == 3
        flotilla.yard.link.away = False
        await flotilla.wants(5, 60)
        assert len(flotilla.ready) == 5
        assert flotilla.yard.toy.updates == [5]

    sail(story)
