"""Stories of a fleet, in virtual time: what it does with its replicas, and in which order."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from autoscaler.cluster.engine import Instance, InstanceSpec, InstanceStatus
from tests.fleet.yard import START_S, STOP_S, Yard
from tests.support import in_virtual_time

Story = Callable[[Yard], Awaitable[None]]


def told(story: Story) -> None:
    """Play a story in a new yard."""

    async def play() -> None:
        async with Yard() as yard:
            await story(yard)

    in_virtual_time(play)


def test_the_wanted_replicas_are_started_probed_and_ready() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(3)
        assert yard.states() == {"web-1": "ready", "web-2": "ready", "web-3": "ready"}
        assert yard.kinds("web-1") == ["starting", "ready"]
        assert yard.engine.calls == ["start"] * 3

    told(story)


def test_starts_under_way_are_not_started_again() -> None:
    async def story(yard: Yard) -> None:
        for _ in range(20):
            yard.fleet.scale_to(4)
            await asyncio.sleep(START_S / 50)
        assert len(yard.engine.calls) == 4

    told(story)


def test_a_drain_goes_mark_acknowledge_idle_stop_gone_in_this_order() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        yard.workers.ack_s = 0.5
        yard.workers.load[yard.slot("web-2")] = 3
        marked_in = yard.workers.generation + 1
        yard.fleet.drain("web-2", "by hand")
        assert yard.states()["web-2"] == "draining"
        assert yard.workers.generation >= marked_in
        await asyncio.sleep(5)
        assert "stop web-2" not in yard.engine.calls  # three requests are in flight
        yard.workers.load[yard.slot("web-2")] = 0
        await asyncio.sleep(0.1)
        assert "stop web-2" in yard.engine.calls
        assert yard.states()["web-2"] == "draining"  # until the engine has stopped it
        await asyncio.sleep(STOP_S)
        assert "web-2" not in yard.states()
        assert yard.kinds("web-2") == ["starting", "ready", "draining", "drained", "gone"]

    told(story)


def test_nothing_is_stopped_before_the_workers_have_acknowledged() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        yard.workers.ack_s = 4.0
        yard.fleet.drain("web-1", "by hand")
        await asyncio.sleep(3.9)
        assert "stop web-1" not in yard.engine.calls
        await asyncio.sleep(0.2)
        assert "stop web-1" in yard.engine.calls

    told(story)


def test_requests_that_outlast_the_drain_deadline_are_cut_and_it_is_said() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        yard.workers.load[yard.slot("web-1")] = 2
        yard.fleet.drain("web-1", "by hand")
        await asyncio.sleep(29)
        assert "stop web-1" not in yard.engine.calls
        await asyncio.sleep(2)
        assert "stop web-1" in yard.engine.calls
        assert ("drain_timeout", "web-1", "2 requests still in flight after 30 s are cut") in yard.told

    told(story)


def test_a_drained_replica_is_replaced_while_it_is_still_wanted() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        yard.fleet.drain("web-1", "by hand")
        await yard.scaled_to(2)
        assert yard.states() == {"web-2": "ready", "web-3": "ready"}

    told(story)


def test_scaling_up_during_a_drain_starts_a_new_one_and_takes_nothing_back() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        for name in ("web-1", "web-2"):
            yard.workers.load[yard.slot(name)] = 1
        yard.fleet.scale_to(1)
        (draining,) = [name for name, state in yard.states().items() if state == "draining"]
        await yard.scaled_to(2)
        assert yard.states()[draining] == "draining"
        assert yard.states()["web-3"] == "ready"
        assert yard.ready() == 2

    told(story)


def test_the_victim_is_the_one_with_the_least_in_flight() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(3)
        for name, load in (("web-1", 5), ("web-2", 1), ("web-3", 4)):
            yard.workers.load[yard.slot(name)] = load
        yard.fleet.scale_to(2)
        assert yard.states() == {"web-1": "ready", "web-2": "draining", "web-3": "ready"}

    told(story)


def test_a_crashed_replica_leaves_ready_at_once_and_comes_back_when_probed_again() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        yard.engine.crash("web-1")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert yard.states() == {"web-1": "ejected"}
        assert yard.fleet.registry.replicas["web-1"].detail == "exited with status 1, starts again in 4 s"
        await yard.scaled_to(1)
        assert yard.states() == {"web-1": "ejected"}  # nothing is probed where nothing runs
        yard.engine.revive("web-1")
        await asyncio.sleep(0.1)
        assert yard.states() == {"web-1": "ready"}
        assert yard.fleet.registry.replicas["web-1"].entry().address == "10.0.1.1:80"
        assert yard.kinds("web-1") == ["starting", "ready", "crashed", "ejected", "ready"]

    told(story)


def test_a_crash_loop_is_reported_once() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        for _ in range(3):
            yard.engine.crash("web-1", looping=True)
            await asyncio.sleep(1)
        assert yard.kinds("web-1").count("crash_loop") == 1

    told(story)


def test_the_detail_of_a_crash_loop_says_so_and_when_the_next_start_is_and_nothing_is_published_for_it() -> None:
    async def story(yard: Yard) -> None:
        yard.sick = {"*"}
        await yard.looked_at(3)
        replica = yard.fleet.registry.replicas["web-1"]
        yard.engine.crash("web-1", looping=True)
        await yard.looked_at(1)
        assert yard.fleet.detail(replica) == "crash loop: exited with status 1, starts again in 4 s"
        published = yard.workers.generation
        aged = replace(yard.engine.instances["web-1"], detail="exited with status 1, starts again in 2 s")
        yard.engine.instances["web-1"] = aged  # as time passes; no engine tells of that
        await yard.looked_at(1)
        assert yard.fleet.detail(replica) == "crash loop: exited with status 1, starts again in 2 s"
        assert yard.workers.generation == published
        yard.sick = set()
        yard.engine.revive("web-1")
        await yard.looked_at(1)
        assert yard.fleet.detail(replica) == "answered 200"

    told(story)


def test_a_crash_loop_is_over_when_the_engine_says_so() -> None:
    async def story(yard: Yard) -> None:
        await yard.looked_at(3)
        yard.engine.crash("web-1", looping=True)
        await yard.looked_at(1)
        yard.engine.revive("web-1")
        yard.engine.put(replace(yard.engine.instances["web-1"], detail="runs again"))
        await yard.looked_at(1)
        assert yard.fleet.registry.replicas["web-1"].instance.crash_looping
        yard.engine.instances["web-1"] = replace(yard.engine.instances["web-1"], detail="", crash_looping=False)
        await yard.looked_at(1)
        assert not yard.fleet.registry.replicas["web-1"].instance.crash_looping

    told(story)


def test_a_replica_that_vanishes_is_gone_and_replaced() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        del yard.engine.instances["web-1"]
        yard.engine.changed("web")
        await yard.scaled_to(2)
        assert yard.states() == {"web-2": "ready", "web-3": "ready"}

    told(story)


def test_a_replica_that_exited_for_good_is_gone_with_the_engines_words() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        yard.engine.put(replace(yard.engine.instances["web-1"], status=InstanceStatus.EXITED, detail="killed by SIGKILL"))
        await asyncio.sleep(0.1)
        assert ("gone", "web-1", "killed by SIGKILL") in yard.told

    told(story)


def test_a_replica_that_is_never_ready_is_replaced_and_the_reason_is_said() -> None:
    async def story(yard: Yard) -> None:
        yard.sick = {"10.0.0.1:80"}
        for _ in range(6):
            await yard.scaled_to(1)
        assert yard.states() == {"web-1": "starting"}
        await yard.scaled_to(1)
        assert yard.states() == {"web-2": "ready"}
        assert ("draining", "web-1", "was not ready within 60 s: answered 503") in yard.told

    told(story)


def test_why_a_replica_is_not_ready_yet_is_said_after_a_while_once_for_each_reason() -> None:
    async def story(yard: Yard) -> None:
        yard.sick = {"*"}
        await yard.looked_at(5)
        assert yard.kinds("web-1") == ["starting"]
        await yard.looked_at(20)
        assert yard.told[1:] == [("not_ready", "web-1", "is not ready yet: answered 503")]
        yard.sick, yard.engine.stranger = set(), True
        await yard.looked_at(20)
        assert yard.told[2:] == [("not_ready", "web-1", "is not ready yet: another program answers at its address")]
        yard.engine.stranger = False
        await yard.looked_at(20)
        assert yard.kinds("web-1")[3:] == ["ready"]

    told(story)


def test_a_replica_that_was_started_again_and_is_not_ready_is_said_anew() -> None:
    async def story(yard: Yard) -> None:
        yard.sick = {"*"}
        await yard.looked_at(10)
        yard.engine.crash("web-1")
        await yard.looked_at(10)
        assert yard.kinds("web-1") == ["starting", "not_ready", "crashed"]  # nothing is late where nothing runs
        yard.engine.revive("web-1")
        await yard.looked_at(10)
        assert yard.kinds("web-1")[3:] == ["not_ready"]

    told(story)


def test_a_replica_that_flaps_between_two_reasons_does_not_flood_the_log() -> None:
    async def story(yard: Yard) -> None:
        for turn in range(30):
            yard.sick, yard.engine.stranger = ({"*"} if turn % 2 else set()), True
            await yard.looked_at(1)
        assert 2 <= yard.kinds("web-1").count("not_ready") <= 6

    told(story)


def test_a_replica_that_is_only_found_is_found_and_not_started() -> None:
    async def story(yard: Yard) -> None:
        yard.engine.can_scale = False
        yard.engine.put(Instance("web-a", "web", "10.0.0.9:80", InstanceStatus.RUNNING, 0.0))
        await asyncio.sleep(1)
        assert yard.told[0] == ("found", "web-a", "at 10.0.0.9:80")
        assert yard.kinds() == ["found", "ready"]

    told(story)


def test_a_stranger_on_the_port_does_not_make_a_replica_ready() -> None:
    async def story(yard: Yard) -> None:
        yard.engine.stranger = True
        await yard.scaled_to(1)
        assert yard.states() == {"web-1": "starting"}
        assert yard.prober.reason("web", "web-1") == "another program answers at its address"
        yard.engine.stranger = False
        await asyncio.sleep(0.5)
        assert yard.states() == {"web-1": "ready"}

    told(story)


def test_failed_starts_are_tried_again_with_growing_delays() -> None:
    async def story(yard: Yard) -> None:
        yard.engine.failing = True
        for _ in range(6):
            await yard.scaled_to(1)
        # Each try takes 1 s, then delays of 1, 2, 4, 8, 16 s and so on: 5 tries in 60 s, not 30.
        assert 4 <= len(yard.engine.calls) <= 6
        assert yard.told[0] == ("start_failed", "", "the engine has no room; tried again in 1 s")
        yard.engine.failing = False
        for _ in range(4):
            await yard.scaled_to(1)
        assert yard.ready() == 1

    told(story)


def test_a_stop_that_fails_is_tried_until_it_is_done() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        yard.engine.failing = True
        yard.fleet.drain("web-1", "by hand")
        await asyncio.sleep(5)
        assert yard.states()["web-1"] == "draining"
        yard.engine.failing = False
        await asyncio.sleep(5)
        assert "web-1" not in yard.states()
        assert "stop_failed" in yard.kinds("web-1")

    told(story)


def test_a_changed_command_replaces_one_by_one_and_never_serves_with_fewer() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(3)
        yard.fleet.change(replace(yard.settings, spec=InstanceSpec("web", ("serve", "--new", "{port}"))))
        fewest_ready, most_active = 3, 3
        for _ in range(100):
            yard.fleet.scale_to(3)
            await asyncio.sleep(0.2)
            fewest_ready = min(fewest_ready, yard.ready())
            most_active = max(most_active, len(yard.fleet.registry.active()))
        assert (fewest_ready, most_active) == (3, 4)
        assert yard.states() == {"web-4": "ready", "web-5": "ready", "web-6": "ready"}
        assert all("--new" in yard.engine.specs[name].command for name in yard.states())

    told(story)


def test_a_broken_new_command_leaves_the_old_replicas_serving() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        yard.sick = {f"10.0.0.{number}:80" for number in range(3, 50)}
        yard.fleet.change(replace(yard.settings, spec=InstanceSpec("web", ("serve-badly",))))
        for _ in range(20):
            await yard.scaled_to(2)
        assert {name for name, state in yard.states().items() if state == "ready"} == {"web-1", "web-2"}

    told(story)


def test_other_changed_settings_replace_nothing() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        readiness = replace(yard.settings.readiness, interval_s=9.0)
        yard.fleet.change(replace(yard.settings, readiness=readiness, drain_timeout_s=5.0))
        await yard.scaled_to(2)
        assert yard.states() == {"web-1": "ready", "web-2": "ready"}

    told(story)


def test_a_removed_service_drains_and_stops_everything() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(2)
        slot = yard.slot("web-1")
        yard.workers.load[slot] = 1
        emptied = asyncio.create_task(yard.fleet.empty())
        await asyncio.sleep(5)
        assert yard.states() == {"web-1": "draining"}
        yard.workers.load[slot] = 0
        await emptied
        assert not yard.states()
        assert not yard.engine.instances

    told(story)


def test_scaling_to_nothing_drains_the_last_one() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        await yard.scaled_to(0)
        assert yard.states() == {}
        await yard.scaled_to(1)
        assert yard.states() == {"web-2": "ready"}

    told(story)


def test_a_slot_is_not_reused_while_a_worker_still_counts_in_it() -> None:
    async def story(yard: Yard) -> None:
        await yard.scaled_to(1)
        slot = yard.slot("web-1")
        yard.workers.load[slot] = 1  # a worker finishes a request of a replica that is gone
        del yard.engine.instances["web-1"]
        yard.engine.changed("web")
        await yard.scaled_to(1)
        assert yard.slot("web-2") != slot
        yard.workers.load[slot] = 0
        await yard.scaled_to(2)
        assert yard.slot("web-3") == slot

    told(story)


def test_what_was_only_found_is_probed_but_never_started_or_stopped() -> None:
    async def story(yard: Yard) -> None:
        await yard.engine.start(yard.settings.spec)
        yard.engine.can_scale = False
        yard.engine.calls.clear()
        yard.fleet.look_again()
        await yard.scaled_to(5)
        assert yard.states() == {"web-1": "ready"}
        await yard.fleet.empty()
        assert yard.states() == {}
        assert yard.engine.calls == []

    told(story)
