"""What the program hands over and asks for, with real files: nothing is waited for, and the next life goes on where the last one ended."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from autoscaler.memory import Mark, Memory
from autoscaler.scaler import Scaler
from autoscaler.season import Bin
from sidecar.state import State, StateInUse, limits
from sidecar.views import NotKept, Unanswered
from tests.state.made import Clock, decision, event, scaler
from tests.support import wait_until

MINUTE_S = 60.0


class Kept:
    """A state, its clock, and what it tells."""

    def __init__(self, directory: Path | str, clock: Clock) -> None:
        self.clock = clock
        self.told: list[str] = []
        self.state = State(str(directory), lambda kind, message: self.told.append(f"{kind}: {message}"), clock.wall, clock.up)

    async def reasons(self, changes: bool = False, limit: int = 100) -> list[str]:
        """Of all decisions of "web", oldest first."""
        found = await self.state.decisions("web", 0.0, 1e10, changes, limit)
        return [each["reason"] for each in reversed(found)]


@asynccontextmanager
async def life(directory: Path | str, clock: Clock | None = None, *scalers: Scaler) -> AsyncIterator[Kept]:
    """From beginning to end; what the scalers know at the end is kept."""
    kept = Kept(directory, clock or Clock())
    try:
        await kept.state.open()
        yield kept
    finally:
        await kept.state.close(scalers)


def remembering(made: Scaler, at_s: float) -> Scaler:
    """With one recommendation of 7 to remember."""
    made._memory = Memory(since_s=at_s, highs=(Mark(at_s, 7),))
    return made


# Decisions


async def test_every_decision_that_differs_is_kept_and_the_same_one_now_and_then(tmp_path: Path) -> None:
    async with life(tmp_path) as kept:
        for second in range(60):
            kept.state.decided("web", decision(2, f"{second} requests at once", "burst" if second == 17 else "above_target"))
            kept.clock.passes(1.0)
        assert await kept.reasons(changes=True) == ["above_target", "burst", "above_target"]
        assert await kept.reasons(limit=1) == ["above_target"]
        moments = [each["at"] for each in await kept.state.decisions("web", 0.0, 1e10, changes=False, limit=100)]
        assert len(moments) in {8, 9}
        assert max(later - earlier for later, earlier in pairwise(moments)) <= limits.STEADY_S


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(decision(3), id="the count"),
        pytest.param(decision(2, reason="burst"), id="a reason"),
        pytest.param(decision(2, dry_run=True), id="whether it is done"),
    ],
)
async def test_what_differs_is_kept_at_once_if_it_is(other: object, tmp_path: Path) -> None:
    async with life("") as kept:
        kept.state.decided("web", decision(2))
        kept.state.decided("web", other)  # type: ignore[arg-type]
        assert len(await kept.reasons(changes=True)) == 2


@pytest.mark.parametrize("directory", ["", "kept"], ids=["in memory", "on disk"])
async def test_the_decision_of_a_moment(directory: str, tmp_path: Path) -> None:
    async with life(directory and tmp_path / directory) as kept:
        began_s = kept.clock.wall_s
        for desired in (2, 3):
            kept.state.decided("web", decision(desired))
            kept.clock.passes(MINUTE_S)
        found = await kept.state.decision_at("web", began_s + 59.0)
        assert (found["desired"], found["at"], found["changed"]) == (2, began_s, True)
        assert (await kept.state.decision_at("web", began_s + 60.0))["desired"] == 3
        with pytest.raises(NotKept, match=r"no decision of web from 2026-09-.* or before is kept; there are those from .* to .*"):
            await kept.state.decision_at("web", began_s - 1.0)
        with pytest.raises(NotKept, match="no decision of nobody is kept yet"):
            await kept.state.decision_at("nobody", began_s)


async def test_decisions_of_earlier_lives_can_be_asked_for(tmp_path: Path) -> None:
    clock = Clock()
    async with life(tmp_path, clock) as kept:
        kept.state.decided("web", decision(2))
    clock.passes(MINUTE_S)
    async with life(tmp_path, clock) as kept:
        kept.state.decided("web", decision(3))
        assert (await kept.state.decision_at("web", clock.wall_s - 1.0))["desired"] == 2
        assert len(await kept.reasons()) == 2


# What is remembered


@pytest.mark.parametrize("up_s", [9_000.0, 3.0], ids=["of the program", "of the machine"])
async def test_a_restart_goes_on_with_what_was_remembered(tmp_path: Path, up_s: float) -> None:
    clock = Clock(up_s=5_000.0)
    before = remembering(scaler(wanted=6), at_s=4_990.0)
    before.set_by_hand(5)
    async with life(tmp_path, clock, before):
        pass
    clock.wall_s, clock.up_s = clock.wall_s + 100.0, up_s
    async with life(tmp_path, clock) as kept:
        former = kept.state.kept("web")
        assert former
        assert (former.wanted, former.override) == (6, 5)
        assert former.memory.highs[0].at_s == pytest.approx(up_s - 110.0, abs=1e-3)
        assert former.at_s == pytest.approx(up_s - 100.0, abs=1e-3)
        assert kept.state.kept("web") is None  # once: a service that is removed and added begins anew


async def test_a_wall_clock_that_was_set_back_does_not_put_what_is_remembered_into_the_future(tmp_path: Path) -> None:
    clock = Clock()
    async with life(tmp_path, clock, remembering(scaler(), at_s=clock.up_s - 10.0)):
        pass
    clock.wall_s -= 86_400.0
    async with life(tmp_path, clock) as kept:
        former = kept.state.kept("web")
        assert former
        assert former.memory.highs[0].at_s == pytest.approx(clock.up_s - 10.0, abs=1e-3)


async def test_without_an_end_in_order_the_last_second_counts(tmp_path: Path) -> None:
    """The thread has written, and nobody has closed anything: another program can read it all."""
    clock, made = Clock(), scaler()
    async with life(tmp_path, clock) as kept:
        for wanted in (3, 4):
            made.wanted = wanted
            kept.state.tick([made])
            await kept.reasons()
        shutil.copytree(tmp_path, tmp_path / "copy")
    async with life(tmp_path / "copy", clock) as kept:
        former = kept.state.kept("web")
        assert former
        assert former.wanted == 4


async def test_of_many_services_some_are_saved_each_second_and_all_in_turn(tmp_path: Path) -> None:
    scalers = [scaler(f"web-{number}") for number in range(limits.SAVED + 50)]
    async with life(tmp_path) as kept:
        for saved in (limits.SAVED, limits.SAVED + 50, limits.SAVED + 50):
            kept.state.tick(scalers)
            assert len(await kept.state._ask(lambda database: database.kept())) == saved


async def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    made = scaler()
    async with life(tmp_path) as kept:
        kept.state.tick([made])
        first = await kept.state._ask(lambda database: database.kept())
        kept.clock.passes(1.0)
        kept.state.tick([made])
        assert await kept.state._ask(lambda database: database.kept()) == first
        made.step(kept.clock.up_s, [])
        kept.state.tick([made])
        assert await kept.state._ask(lambda database: database.kept()) != first


async def test_a_service_that_was_removed_begins_anew(tmp_path: Path) -> None:
    async with life(tmp_path) as kept:
        kept.state.tick([scaler(wanted=7)])
        kept.state.forget("web")
    async with life(tmp_path) as kept:
        assert kept.state.kept("web") is None


async def test_what_cannot_be_understood_is_told_and_the_service_begins_anew(tmp_path: Path) -> None:
    async with life(tmp_path, None, scaler()) as kept:
        pass
    async with life(tmp_path) as kept:
        kept.state._former["web"] = '{"at_s": 1.0, "wanted": "many"}'
        assert kept.state.kept("web") is None
        assert kept.told == [
            "state_damaged: what was kept of web cannot be used ('many' is not what is kept there): it begins anew"
        ]


# History and events


async def test_the_history_of_loads_is_there_in_the_next_life(tmp_path: Path) -> None:
    bins = [Bin("rps", start_s, 300.0, 4.0, 9.0) for start_s in (Clock().wall_s - 600.0, Clock().wall_s - 300.0)]
    async with life(tmp_path) as kept:
        assert list(await kept.state.history("web")) == []
        for each in bins:
            kept.state.add_bin("web", each)
    async with life(tmp_path) as kept:
        assert list(await kept.state.history("web")) == bins


async def test_events_of_earlier_lives_newest_first(tmp_path: Path) -> None:
    async with life(tmp_path) as kept:
        for number in (1, 2):
            kept.state.event(event(number))
    async with life(tmp_path) as kept:
        assert [each["id"] for each in kept.state.events] == [2, 1]


# A disk that does not keep up


class Stuck:
    """Keeps the thread from its work."""

    def __init__(self, kept: Kept) -> None:
        self._over = threading.Event()
        kept.state._thread.submit(self._over.wait)

    def over(self) -> None:
        self._over.set()


async def test_a_slow_disk_is_not_waited_for_and_what_is_dropped_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = scaler()
    async with life(tmp_path) as kept:
        stuck = Stuck(kept)
        kept.state.tick([made])
        for number in range(limits.WAITING_DECISIONS + 7):
            kept.state.decided("web", decision(2 + number % 2))
            made.wanted = number
            if number % 1000 == 0:
                kept.state.tick([made])
        monkeypatch.setattr(limits, "ANSWER_S", 0.01)
        with pytest.raises(Unanswered, match="did not answer within"):
            await kept.reasons()
        monkeypatch.undo()
        stuck.over()
        await wait_until(lambda: kept.told)
        kept.state.tick([made])
        assert len(await kept.reasons(limit=100_000)) >= limits.WAITING_DECISIONS
    assert [words.partition(":")[0] for words in kept.told] == ["state_behind"]
    async with life(tmp_path) as kept:
        former = kept.state.kept("web")
        assert former
        assert former.wanted == limits.WAITING_DECISIONS + 6


async def test_an_end_does_not_wait_for_a_disk_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CLOSE_S", 0.01)
    async with life(tmp_path) as kept:
        stuck = Stuck(kept)
    stuck.over()
    await asyncio.to_thread(kept.state._thread.shutdown)


async def test_two_programs_cannot_share_a_directory(tmp_path: Path) -> None:
    async with life(tmp_path):
        with pytest.raises(StateInUse):
            async with life(tmp_path):
                raise AssertionError("it began")
    async with life(tmp_path) as kept:
        assert kept.told == []
