"""What a controller knows of its earlier lives, and how it goes on from there."""

import time
from pathlib import Path

import pytest

from autoscaler.rules import ForecastRules, MetricRule, MetricType, Rules
from autoscaler.season import Bin
from sidecar.configuration import load
from sidecar.controller import Controller
from sidecar.state import State, StateInUse
from sidecar.views import NotKept
from tests.controller.house import house, written
from tests.support import wait_until


async def test_a_restart_begins_with_as_many_replicas_as_were_wanted_and_with_what_was_set_by_hand(tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    async with house(tmp_path, state=kept) as first:
        await first.ready(1)
        first.controller.scale("web", 3)
        await first.ready(3)
        last_id = first.controller.events(1)[0]["id"]
    async with house(tmp_path, state=kept) as second:
        assert second.web().override == 3
        await second.ready(3)
        assert second.kinds().count("decision") == first.kinds().count("decision")  # those of the first life
        began = [event["id"] for event in second.controller.events(1000) if event["kind"] == "started"]
        assert len(began) == 2
        assert began[0] > last_id


async def test_decisions_of_an_earlier_life_are_explained(tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    async with house(tmp_path, state=kept) as first:
        await first.ready(1)
        before_s = time.time()
        first.controller.scale("web", 2)
        await wait_until(lambda: first.controller.explain("web")["desired"] == 2)
    async with house(tmp_path, state=kept) as second:
        assert (await second.controller.explain_at("web", before_s))["desired"] == 1
        assert (await second.controller.explain_at("web", time.time()))["desired"] == 2
        newest, *_, oldest = await second.controller.past_decisions("web", 0.0, time.time(), changes=True, limit=100)
        assert (oldest["desired"], newest["desired"]) == (1, 2)
        with pytest.raises(NotKept):
            await second.controller.explain_at("web", 1.0)


async def test_decisions_can_be_asked_for_without_a_state_directory_too(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        await wait_until(lambda: it.controller.explain("web"))
        assert (await it.controller.explain_at("web", time.time()))["desired"] == 1


async def test_a_second_program_on_the_same_directory_does_not_begin(tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    async with house(tmp_path, state=kept) as first:
        second = load(written(tmp_path / "second.yaml", state=kept))
        with pytest.raises(StateInUse, match="in use by another ecluse"):
            await Controller(second).run()
        await first.ready(1)


async def test_a_program_that_cannot_use_its_directory_goes_on_without_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    async with house(tmp_path, state=str(tmp_path / "file")) as it:
        await it.ready(1)
        it.controller.scale("web", 2)
        await it.ready(2)
        assert (await it.controller.explain_at("web", time.time()))["desired"] == 2
        told = [event["message"] for event in it.controller.events(1000) if event["kind"] == "state_failed"]
        assert len(told) == 1
        assert "until that is mended, what happens is kept in memory only" in told[0]


async def test_the_history_of_an_earlier_life_is_forecast_from(tmp_path: Path) -> None:
    kept = State(str(tmp_path / "kept"), lambda kind, message: None)
    await kept.open()
    newest_s = time.time() // 300 * 300 - 300
    for number in range(3 * 288):
        kept.add_bin("web", Bin(MetricType.CONCURRENCY, newest_s - number * 300, 300.0, 25.0, 30.0))
    await kept.close([])
    rules = Rules(1, 4, (MetricRule(MetricType.CONCURRENCY, 10.0),), forecast=ForecastRules())
    async with house(tmp_path, rules=rules, state=str(tmp_path / "kept")) as it:
        await it.ready(3)
        stages = {stage["name"]: stage["why"] for stage in it.controller.explain("web")["stages"]}
        assert stages["forecast"].startswith("concurrency is expected to be 25 in ")
