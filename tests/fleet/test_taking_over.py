"""Engines that outlive the program: what was there before is taken over, what belongs to others is left alone."""

import asyncio
from dataclasses import replace

from autoscaler.cluster.engine import Instance, InstanceStatus
from tests.fleet.yard import Yard
from tests.support import in_virtual_time


def there(yard: Yard, name: str, **more: object) -> Instance:
    instance = Instance(name, "web", f"10.0.9.{len(yard.engine.instances) + 1}:80", InstanceStatus.RUNNING, 0.0)
    made = replace(instance, **more)  # type: ignore[arg-type] - any field of an instance
    yard.engine.instances[name] = made
    return made


def test_what_was_there_before_is_taken_over_and_nothing_is_started_or_stopped() -> None:
    async def story() -> None:
        yard = Yard()
        for number in range(3):
            there(yard, f"web-{number}")
        async with yard:
            await asyncio.sleep(1)
            assert yard.taken_over == [3]
            yard.fleet.scale_to(3)
            await asyncio.sleep(5)
            assert yard.ready() == 3
            assert yard.engine.calls == []

    in_virtual_time(story)


def test_nothing_is_started_before_the_engine_has_said_what_is_there() -> None:
    async def story() -> None:
        yard = Yard()
        yard.engine.away = True
        there(yard, "old-1")
        async with yard:
            await yard.scaled_to(2)
            assert yard.engine.calls == []
            assert yard.kinds() == []  # what is wrong with the endpoint is told once, by who asks it
            assert yard.taken_over == []
            yard.engine.away = False
            yard.engine.changed("web")
            await asyncio.sleep(1)
            assert yard.taken_over == [1]
            await yard.scaled_to(2)
            assert yard.engine.calls == ["start"]

    in_virtual_time(story)


def test_replicas_of_somebody_else_get_requests_and_are_never_stopped() -> None:
    async def story() -> None:
        yard = Yard()
        there(yard, "theirs", foreign=True)
        async with yard:
            await yard.scaled_to(3)
            assert yard.ready() == 3
            await yard.scaled_to(0)
            assert yard.states() == {"theirs": "ready"}
            await yard.fleet.empty()
            assert yard.states() == {}
            assert "theirs" in yard.engine.instances
            assert "stop theirs" not in yard.engine.calls

    in_virtual_time(story)


def test_a_pending_replica_counts_but_is_neither_probed_nor_late() -> None:
    async def story() -> None:
        yard = Yard()
        pending = there(yard, "web-9", status=InstanceStatus.PENDING, address="", detail="no suitable node")
        async with yard:
            for _ in range(10):
                await yard.scaled_to(1)
            assert yard.states() == {"web-9": "starting"}
            assert yard.engine.calls == []
            yard.engine.put(replace(pending, status=InstanceStatus.RUNNING, address="10.0.9.9:80"))
            await yard.scaled_to(1)
            assert yard.states() == {"web-9": "ready"}

    in_virtual_time(story)


def test_an_engine_with_an_order_of_its_own_is_followed_also_when_the_service_goes_away() -> None:
    async def story() -> None:
        yard = Yard()
        for number in range(3):
            there(yard, f"web-{number}", foreign=True)
        yard.engine.order = ["web-1", "web-2", "web-0"]
        async with yard:
            await yard.scaled_to(2)
            assert yard.engine.calls == ["stop web-1"]
            await yard.fleet.empty()
            assert yard.engine.calls == ["stop web-1"]  # the tasks of a service that is not ours to remove

    in_virtual_time(story)


def test_a_service_that_goes_away_is_drained_where_it_was_made_here() -> None:
    async def story() -> None:
        yard = Yard()
        for number in range(2):
            there(yard, f"web-{number}")
        yard.engine.order = ["web-1", "web-0"]
        async with yard:
            await yard.scaled_to(2)
            await yard.fleet.empty()
            assert sorted(yard.engine.calls) == ["stop web-0", "stop web-1"]
            assert yard.kinds("web-1")[-3:] == ["draining", "drained", "gone"]

    in_virtual_time(story)


def test_one_that_the_engine_did_not_remove_after_all_is_a_replica_again() -> None:
    async def story() -> None:
        yard = Yard()
        kept = there(yard, "web-1")
        yard.engine.order = ["web-1"]
        async with yard:
            await yard.scaled_to(1)
            yard.fleet.drain("web-1", "predicted")
            await asyncio.sleep(1)
            yard.engine.put(kept)
            await yard.scaled_to(1)
            assert yard.states() == {"web-1": "ready"}
            assert yard.kinds("web-1")[-3:] == ["gone", "starting", "ready"]

    in_virtual_time(story)
