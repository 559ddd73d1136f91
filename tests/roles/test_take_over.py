"""Autoscalers that follow each other over replicas that outlive them: two proxies and their autoscalers in this process, with real
workers, a real application, and an engine whose instances stay when a program ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoscaler.cluster.engine import Changed, Discovered, EngineError, Instance, InstanceStatus, Labelled, Tell, silent
from sidecar import orders
from sidecar.config import Config
from sidecar.configuration import load
from sidecar.controller import Controller
from sidecar.engines import Engines
from sidecar.program import Program
from sidecar.proxies import path, remote
from sidecar.proxy import Proxy
from sidecar.views import NotScalable
from tests.controller.house import WEB, written
from tests.fleet.yard import YardEngine
from tests.support import Answer, connect, get, wait_until


class Lasting(YardEngine):
    """Its instances stay. away: it cannot say what there is. All instances are one application."""

    outlives = True

    def __init__(self, app: int) -> None:
        super().__init__(time.monotonic)
        self.away = False
        self.told: list[Changed] = []
        self.changed = lambda service: [tell(service) for tell in self.told]
        for number in range(3):
            name = f"web-{number}"
            self.instances[name] = Instance(name, "web", f"127.0.0.1:{app}", InstanceStatus.RUNNING, self.clock())

    async def open(self, changed: Changed, tell: Tell = silent) -> None:
        self.told.append(changed)

    async def list(self, service: str) -> Sequence[Instance]:
        if self.away:
            raise EngineError("the engine does not answer")
        return await super().list(service)

    def come_back(self) -> None:
        self.away = False
        self.changed("web")


@pytest.fixture
def engine(tiny: int, monkeypatch: pytest.MonkeyPatch) -> Lasting:
    """Every service runs on it."""
    made = Lasting(tiny)

    async def opened(_: Engines, changed: Changed, tell: Tell) -> None:
        await made.open(changed)

    monkeypatch.setattr(Engines, "of", lambda *_: made)
    monkeypatch.setattr(Engines, "trouble", lambda *_: "")
    monkeypatch.setattr(Engines, "open", opened)
    return made


@asynccontextmanager
async def living(program: Program) -> AsyncIterator[None]:
    life = asyncio.create_task(program.run())
    try:
        await wait_until(lambda: life.done() or any(each["kind"] == "started" for each in program.events(1000)))
        yield
    finally:
        program.stop()
        await asyncio.wait_for(life, 20)


class Site:
    """Proxies, and what their autoscalers are configured by."""

    def __init__(self, directory: Path) -> None:
        self.config: Config = load(written(directory / "ecluse.yaml", WEB))
        self.proxies = [Proxy(self.config), Proxy(self.config)]
        self.proxy, self.other = self.proxies

    @property
    def ports(self) -> list[int]:
        return [int(proxy.overview().listen[0].rsplit(":", 1)[1]) for proxy in self.proxies]

    @property
    def port(self) -> int:
        return self.ports[0]

    def autoscaler(self) -> Controller:
        addresses = [proxy._admin.address for proxy in self.proxies if proxy._admin]
        return Controller(replace(self.config, proxies=tuple(addresses)), apart=True)

    def lines(self, proxy: Proxy) -> list[list[Any]]:
        """The replicas in a proxy's table."""
        table = proxy.proxy().held()["table"]
        return [line for service in table["services"] for line in service["replicas"]] if table else []

    async def in_step(self, autoscaler: Controller, ready: int) -> None:
        def so() -> bool:
            known = autoscaler.overview()
            states = [[line[3] for line in self.lines(proxy)] for proxy in self.proxies]
            used = {each.acknowledged for each in known.proxies}
            return states == [["ready"] * ready] * 2 and used == {known.generation}

        await wait_until(lambda: autoscaler.service("web").ready == ready, 20)
        await wait_until(so, 20)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    async with living(made.proxy), living(made.other):
        yield made


def requests(program: Program) -> int:
    """Whole answers that replicas gave."""
    return sum(replica.reading.requests for replica in program.service("web").replicas)


def in_flight(program: Program) -> int:
    return sum(replica.reading.in_flight for replica in program.service("web").replicas)


@asynccontextmanager
async def asked_all_the_time(port: int) -> AsyncIterator[list[int]]:
    statuses: list[int] = []
    ending = asyncio.Event()

    async def ask() -> None:
        async with connect(port) as client:
            while not ending.is_set():
                answer: Answer = await client.request()
                statuses.append(answer.status)

    asking = asyncio.create_task(ask())
    try:
        yield statuses
    finally:
        ending.set()
        await asking


async def test_an_autoscaler_that_is_started_again_changes_no_count_and_no_request_fails(site: Site, engine: Lasting) -> None:
    first = site.autoscaler()
    async with living(first):
        await site.in_step(first, 3)
        slots = {line[0]: line[1] for line in site.lines(site.proxy)}
        engine.instances = dict(reversed(engine.instances.items()))
    async with asked_all_the_time(site.port) as statuses:
        engine.away = True  # it comes back later than the autoscaler
        second = site.autoscaler()
        async with living(second):
            await wait_until(lambda: all(proxy.acknowledged for proxy in second.overview().proxies))
            seen = len(statuses)
            await wait_until(lambda: len(statuses) > seen + 50)
            engine.come_back()
            await site.in_step(second, 3)
            seen = len(statuses)
            await wait_until(lambda: len(statuses) > seen + 50)
            assert second.service("web").desired == 3
            assert "decision" not in [event["kind"] for event in second.events(1000)]
            assert {line[0]: line[1] for line in site.lines(site.proxy)} == slots
    assert set(statuses) == {200}
    assert engine.calls == []


async def test_the_autoscaler_counts_what_all_proxies_carry_from_when_it_began(site: Site, engine: Lasting) -> None:
    first = site.autoscaler()
    async with living(first):
        await site.in_step(first, 3)
        for port, count in zip(site.ports, (20, 30), strict=True):
            assert [(await get(port)).status for _ in range(count)] == [200] * count
        slow = [asyncio.create_task(get(port, "/slow?ms=1000")) for port in (*site.ports, site.port)]
        await wait_until(lambda: in_flight(first) == 3)
        assert [answer.status for answer in await asyncio.gather(*slow)] == [200] * 3
        await wait_until(lambda: (requests(first), in_flight(first)) == (53, 0))
        assert [requests(proxy) for proxy in site.proxies] == [22, 31]
    second = site.autoscaler()
    async with living(second):
        await site.in_step(second, 3)
        for port in site.ports:
            await get(port)
        await wait_until(lambda: requests(second) == 2)


async def test_an_autoscaler_that_was_stopped_for_a_while_does_not_take_its_own_deafness_for_their_silence(
    site: Site, engine: Lasting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LOST_S", 0.6)
    monkeypatch.setattr(path, "LATE_S", 0.1)
    autoscaler = site.autoscaler()
    async with living(autoscaler):
        await site.in_step(autoscaler, 3)
        time.sleep(1.0)  # noqa: ASYNC251 - the fault itself: nothing in this process goes on
        checked = site.proxy.overview().generation
        autoscaler.scale("web", 2)
        await site.in_step(autoscaler, 2)
        assert site.proxy.overview().generation > checked
        assert "proxy_lost" not in [event["kind"] for event in autoscaler.events(1000)]


async def test_a_replica_is_stopped_when_nothing_is_in_flight_on_it_in_any_proxy(site: Site, engine: Lasting) -> None:
    autoscaler = site.autoscaler()
    async with living(autoscaler):
        await site.in_step(autoscaler, 3)
        target = site.lines(site.other)[0][0]
        slow: list[asyncio.Task[Answer]] = []

        def carried() -> bool:
            """By the other proxy, on that replica: p2c takes it sooner or later."""
            slow.append(asyncio.create_task(get(site.ports[1], "/slow?ms=1500")))
            replicas = autoscaler.service("web").replicas
            return any(each.id == target and each.reading.in_flight for each in replicas)

        await wait_until(carried)
        autoscaler.drain("web", target)
        drained = asyncio.create_task(wait_until(lambda: f"stop {target}" in engine.calls))
        done, _ = await asyncio.wait([drained, *slow[:1]], return_when=asyncio.FIRST_COMPLETED)
        assert drained not in done
        assert {answer.status for answer in await asyncio.gather(*slow)} == {200}
        await drained
        kinds = [event["kind"] for event in autoscaler.events(1000)]
        assert ("drained" in kinds, "drain_timeout" in kinds) == (True, False)


async def test_an_autoscaler_that_was_superseded_does_nothing_until_the_other_is_gone(
    site: Site, engine: Lasting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "ABANDONED_S", 1.0)
    older = site.autoscaler()
    async with living(older):
        await site.in_step(older, 3)
        newer = site.autoscaler()
        async with living(newer):
            await site.in_step(newer, 3)
            await wait_until(lambda: "superseded" in older.service("web").conditions)
            with pytest.raises(NotScalable, match="another autoscaler"):
                older.scale("web", 1)
            newer.scale("web", 2)
            await site.in_step(newer, 2)
            await wait_until(lambda: older.service("web").current == 2)
            decided = sum(older.decisions().values())
        await wait_until(lambda: "superseded" not in older.service("web").conditions)
        await wait_until(lambda: sum(older.decisions().values()) > decided)
        assert older.service("web").desired == 2
        await site.in_step(older, 2)
    assert "start" not in engine.calls
    assert len(engine.calls) == 1  # the one that the newer one stopped


async def test_without_a_proxy_that_is_heard_the_count_is_held_and_it_is_said_why(site: Site, engine: Lasting) -> None:
    alone = Controller(replace(site.config, proxies=("127.0.0.1:1",)), apart=True)
    async with living(alone):
        await wait_until(lambda: alone.service("web").ready == 3)
        await wait_until(lambda: sum(alone.decisions().values()) >= 2)
        assert alone.service("web").desired == 3
        assert {reason for _, reason in alone.decisions()} == {"no_data"}
        assert not alone.ready()
        (proxy,) = alone.overview().proxies
        assert (proxy.age_s, "does not run" in proxy.detail) == (None, True)
    assert engine.calls == []


async def test_services_that_an_engine_tells_of_at_once_wait_for_what_the_proxies_know_so_that_no_slot_is_given_twice(
    site: Site, engine: Lasting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def opened(_: Engines, changed: Changed, tell: Tell) -> None:
        await engine.open(changed)
        changed("")

    found = Discovered("web", {"ecluse.enable": "true"}, Labelled("web"))
    monkeypatch.setattr(Engines, "open", opened)
    monkeypatch.setattr(Engines, "discovered", lambda *_: [found])
    site.config = replace(site.config, services=(), engine="docker")
    first = site.autoscaler()
    async with living(first):
        await site.in_step(first, ready=3)
        before = {line[0]: line[1] for line in site.lines(site.proxy)}
    second = site.autoscaler()
    async with living(second):
        await site.in_step(second, ready=3)
        assert {line[0]: line[1] for line in site.lines(site.proxy)} == before
        assert len({*before.values()}) == 3
