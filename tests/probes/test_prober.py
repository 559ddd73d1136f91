"""The prober over time: real sockets where they matter, answers made by the test where the order of events does."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from probes.prober import GAP_S, JITTER, Ask, Prober
from probes.spec import ProbeSpec
from probes.verdict import Outcome
from tests.support import free_port, get, in_virtual_time, tiny_app, wait_until

Said = list[tuple[str, str, bool, str]]
HTTP = ProbeSpec(path="/healthz", interval_s=0.05, timeout_s=1.0, rise=2, fall=2)


@asynccontextmanager
async def prober(ask: Ask | None = None, concurrency: int = 64) -> AsyncIterator[tuple[Prober, Said]]:
    said: Said = []
    made = Prober(lambda *verdict: said.append(verdict), random.Random(1), concurrency, ask)
    try:
        yield made, said
    finally:
        await made.close()


def moments(passed: bool = True) -> tuple[Ask, list[float]]:
    """An asker that notes when it was asked."""
    asked: list[float] = []

    async def ask(address: str, spec: ProbeSpec) -> Outcome:
        asked.append(asyncio.get_running_loop().time())
        return Outcome(passed, "as told")

    return ask, asked


async def test_a_replica_that_starts_late_is_ready_soon_after_it_listens() -> None:
    port = free_port()
    async with prober() as (probes, said):
        probes.watch("web", "web-1", f"127.0.0.1:{port}", ProbeSpec(path="/healthz", interval_s=3600.0))
        await wait_until(lambda: probes.reason("web", "web-1") == f"nothing listens on 127.0.0.1:{port}")
        assert said == []
        with tiny_app(port):
            await wait_until(lambda: said)
    assert said[0][:3] == ("web", "web-1", True)


async def test_only_changes_of_the_verdict_are_told() -> None:
    with tiny_app() as (port, _):
        async with prober() as (probes, said):
            probes.watch("web", "web-1", f"127.0.0.1:{port}", HTTP)
            await wait_until(lambda: len(said) == 1)
            async with asyncio.timeout(10):
                await post(port, "/healthz?status=503")
                await wait_until(lambda: len(said) == 2)
                await post(port, "/healthz?status=200")
                await wait_until(lambda: len(said) == 3)
    assert [ready for _, _, ready, _ in said] == [True, False, True]
    assert said[1][3] == "2 probes in a row failed, the last one: answered 503 instead of 200 to 399"


async def post(port: int, target: str) -> None:
    await get(port, target, body=b"x")


async def test_probe_now_does_not_wait_for_the_interval() -> None:
    ask, asked = moments()
    async with prober(ask) as (probes, _):
        probes.watch("web", "web-1", "unused:1", ProbeSpec(path="/", interval_s=3600.0))
        await wait_until(lambda: len(asked) == 1)
        probes.probe_now("web", "web-1")
        await wait_until(lambda: len(asked) == 2)
        probes.probe_now("web", "web-unknown")


async def test_a_flood_of_doubts_still_leaves_a_gap_between_probes() -> None:
    ask, asked = moments()
    async with prober(ask) as (probes, _):
        probes.watch("web", "web-1", "unused:1", ProbeSpec(path="/", interval_s=3600.0))

        def doubted_often() -> bool:
            probes.probe_now("web", "web-1")
            return len(asked) >= 4

        await wait_until(doubted_often)
    assert all(later - earlier >= GAP_S * 0.99 for earlier, later in pairwise(asked))


def test_after_an_early_probe_the_next_one_is_one_interval_away() -> None:
    async def story() -> list[float]:
        ask, asked = moments()
        async with prober(ask) as (probes, _):
            probes.watch("web", "web-1", "unused:1", ProbeSpec(path="/", interval_s=10.0))
            await asyncio.sleep(4)
            probes.probe_now("web", "web-1")
            await asyncio.sleep(14)
        return asked

    first, early, next_one = in_virtual_time(story)
    assert early - first == pytest.approx(4, abs=0.1)
    assert next_one - early == pytest.approx(10, rel=JITTER, abs=0.1)


def test_slow_answers_cause_no_drift() -> None:
    async def story() -> int:
        asked = 0

        async def slow(address: str, spec: ProbeSpec) -> Outcome:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0.8)
            return Outcome(True, "slowly")

        async with prober(slow) as (probes, _):
            probes.watch("web", "web-1", "unused:1", ProbeSpec(path="/", interval_s=1.0))
            await asyncio.sleep(1000)
        return asked

    # Waiting a whole interval after each answer would make it 556.
    assert in_virtual_time(story) == pytest.approx(1000, rel=0.03)


async def test_intervals_differ_by_the_jitter_and_no_more() -> None:
    ask, _ = moments()
    async with prober(ask) as (probes, said):
        probes.watch("web", "web-1", "unused:1", ProbeSpec(path="/", interval_s=10.0))
        await wait_until(lambda: said)
        watched, _ = probes._watched["web", "web-1"]
        pauses = [probes._pause_s(watched) for _ in range(100)]
    assert 9.0 <= min(pauses) < 9.5
    assert 10.5 < max(pauses) <= 11.0


async def test_a_forgotten_replica_gives_no_verdict_even_if_its_probe_was_under_way() -> None:
    release = asyncio.Event()

    async def waits(address: str, spec: ProbeSpec) -> Outcome:
        await release.wait()
        return Outcome(True, "too late")

    async with prober(waits) as (probes, said):
        probes.watch("web", "web-1", "unused:1", HTTP)
        await asyncio.sleep(0)
        probes.forget("web", "web-1")
        release.set()
        await asyncio.sleep(0)
    assert said == []


async def test_watching_again_starts_from_nothing_known() -> None:
    ask, _ = moments()
    async with prober(ask) as (probes, said):
        probes.watch("web", "web-1", "unused:1", HTTP)
        await wait_until(lambda: len(said) == 1)
        probes.watch("web", "web-1", "unused:1", HTTP)
        await wait_until(lambda: len(said) == 2)
    assert [ready for _, _, ready, _ in said] == [True, True]


def counting(most: Counter[str]) -> Ask:
    async def ask(address: str, spec: ProbeSpec) -> Outcome:
        most["now"] += 1
        most["peak"] = max(most["peak"], most["now"])
        await asyncio.sleep(0.001)
        most["now"] -= 1
        return Outcome(True, "counted")

    return ask


async def test_thousands_of_replicas_are_probed_with_bounded_concurrency() -> None:
    most: Counter[str] = Counter()
    async with prober(counting(most), concurrency=100) as (probes, said):
        for number in range(3000):
            probes.watch("web", f"web-{number}", "unused:1", ProbeSpec(path="/", interval_s=3600.0))
        await wait_until(lambda: len(said) == 3000)
    assert most["peak"] == 100


async def test_a_tcp_probe_is_made_where_no_path_is_given(tiny: int) -> None:
    def never(address: str, spec: ProbeSpec) -> Callable[[], None]:
        raise AssertionError("no HTTP probe was asked for")

    async with prober(never) as (probes, said):  # type: ignore[arg-type]  # it must not be called at all
        probes.watch("web", "web-1", f"127.0.0.1:{tiny}", ProbeSpec(interval_s=0.05))
        await wait_until(lambda: said)
    assert said == [("web", "web-1", True, "accepts connections")]


def test_a_deadline_that_passed_while_this_process_was_stopped_is_not_held_against_the_replica() -> None:
    """Virtual time, for a stopped process has no clock: the second probe seems to have taken ten seconds of its one."""

    async def story() -> tuple[Said, int]:
        asked = 0

        async def ask(address: str, spec: ProbeSpec) -> Outcome:
            nonlocal asked
            asked += 1
            stopped = asked == 2
            await asyncio.sleep(10.0 if stopped else 0.01)
            return Outcome(not stopped, "as told")

        async with prober(ask) as (probes, said):
            probes.watch("web", "web-1", "unused:1", ProbeSpec(path="/", interval_s=1.0, timeout_s=1.0, fall=1))
            await asyncio.sleep(20.0)
        return said, asked

    said, asked = in_virtual_time(story)
    assert [ready for _, _, ready, _ in said] == [True]
    assert asked > 5


async def test_who_is_distrusted_is_unready_at_once_and_comes_back_through_its_probes() -> None:
    ask, asked = moments()
    async with prober(ask) as (probes, said):
        probes.watch("web", "web-1", "127.0.0.1:1", HTTP)
        await wait_until(lambda: len(said) == 1)
        until_s = asyncio.get_running_loop().time() + 0.3
        probes.distrust("web", "web-1", until_s, "5 attempts in a row failed")
        assert said[1] == ("web", "web-1", False, "5 attempts in a row failed")
        assert probes.reason("web", "web-1") == "5 attempts in a row failed"
        await wait_until(lambda: len(said) == 3)
        assert said[2][2] is True
        assert len([moment for moment in asked if moment >= until_s]) == HTTP.rise


async def test_who_is_pardoned_is_ready_at_once_if_its_probes_pass() -> None:
    for passes in (True, False):
        outcome = [True]

        async def ask(address: str, spec: ProbeSpec, outcome: list[bool] = outcome) -> Outcome:
            return Outcome(outcome[0], "as told")

        async with prober(ask) as (probes, said):
            probes.watch("web", "web-1", "127.0.0.1:1", HTTP)
            await wait_until(lambda said=said: len(said) == 1)
            probes.distrust("web", "web-1", asyncio.get_running_loop().time() + 60, "it is slow")
            outcome[0] = passes
            await asyncio.sleep(0.2)  # a few probes
            probes.pardon("web", "web-1")
            assert len(said) == (3 if passes else 2)


async def test_distrust_of_who_is_not_ready_changes_nothing() -> None:
    ask, _ = moments(passed=False)
    async with prober(ask) as (probes, said):
        probes.watch("web", "web-1", "127.0.0.1:1", HTTP)
        probes.distrust("web", "web-1", asyncio.get_running_loop().time() + 60, "it is slow")
        probes.distrust("web", "nobody", 0.0, "is not there")
        assert said == []
