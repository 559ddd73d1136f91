"""A DNS name as a source of replicas."""

import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from autoscaler.cluster.dns import Answers, Dns, after_answer, after_failure, resolve
from tests.support import wait_until


class Zone:
    """A name that can be changed while it is asked for."""

    def __init__(self, *ips: str) -> None:
        self.answer: Callable[[], Sequence[str]] = lambda: ips
        self.asked = 0

    def __call__(self, name: str) -> Sequence[str]:
        assert name == "tasks.web"
        self.asked += 1
        return self.answer()

    def become(self, *ips: str) -> None:
        self.answer = lambda: ips

    def fail(self) -> None:
        def failing() -> Sequence[str]:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        self.answer = failing


@asynccontextmanager
async def following(zone: Zone, told: list[str] | None = None) -> AsyncIterator[Dns]:
    engine = Dns(resolver=zone, interval_s=0.01, deadline_s=0.1)
    await engine.open((told if told is not None else []).append)
    engine.set_name("web", "tasks.web:8000")
    try:
        yield engine
    finally:
        await engine.close()


async def addresses(engine: Dns) -> list[str]:
    return [one.address for one in await engine.list("web")]


async def settles(engine: Dns, *expected: str) -> None:
    async def so() -> bool:
        return await addresses(engine) == [*expected]

    await wait_until(so)


async def detail(engine: Dns) -> str:
    return (await engine.list("web"))[0].detail


async def test_a_name_stands_for_all_its_addresses_of_both_families() -> None:
    async with following(Zone("10.0.0.6", "::1", "10.0.0.5")) as engine:
        await settles(engine, "10.0.0.5:8000", "10.0.0.6:8000", "[::1]:8000")
        assert not engine.can_scale


async def test_addresses_come_and_go_and_those_that_stay_keep_id_and_age() -> None:
    zone, told = Zone("10.0.0.5", "10.0.0.6"), list[str]()
    async with following(zone, told) as engine:
        await settles(engine, "10.0.0.5:8000", "10.0.0.6:8000")
        stayed = (await engine.list("web"))[1]
        zone.become("10.0.0.6", "10.0.0.7")
        await settles(engine, "10.0.0.6:8000", "10.0.0.7:8000")
        assert (await engine.list("web"))[0] == stayed
        assert told == ["web", "web"]


async def test_when_resolving_fails_the_last_good_answer_stays_and_says_so() -> None:
    zone = Zone("10.0.0.5")
    async with following(zone) as engine:
        await settles(engine, "10.0.0.5:8000")
        zone.fail()
        await wait_until(lambda: "Temporary failure in name resolution" in engine.trouble("web"))
        asked = zone.asked
        await wait_until(lambda: zone.asked > asked + 5)
        assert "the last addresses known are used" in await detail(engine)
        assert await addresses(engine) == ["10.0.0.5:8000"]
        zone.become("10.0.0.5")
        await wait_until(lambda: not engine.trouble("web"))
        assert await detail(engine) == ""


async def test_an_empty_answer_is_believed_in_the_end() -> None:
    zone = Zone("10.0.0.5")
    async with following(zone) as engine:
        await settles(engine, "10.0.0.5:8000")
        zone.become()
        await settles(engine)
        assert engine.trouble("web") == "the name has no addresses"


async def test_a_resolver_that_hangs_is_asked_once_only_and_its_late_answer_counts() -> None:
    zone, released = Zone(), threading.Event()

    def slow() -> Sequence[str]:
        assert released.wait(10)
        return ["10.0.0.5"]

    zone.answer = slow
    async with following(zone) as engine:
        await wait_until(lambda: "no answer within 0.1 s" in engine.trouble("web"))
        assert zone.asked == 1
        released.set()
        await settles(engine, "10.0.0.5:8000")


async def test_a_changed_name_is_followed_and_a_forgotten_one_is_not() -> None:
    zone = Zone("10.0.0.5")
    async with following(zone) as engine:
        await settles(engine, "10.0.0.5:8000")
        engine.set_name("web", "tasks.web:9000")
        await settles(engine, "10.0.0.5:9000")
        engine.forget("web")
        assert await addresses(engine) == []


@pytest.mark.parametrize("target", ["tasks.web", "tasks.web:0", ":80", "a..b:80", "x" * 64 + ":80"])
async def test_what_cannot_be_a_name_with_a_port_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"is not a|cannot be a DNS name"):
        Dns().set_name("web", target)


@pytest.mark.parametrize(
    ("before", "ips", "after"),
    [
        pytest.param(Answers(), ["b", "a", "b"], Answers(("a", "b")), id="sorted-and-each-once"),
        pytest.param(Answers(("a",), 2, "trouble"), ["b"], Answers(("b",)), id="a-good-answer-forgets-trouble"),
        pytest.param(Answers(), [], Answers((), 1, "the name has no addresses"), id="nothing-known-and-nothing-found"),
        pytest.param(Answers(("a",), 2), [], Answers((), 3, "the name has no addresses"), id="the-third-empty-answer-counts"),
    ],
)
def test_answers(before: Answers, ips: list[str], after: Answers) -> None:
    assert after_answer(before, ips) == after


def test_an_empty_answer_or_a_failure_keeps_the_addresses() -> None:
    known = Answers(("a",))
    assert after_answer(known, []).ips == after_failure(known, "refused").ips == ("a",)
    assert "refused" in after_failure(known, "refused").trouble


def test_the_systems_resolver_knows_the_loopback_addresses_and_what_has_none() -> None:
    assert resolve("127.0.0.1") == ["127.0.0.1"]
    assert "127.0.0.1" in resolve("localhost") or "::1" in resolve("localhost")


def test_a_failure_before_any_answer_does_not_speak_of_addresses_known() -> None:
    assert after_failure(Answers(), "refused").trouble == "could not be resolved (refused); no address of it is known"
