"""What can go wrong between Écluse and an engine, and with containers: each seen, said, and got over."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from autoscaler.cluster.engine import EngineError, Image, InstanceStatus
from tests.engines.daemon import Daemon
from tests.engines.faulty import Faulty
from tests.engines.images import NAME
from tests.moby.conftest import SHOP, Yard, opened, until_it_answers
from tests.support import wait_until

CREATE, START, STOP, REMOVE = ("POST", ".*/containers/create"), ("POST", ".*/start"), ("POST", ".*/stop"), ("DELETE", ".*")


@pytest.fixture
async def far(engine: Daemon, middle: Faulty) -> AsyncIterator[Yard]:
    """`Docker` with the man in the middle between it and its engine."""
    async with opened(engine, f"unix://{middle.socket}") as one:
        yield one


async def until(yard: Yard, name: str, status: InstanceStatus) -> None:
    async def so() -> bool:
        instance = await yard.one(name)
        return instance is not None and instance.status is status

    await wait_until(so, 30)


async def until_gone(yard: Yard, name: str) -> None:
    async def gone() -> bool:
        return await yard.one(name) is None

    await wait_until(gone, 30)


class TestTheEngine:
    async def test_away_it_leaves_the_list_as_it_was_and_is_followed_again_when_it_is_back(
        self, far: Yard, middle: Faulty
    ) -> None:
        (instance,) = await far.start(SHOP)
        middle.refuse()
        await wait_until(lambda: far.docker.trouble("shop"), 60)
        assert "no answer from" in far.docker.trouble("shop")
        assert await far.names() == [instance.id]
        far.daemon.docker("rm", "--force", instance.id)
        middle.accept()
        await until_gone(far, instance.id)
        assert far.docker.trouble("shop") == ""

    async def test_away_from_the_beginning_it_says_so_instead_of_an_empty_list(self, engine: Daemon, middle: Faulty) -> None:
        middle.refuse()
        async with opened(engine, f"unix://{middle.socket}") as far:
            far.docker.declare(SHOP)
            with pytest.raises(EngineError, match=r"no answer from|has not answered yet"):
                await far.docker.list("shop")
            with pytest.raises(EngineError, match=r"no answer from|has not told yet"):
                await far.docker.start(SHOP)
            middle.accept()
            await wait_until(lambda: "shop" in far.changes, 30)
            assert await far.names() == []

    async def test_whose_events_are_cut_tells_what_was_missed(self, far: Yard, middle: Faulty) -> None:
        (instance,) = await far.start(SHOP)
        middle.drop(path=".*/events")
        middle.cut(".*/events")
        far.daemon.docker("rm", "--force", instance.id)
        await until_gone(far, instance.id)
        middle.heal()

    async def test_whose_events_fall_silent_without_an_end_is_listened_to_anew(
        self, engine: Daemon, middle: Faulty, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("autoscaler.cluster.docker.watch.POLL_S", 0.3)
        middle.hang(path=".*/events", times=1)
        async with opened(engine, f"unix://{middle.socket}") as far:
            (instance,) = await far.start(SHOP)
            engine.docker("create", f"{NAME}:1")
            await wait_until(lambda: sum(path.endswith("/events") for _, path in middle.calls) == 2, 30)
            engine.docker("stop", instance.id)
            await wait_until(lambda: far.said("stopped_outside"), 30)

    @pytest.mark.parametrize(
        ("method", "path"),
        [pytest.param(*CREATE, id="of-the-creation"), pytest.param(*START, id="of-the-start")],
    )
    async def test_whose_answer_is_lost_starts_nothing_twice(self, far: Yard, middle: Faulty, method: str, path: str) -> None:
        middle.lose(method, path, times=1)
        (instance,) = await far.start(SHOP)
        assert far.containers() == [instance.id]
        await until_it_answers(instance)

    @pytest.mark.parametrize(
        ("method", "path"),
        [pytest.param(*STOP, id="of-the-stop"), pytest.param(*REMOVE, id="of-the-removal")],
    )
    async def test_whose_answer_is_lost_stops_all_the_same(self, far: Yard, middle: Faulty, method: str, path: str) -> None:
        (instance,) = await far.start(SHOP)
        middle.lose(method, path, times=1)
        await far.docker.stop(instance.id, 0.0)
        assert far.containers() == []

    @pytest.mark.parametrize("status", [pytest.param(409, id="409"), pytest.param(500, id="500")])
    async def test_that_refuses_a_start_leaves_nothing_and_the_next_one_succeeds(
        self, far: Yard, middle: Faulty, status: int
    ) -> None:
        middle.answer(status, "no space left on device", *START, times=1)
        with pytest.raises(EngineError, match="no space left on device"):
            await far.start(SHOP)
        assert far.containers() == []
        await far.start(SHOP)

    async def test_that_is_unavailable_for_a_moment_is_asked_again(self, far: Yard, middle: Faulty) -> None:
        middle.answer(503, "not now", *CREATE, times=2)
        await far.start(SHOP)

    async def test_that_fails_to_stop_is_told_again(self, far: Yard, middle: Faulty) -> None:
        (instance,) = await far.start(SHOP)
        middle.answer(500, "cannot kill it", *STOP, times=1)
        with pytest.raises(EngineError, match="cannot kill it"):
            await far.docker.stop(instance.id, 0.0)
        assert (await far.one(instance.id) or instance).status is InstanceStatus.STOPPING
        await far.docker.stop(instance.id, 0.0)
        assert far.containers() == []

    async def test_that_is_slow_is_waited_for(self, far: Yard, middle: Faulty) -> None:
        middle.delay(0.5)
        (instance,) = await far.start(SHOP)
        assert far.containers() == [instance.id]


class TestAClock:
    async def test_that_jumps_changes_nothing(self, engine: Daemon) -> None:
        jumps = iter([0.0, 1e6, -1e6, 5e9])
        async with opened(engine, wall=lambda: time.time() + next(jumps, 0.0)) as yard:
            before = await yard.start(SHOP, 2)
            engine.docker("pause", before[0].id)
            engine.docker("unpause", before[0].id)
            after = await yard.docker.list("shop")
            assert {(one.id, one.pid, one.restarts) for one in after} == {(one.id, one.pid, 0) for one in before}
            assert all(one.since_s <= time.monotonic() for one in after)
            assert yard.containers() == sorted(one.id for one in before)


class TestAContainer:
    async def test_that_crashes_is_started_again_later_each_time_and_says_why(self, yard: Yard) -> None:
        spec = replace(SHOP, environment={"EXIT_AT_START": "3"})
        (instance,) = await yard.start(spec)

        async def loops() -> bool:
            found = await yard.one(instance.id)
            return bool(found and found.crash_looping and "leaving at once" in found.detail)

        await wait_until(loops, 30)
        found = await yard.one(instance.id)
        assert found
        assert "exited with status 3 (" in found.detail
        assert found.restarts >= 2
        assert yard.containers() == [instance.id]

    async def test_that_needs_more_memory_than_it_may_use_is_said_to_have_been_killed_for_it(self, yard: Yard) -> None:
        spec = replace(SHOP, source=Image(f"{NAME}:1", memory=24 << 20), environment={"MEMORY": str(100 << 20)})
        (instance,) = await yard.start(spec)

        async def said() -> bool:
            found = await yard.one(instance.id)
            return bool(found and "was killed for want of memory; its limit is 24 MiB" in found.detail)

        await wait_until(said, 30)

    async def test_that_somebody_removes_is_gone(self, yard: Yard) -> None:
        (instance,) = await yard.start(SHOP)
        yard.daemon.docker("rm", "--force", instance.id)
        await until_gone(yard, instance.id)
        await yard.docker.stop(instance.id, 1.0)

    async def test_that_somebody_stops_is_let_go(self, yard: Yard) -> None:
        (instance,) = await yard.start(SHOP)
        await until_it_answers(instance)
        yard.daemon.docker("stop", instance.id)
        await until(yard, instance.id, InstanceStatus.EXITED)
        await wait_until(lambda: yard.said("stopped_outside"), 10)
        await yard.docker.stop(instance.id, 1.0)
        assert yard.containers() == []

    async def test_that_somebody_pauses_says_so_and_can_be_stopped(self, yard: Yard) -> None:
        (instance,) = await yard.start(SHOP)
        yard.daemon.docker("pause", instance.id)

        async def paused() -> bool:
            found = await yard.one(instance.id)
            return bool(found and "is paused" in found.detail and found.status is InstanceStatus.RUNNING)

        await wait_until(paused, 30)
        await yard.docker.stop(instance.id, 0.0)
        assert yard.containers() == []

    async def test_that_somebody_restarts_is_seen_to_be_another_run(self, yard: Yard) -> None:
        (instance,) = await yard.start(SHOP)
        yard.daemon.docker("restart", "--time", "0", instance.id)

        async def again() -> bool:
            found = await yard.one(instance.id)
            return bool(found and found.status is InstanceStatus.RUNNING and found.pid not in {0, instance.pid})

        await wait_until(again, 30)

    async def test_that_is_sick_is_restarted_under_its_name(self, yard: Yard) -> None:
        (instance,) = await yard.start(replace(SHOP, stop_grace_s=0.0))
        await yard.docker.restart(instance.id)
        found = await yard.one(instance.id)
        assert found
        assert (found.status, found.restarts) == (InstanceStatus.RUNNING, 1)
        assert found.pid != instance.pid
        await until_it_answers(found)

    async def test_is_asked_by_a_command_that_runs_inside_it(self, yard: Yard) -> None:
        (instance,) = await yard.start(SHOP)
        status, line = await yard.docker.execute(instance.id, ("sh", "-c", "exec 2>&1; echo first; echo of $0 >&2; exit 3"), 20.0)
        assert (status, line) == (3, "of sh")
        with pytest.raises(EngineError, match=r"sh did not end within 1 s"):
            await yard.docker.execute(instance.id, ("sh", "-c", "kill -STOP $$"), 1.0)
        with pytest.raises(EngineError, match="there is no container"):
            await yard.docker.execute("nobody", ("true",), 1.0)

    async def test_of_a_service_that_is_not_configured_is_told_of_once_and_left_alone(
        self, yard: Yard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("autoscaler.cluster.docker.upkeep.ORPHANS_S", 0.0)
        await yard.start(SHOP)
        yard.docker.forget("shop")
        await wait_until(lambda: yard.said("orphans"), 10)
        assert yard.said("orphans")[0].endswith("docker rm -f lock-shop-1")
        assert yard.containers() == ["lock-shop-1"]
