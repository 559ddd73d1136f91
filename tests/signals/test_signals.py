"""Signals over time: a real Prometheus, real applications, and the real controller that scales on what they tell."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from autoscaler.rules import Behavior, MetricRule, MetricType, Rules, ScaleToZero, ScalingRules
from probes.signals.signals import NotPushed, Signals
from probes.signals.source import Reading
from probes.signals.spec import SignalSpec, SignalType
from sidecar.controller import Controller
from tests.controller.house import House, house
from tests.signals.prometheus import prometheus
from tests.support import free_port, wait_until

Told = list[tuple[str, str, str, str]]
QUICK = Behavior(scale_down=ScalingRules(0.0, ()))
JOBS = SignalSpec("jobs", SignalType.JSON, pointer="/jobs", interval_s=0.05, timeout_s=0.5, stale_after_s=5.0)
PUSHED = SignalSpec("jobs", SignalType.EXTERNAL, stale_after_s=30.0)


class Application:
    """Answers every GET with the same octets, on a TCP port or a Unix socket; body None: never."""

    def __init__(self) -> None:
        self.head = b"HTTP/1.1 200 OK"
        self.body: bytes | None = b'{"jobs": 3}'
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        if self.body is None:
            await reader.read()
        else:
            writer.write(b"%s\r\nContent-Length: %d\r\n\r\n%s" % (self.head, len(self.body), self.body))
        writer.close()


@asynccontextmanager
async def application(where: str = "") -> AsyncIterator[tuple[Application, str]]:
    """(the application, its address)"""
    app = Application()
    if where:
        listener = await asyncio.start_unix_server(app.serve, where)
        yield app, f"unix:{where}"
    else:
        listener = await asyncio.start_server(app.serve, "127.0.0.1", 0)
        yield app, f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    listener.close()


@asynccontextmanager
async def signals(*specs: SignalSpec) -> AsyncIterator[tuple[Signals, Told]]:
    told: Told = []
    made = Signals(lambda *what: told.append(what), random.Random(1), time.monotonic)
    made.declare("shop", specs)
    try:
        yield made, told
    finally:
        await made.close()


def reading(made: Signals, replica: str = "") -> Reading:
    return made.readings("shop", time.monotonic())["jobs"][replica]


async def test_a_document_is_asked_for_again_and_again() -> None:
    async with application() as (app, address):
        spec = replace(JOBS, url=f"http://{address}/stats?all=1", headers={"authorization": "Bearer sesame"})
        async with signals(spec) as (made, told):
            await wait_until(lambda: reading(made).value == 3)
            app.body = b'{"jobs": "8"}'
            await wait_until(lambda: reading(made).value == 8)
        assert app.asked[0].startswith(b"GET /stats?all=1 HTTP/1.1\r\n")
        assert b"authorization: Bearer sesame" in app.asked[0]
        assert told == []


FAULTS = {
    "an error": (b"HTTP/1.1 500 Oops", b"{}", "answered 500 instead of 200"),
    "garbage": (b"HTTP/1.1 200 OK", b"<html>", "the answer is no JSON: '<html>'"),
    "no HTTP": (b"SSH-2.0-OpenSSH", b"", "illegal status line"),
    "a redirect": (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/", b"", "a redirect, which is not followed"),
    "a body without end": (b"HTTP/1.1 200 OK", b" " * 300_000, "longer than 262144 octets"),
    "a packed answer": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip", b"x", "encoded (gzip), which was not asked for"),
    "no answer": (b"", None, "gave no whole answer within 0.5 s"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_told_once_and_so_is_its_end(fault: str) -> None:
    head, body, words = FAULTS[fault]
    async with application() as (app, address):
        app.head, app.body = head, body
        async with signals(replace(JOBS, url=f"http://{address}/")) as (made, told):
            await wait_until(lambda: made.failures("shop", "jobs") >= 2)
            assert words in reading(made).why
            app.head, app.body = b"HTTP/1.1 200 OK", b'{"jobs": 4}'
            await wait_until(lambda: reading(made).value == 4)
    assert [(kind, service, replica) for kind, _, service, replica in told] == [
        ("signal_failed", "shop", ""),
        ("signal_back", "shop", ""),
    ]


async def test_a_value_counts_until_it_is_stale() -> None:
    async with application() as (app, address), signals(replace(JOBS, url=f"http://{address}/")) as (made, _):
        await wait_until(lambda: reading(made).value == 3)
        app.body = b"{}"
        await wait_until(lambda: made.failures("shop", "jobs"))
        now_s = time.monotonic()
        assert made.readings("shop", now_s)["jobs"][""].value == 3
        later = made.readings("shop", now_s + 6)["jobs"][""]
        assert later.value is None
        assert later.why.endswith("s ago; the document has no /jobs; there is nothing")


async def test_each_ready_replica_is_asked_over_tcp_and_unix_sockets(tmp_path: Path) -> None:
    spec = replace(JOBS, path="/stats")
    async with application() as (_, tcp), application(str(tmp_path / "app.sock")) as (other, unix), signals(spec) as (made, told):
        other.body = b'{"jobs": 5}'
        made.follow("shop", {"shop-1": tcp, "shop-2": unix, "shop-3": f"127.0.0.1:{free_port()}"})
        await wait_until(lambda: (reading(made, "shop-1").value, reading(made, "shop-2").value) == (3, 5))
        await wait_until(lambda: "nothing listens on" in reading(made, "shop-3").why)
        assert [(kind, replica) for kind, _, _, replica in told] == [("signal_failed", "shop-3")]
        made.follow("shop", {"shop-2": unix})
        assert set(made.readings("shop", 0.0)["jobs"]) == {"shop-2"}


async def test_a_reload_keeps_the_values_of_what_is_the_same() -> None:
    async with signals(PUSHED, replace(PUSHED, name="orders")) as (made, _):
        made.push("shop", "jobs", 7)
        made.declare("shop", [replace(PUSHED, stale_after_s=60.0)])
        assert reading(made).value == 7
        with pytest.raises(NotPushed, match="no signal 'orders' is pushed to shop; there are: jobs"):
            made.push("shop", "orders", 1)


async def test_what_is_not_pushed_any_more_is_told() -> None:
    async with signals(replace(PUSHED, stale_after_s=0.05)) as (made, told):
        assert reading(made).why == "nothing was pushed yet"
        await wait_until(lambda: told)
        made.push("shop", "jobs", 1)
        await wait_until(lambda: len(told) == 3)
    assert [kind for kind, *_ in told] == ["signal_failed", "signal_back", "signal_failed"]


# The whole: what is told scales real replicas.


@asynccontextmanager
async def scaled(folder: Path, spec: SignalSpec, rules: Rules) -> AsyncIterator[House]:
    async with house(folder, rules=rules, signals=(spec,)) as home:
        yield home


async def test_prometheus_scales_real_replicas_up_and_down_and_is_missed_when_it_is_away(tmp_path: Path) -> None:
    queue = Application()
    queue.head, queue.body = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4", b"jobs_waiting 30\n"
    listener = await asyncio.start_server(queue.serve, "127.0.0.1", 0)
    target = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with prometheus(tmp_path / "prometheus", target) as server:
        spec = SignalSpec("jobs", SignalType.PROMETHEUS, server.url, query="sum(jobs_waiting)", interval_s=0.1, stale_after_s=1.5)
        rules = Rules(1, 4, (MetricRule(MetricType.PROMETHEUS, 10.0, name="jobs"),), QUICK)
        async with scaled(tmp_path, spec, rules) as home:
            await wait_until(lambda: home.web().desired == 3, 20)
            await server.stop()
            await wait_until(lambda: "signals" in home.web().conditions, 20)
            queue.body = b"jobs_waiting 10\n"
            assert home.web().desired == 3
            await server.start()
            await wait_until(lambda: home.web().desired == 1, 20)
            assert [kind for kind in home.kinds() if kind.startswith("signal")][-2:] == ["signal_failed", "signal_back"]
    listener.close()


async def test_a_pushed_value_wakes_a_service_that_sleeps(tmp_path: Path) -> None:
    metric = MetricRule(MetricType.EXTERNAL, 10.0, name="jobs", activation=5.0)
    rules = Rules(0, 4, (metric,), QUICK, scale_to_zero=ScaleToZero(1.0))
    async with scaled(tmp_path, PUSHED, rules) as home, admin(home.controller) as api:
        assert (await api.post("/api/services/web/signals/jobs", json={"value": 5})).json()["signals"][0]["value"] == 5
        await wait_until(lambda: home.web().desired == 0 and not home.states(), 20)
        assert (await api.post("/api/services/web/signals/jobs", json={"value": 19})).json()["desired"] >= 1
        await home.ready(2)
        assert (await api.post("/api/services/web/signals/jibs", json={"value": 1})).status_code == 404


def admin(controller: Controller) -> httpx.AsyncClient:
    assert controller._admin
    return httpx.AsyncClient(base_url=f"http://{controller._admin.address}")
