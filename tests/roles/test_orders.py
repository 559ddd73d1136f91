"""What a proxy does as autoscalers tell it: real workers' memory, no workers; the clock is the test's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import httpx
import pytest

from balancer.delta import Chronicle, updated
from balancer.hotpath import board
from balancer.limits import REPLICAS
from balancer.scoreboard import Scoreboard
from balancer.table import Affinity, By, ReplicaEntry, ReplicaState, RouteEntry, RoutingTable, ServiceEntry, Settings
from sidecar.admin import serve, streams
from sidecar.config import Config
from sidecar.local_path import LocalPath
from sidecar.orders import ABANDONED_S, WAITING, Orders
from sidecar.proxies import cells
from sidecar.proxies.link import Link
from sidecar.views import Misfit, Superseded
from tests.admin.control import FakeControl

REPLICA = ReplicaEntry("web-1", 3, "10.0.0.1:80", ReplicaState.READY)
TABLE = RoutingTable(1, (RouteEntry("", "/", "web"),), (ServiceEntry("web", 2, replicas=(REPLICA,)),))
OLD, NEW = 100, 200


class Path(LocalPath):
    """Keeps the tables instead of sending them to workers; all are acknowledged at once."""

    def __init__(self) -> None:
        super().__init__(Config("", (), workers=1), lambda message: None, lambda kind, message: None)
        self.tables: list[RoutingTable] = []

    @property
    def board(self) -> Scoreboard:
        return self._scoreboard

    def send_table(self, table: RoutingTable) -> None:
        self.tables.append(table)


class Desk:
    """One proxy's orders. `now_s` is its clock."""

    def __init__(self) -> None:
        self.path = Path()
        self.now_s = 1000.0
        self.told: list[str] = []
        self.took: list[RoutingTable] = []
        self.orders = Orders(
            self.path,
            lambda: Settings(access_log="own.log"),
            self.took.append,
            lambda kind, message: self.told.append(message),
            lambda: self.now_s,
        )
        self.orders.begin()

    def close(self) -> None:
        self.path.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    with closing(Desk()) as made:
        yield made


def changes(*tables: RoutingTable, since: int = 0) -> dict[str, Any]:
    chronicle = Chronicle()
    for table in tables:
        chronicle.enter(table)
    return chronicle.since(since)


def second(generation: int = 2) -> RoutingTable:
    draining = replace(REPLICA, state=ReplicaState.DRAINING)
    return replace(TABLE, generation=generation, services=(ServiceEntry("web", 2, replicas=(draining,)),))


async def test_a_table_is_given_to_the_workers_in_our_own_numbering_and_with_our_own_settings(desk: Desk) -> None:
    assert desk.orders.take(OLD, changes(replace(TABLE, generation=17))) == 17
    first, given = desk.path.tables
    assert [route.service for route in first.routes] == ["-"]  # before the autoscaler came: nobody to send requests to
    assert (given.generation, given.services, given.settings.access_log) == (2, TABLE.services, "own.log")
    assert [table.generation for table in desk.took] == [17]


async def test_what_changed_is_enough_and_what_came_before_is_not_taken_twice(desk: Desk) -> None:
    desk.orders.take(OLD, changes(TABLE))
    assert desk.orders.take(OLD, changes(TABLE, second(), since=1)) == 2
    assert desk.orders.take(OLD, changes(TABLE)) == 2
    assert [table.services[0].replicas[0].state.value for table in desk.took] == ["ready", "draining"]


async def test_changes_of_a_table_that_it_has_not_got_are_refused(desk: Desk) -> None:
    desk.orders.take(OLD, changes(TABLE))
    with pytest.raises(Misfit):
        desk.orders.take(OLD, changes(TABLE, second(5), second(6), since=5))
    with pytest.raises(Misfit):
        desk.orders.take(NEW, changes(TABLE, second(), since=1))  # another autoscaler's numbers mean nothing here


async def test_the_later_autoscaler_is_obeyed_until_it_is_silent_for_long(desk: Desk) -> None:
    desk.orders.take(OLD, changes(TABLE))
    desk.orders.take(NEW, changes(second()))
    for asked in (lambda: desk.orders.take(OLD, changes(TABLE)), lambda: desk.orders.readings(OLD)):
        with pytest.raises(Superseded, match="stop one of the two"):
            asked()
    assert desk.orders.held()["epoch"] == NEW
    desk.now_s += ABANDONED_S
    desk.orders.take(OLD, changes(TABLE))
    assert desk.orders.held()["epoch"] == OLD


async def test_the_table_it_has_is_told_whole_to_who_asks(desk: Desk) -> None:
    assert desk.orders.held() == {"life": desk.orders.life, "epoch": 0, "table": None}
    desk.orders.take(OLD, changes(TABLE))
    assert desk.orders.held()["table"] == changes(TABLE)


async def test_the_keys_of_sessions_are_not_told(desk: Desk) -> None:
    signed = replace(TABLE.services[0], affinity=Affinity(By.SESSION, "ecluse", "00ff"))
    desk.orders.take(OLD, changes(replace(TABLE, services=(signed,))))
    assert desk.orders.table.services == (signed,)
    assert desk.orders.held()["table"]["services"][0]["affinity"] == {**SERVICE["affinity"], "by": "session", "name": "ecluse"}


async def test_readings_tell_what_changed_and_the_acknowledgement_before_it(desk: Desk) -> None:
    desk.orders.take(OLD, changes(TABLE))
    row = desk.path.board.row(0)
    readings = desk.orders.readings(OLD)
    first = await anext(readings)
    assert (first["taken"], first["replicas"].keys(), first["services"].keys()) == (1, {"3"}, {"2"})
    row.enter(3, 0)
    told = await anext(readings)
    assert told["acknowledged"] == 1
    assert told["replicas"]["3"][cells.GAUGE] == 1
    assert told["services"] == {}
    await readings.aclose()
    assert "requests go on by table 1" in desk.told[-1]


async def test_a_wake_comes_at_once_and_what_waits_is_bounded(desk: Desk) -> None:
    for number in range(WAITING + 50):
        desk.orders.heard({"kind": "wake", "service": f"s{number}"})
        desk.orders.heard({"kind": "wake", "service": f"s{number}"})
    readings = desk.orders.readings(OLD)
    assert len((await anext(readings))["heard"]) == WAITING
    desk.orders.heard({"kind": "refused", "service": "web", "replica": "web-1"})
    assert (await anext(readings))["heard"] == [{"kind": "refused", "service": "web", "replica": "web-1"}]
    await readings.aclose()


async def test_who_asks_for_readings_again_ends_the_former_stream(desk: Desk) -> None:
    former = desk.orders.readings(OLD)
    await anext(former)
    latter = desk.orders.readings(OLD)
    assert await anext(former, None) is None
    assert (await anext(latter))["life"] == desk.orders.life
    await latter.aclose()


SERVICE = changes(TABLE)["services"][0]
REFUSED = [
    pytest.param({**SERVICE, "slot": 2048}, id="a service's slot beyond the scoreboard"),
    pytest.param({**SERVICE, "slot": -1}, id="a slot before its beginning"),
    pytest.param({**SERVICE, "replicas": [["web-1", REPLICAS, "10.0.0.1:80", "ready", 1, 0]]}, id="a replica's slot beyond it"),
    pytest.param({**SERVICE, "replicas": [["web-1", 0, "10.0.0.1:80", "well", 1, 0]]}, id="an unknown state"),
    pytest.param({**SERVICE, "rates": [["all", 0, 1, ""]]}, id="a rate that is none"),
    pytest.param({**SERVICE, "affinity": {**SERVICE["affinity"], "name": "a\r\nb"}}, id="a cookie's name with a line end"),
    pytest.param({**SERVICE, "affinity": {**SERVICE["affinity"], "key": "xyz"}}, id="a key that is not hexadecimal"),
    pytest.param({**SERVICE, "policy": "mine"}, id="an unknown policy"),
    pytest.param({**SERVICE, "queue_timeout_s": -1}, id="a negative time"),
    pytest.param({**SERVICE, "more": 1}, id="a key of another version"),
]


@pytest.mark.parametrize("service", REFUSED)
async def test_over_http_a_table_that_cannot_be_right_is_refused(desk: Desk, service: dict[str, Any]) -> None:
    control = FakeControl()
    control.as_proxy = desk.orders
    admin = await serve(control, "127.0.0.1:0", "")
    async with httpx.AsyncClient(base_url=f"http://{admin.address}") as api:
        bad = await api.put("/api/proxy/table", json={"epoch": OLD, "table": {**changes(TABLE), "services": [service]}})
        assert (bad.status_code, bad.json()["error"]) == (400, "invalid")
        table = {name: part for name, part in changes(TABLE).items() if name != "settings"}
        good = await api.put("/api/proxy/table", json={"epoch": OLD, "table": table})
        assert (good.status_code, good.json()) == (200, {"generation": 1})
        assert desk.orders.table.services == TABLE.services
    await admin.close()


@pytest.mark.parametrize(
    ("method", "how", "status"),
    [
        pytest.param("GET", {}, 405, id="by a link"),
        pytest.param("POST", {"content": "{}", "headers": {"content-type": "text/plain"}}, 415, id="by a form"),
        pytest.param("POST", {"json": {"epoch": NEW}, "headers": {"sec-fetch-site": "cross-site"}}, 403, id="by a page's script"),
        pytest.param("POST", {"json": {"epoch": -1}}, 400, id="with a number that is none"),
    ],
)
async def test_over_http_nobody_becomes_the_autoscaler(desk: Desk, method: str, how: dict[str, Any], status: int) -> None:
    control = FakeControl()
    control.as_proxy = desk.orders
    admin = await serve(control, "127.0.0.1:0", "")
    async with httpx.AsyncClient(base_url=f"http://{admin.address}") as api:
        assert (await api.request(method, "/api/proxy/readings", **how)).status_code == status
    desk.orders.take(OLD, changes(TABLE))
    await admin.close()


async def test_over_http_readings_have_room_however_many_other_streams_are_open(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LIMIT", 0)
    control = FakeControl()
    control.as_proxy = desk.orders
    admin = await serve(control, "127.0.0.1:0", "")
    link = Link(admin.address, "")
    readings = link.readings(OLD)
    assert (await anext(readings))["taken"] == 0
    await link.give(OLD, {name: part for name, part in changes(TABLE).items() if name != "settings"})
    taken = await _until_taken(readings)
    assert taken["services"].keys() == {"2"}
    assert updated(RoutingTable(), (await link.held())["table"]) == replace(TABLE, settings=Settings())
    await readings.aclose()
    await link.close()
    await admin.close()


async def _until_taken(readings: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while not (message := await anext(readings))["taken"]:
            pass
    return message


def test_a_replicas_cells_are_as_many_as_the_board_has_room_for() -> None:
    assert cells.REPLICA <= board.REPLICA_WORDS
    assert cells.SERVICE <= board.SERVICE_WORDS
