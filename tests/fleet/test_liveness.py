"""Who is not alive is restarted: out of the table first, not too many at once, less and less often. Who has not started is not asked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise

from autoscaler.fleet import REVIVE_DRAIN_S
from probes.spec import ProbeSpec
from tests.fleet.yard import Yard
from tests.support import in_virtual_time

LIVENESS = ProbeSpec(path="/livez", interval_s=1.0, fall=3)
STARTUP = ProbeSpec(path="/started", interval_s=0.5, start_timeout_s=20.0)


def told(
    story: Callable[[Yard], Awaitable[None]], startup: ProbeSpec | None = None, liveness: ProbeSpec | None = LIVENESS
) -> None:
    async def play() -> None:
        async with Yard(startup, liveness) as yard:
            await story(yard)

    in_virtual_time(play)


async def passing(yard: Yard, seconds: float, wanted: int) -> None:
    """Time passes, with the autoscaler's clock."""
    end_s = yard.clock() + seconds
    while yard.clock() < end_s:
        yard.fleet.scale_to(wanted)
        yard.fleet.tick()
        await asyncio.sleep(0.5)


def restarts(yard: Yard) -> list[str]:
    return [call for call in yard.engine.calls if call.startswith("restart")]


def test_who_fails_is_restarted_under_its_id_and_comes_back() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        yard.lifeless.add("10.0.0.1:80")
        await passing(yard, 15, 2)
        assert restarts(yard) == ["restart web-1"]
        assert yard.states() == {"web-1": "ready", "web-2": "ready"}
        kinds = yard.kinds("web-1")
        assert kinds[kinds.index("not_alive") :] == ["not_alive", "ejected", "ready", "restarted"]
        assert ("not_alive", "web-1", "3 probes in a row failed, the last one: answered 500") in yard.told

    told(story)


def test_what_is_in_flight_gets_a_moment_and_no_more() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        yard.workers.load[yard.slot("web-1")] = 1
        yard.lifeless.add("10.0.0.1:80")
        while "ejected" not in yard.kinds("web-1"):
            await passing(yard, 0.5, 2)
        assert restarts(yard) == []
        await passing(yard, REVIVE_DRAIN_S + 1, 2)
        assert restarts(yard) == ["restart web-1"]

    told(story)


def test_where_all_fail_they_are_restarted_one_at_a_time() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(4)
        yard.lifeless.add("*")
        fewest = 4
        for _ in range(40):
            await passing(yard, 0.5, 4)
            fewest = min(fewest, yard.ready())
        assert fewest >= 3
        assert len(set(restarts(yard))) >= 3

    told(story)


def test_who_fails_again_and_again_is_restarted_less_and_less_often() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        yard.lifeless.add("*")
        moments = []
        for _ in range(1200):
            before = len(restarts(yard))
            await passing(yard, 0.5, 1)
            moments += [yard.clock()] * (len(restarts(yard)) - before)
        pauses = [later - earlier for earlier, later in pairwise(moments)]
        assert pauses == sorted(pauses)
        assert pauses[0] >= 10
        assert max(pauses) > 100

    told(story)


def test_a_restart_that_fails_is_told_and_tried_again() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        yard.engine.failing = True
        yard.lifeless.add("10.0.0.1:80")
        await passing(yard, 8, 2)
        assert "restart_failed" in yard.kinds("web-1")
        yard.engine.failing = False
        await passing(yard, 40, 2)
        assert yard.states() == {"web-1": "ready", "web-2": "ready"}
        assert len(restarts(yard)) == 2

    told(story)


def test_what_others_started_is_told_of_and_left_alone() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        found = yard.fleet.registry.replicas["web-1"]
        yard.engine.put(replace(found.instance, foreign=True))
        await asyncio.sleep(1)
        yard.lifeless.add("*")
        await passing(yard, 10, 1)
        assert "not_alive" in yard.kinds("web-1")
        assert restarts(yard) == []

    told(story)


def test_who_has_not_started_is_not_asked_whether_it_is_alive_or_ready() -> None:
    async def story(yard: Yard) -> None:
        yard.sick.add("*")
        yard.lifeless.add("*")
        await passing(yard, 15, 1)
        assert yard.states() == {"web-1": "starting"}
        assert restarts(yard) == []
        yard.sick.clear()
        yard.lifeless.clear()
        await passing(yard, 3, 1)
        assert yard.states() == {"web-1": "ready"}

    told(story, STARTUP)


def test_who_does_not_start_in_its_time_is_replaced() -> None:
    async def story(yard: Yard) -> None:
        yard.sick.add("10.0.0.1:80")
        await passing(yard, 30, 1)
        assert yard.states() == {"web-2": "ready"}
        assert any("has not started within 20 s" in message for _, name, message in yard.told if name == "web-1")

    told(story, STARTUP)
