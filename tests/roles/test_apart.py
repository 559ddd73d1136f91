"""Two proxies and one autoscaler, each a process of its own, with real replicas and load through both proxies."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from tests.roles.apart import Apart, fixed, in_step, load, requests, started
from tests.support import get, tiny_app, wait_until
from tests.system.program import Program


class House:
    """Proxies and their autoscaler, up and in step."""

    def __init__(self, it: Apart, autoscaler: Program, *proxies: Program) -> None:
        self.it = it
        self.proxies = proxies
        self.autoscaler = autoscaler
        self.ports = [place.port for place in it.places]


async def house(stack: AsyncExitStack, directory: Path, service: dict[str, object], replicas: int, proxies: int = 2) -> House:
    """Started at the same time: nobody has to be there before the others."""
    it = Apart(directory, service, proxies)
    starting = (it.autoscaler(), *(it.proxy(number) for number in range(proxies)))
    made = House(it, *await asyncio.gather(*map(stack.enter_async_context, starting)))
    await made.autoscaler.ready(replicas)
    await in_step(made.autoscaler, *made.proxies)
    return made


async def test_scale_downs_through_two_proxies_fail_no_request(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        it = await house(stack, tmp_path, started(), 1)
        async with load(*it.ports) as came:
            for count in (3, 1, 3, 1):
                it.autoscaler.scale(count)
                await it.autoscaler.ready(count)
        assert set(came) == {200}
        assert came[200] > 50
        assert len(it.autoscaler.events("drained")) == 4
        await wait_until(lambda: all(len(proxy.service()["replicas"]) == 1 for proxy in it.proxies))


async def test_an_autoscaler_that_is_killed_and_started_again_is_not_noticed_by_clients(tmp_path: Path) -> None:
    with tiny_app() as (one, _), tiny_app() as (two, _):
        async with AsyncExitStack() as stack:
            it = await house(stack, tmp_path, fixed(one, two), 2)
            before = it.proxies[0].client.get("/api/proxy/table")["table"]
            async with load(*it.ports) as came:
                it.autoscaler.signal(signal.SIGKILL)
                await it.autoscaler.ended()
                for pid in it.proxies[0].pids("balancer.worker"):
                    os.kill(pid, signal.SIGKILL)
                await wait_until(lambda: it.proxies[0].events("worker_died") and it.proxies[0].overview()["workers"][0]["pid"])
                del came["IncompleteReadError"], came["ConnectionResetError"]  # what was in flight on the worker
                asked = came.total()
                await wait_until(lambda: came.total() > asked + 50)
                again = await stack.enter_async_context(it.it.autoscaler())
                await again.ready(2)
                await in_step(again, *it.proxies)
            assert set(came) == {200}
            after = it.proxies[0].client.get("/api/proxy/table")["table"]
            assert after["services"] == before["services"]  # the same replicas in the same slots
            kinds = [event["kind"] for event in again.events(service="web")]
            assert kinds[-4:] == ["found", "found", "ready", "ready"]  # the events before these are of the first life


async def test_a_proxy_that_is_started_again_gets_the_table_and_adds_nothing_wrong(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        it = await house(stack, tmp_path, started(2), 2)
        kept, restarted = it.ports
        async with load(kept) as came:
            sent = [(await get(restarted)).status for _ in range(10)]
            await wait_until(lambda: requests(it.proxies[1].service()) == 10)
            await wait_until(lambda: requests(it.autoscaler.service()) >= came[200] + 10)
            it.proxies[1].signal(signal.SIGTERM)
            assert await it.proxies[1].ended() == 0
            again = await stack.enter_async_context(it.it.proxy(1))
            await in_step(it.autoscaler, it.proxies[0], again)
            sent += [(await get(restarted)).status for _ in range(10)]
        assert set(sent) == set(came) == {200}
        await wait_until(lambda: requests(it.autoscaler.service()) == came[200] + 20)


async def test_a_proxy_that_hangs_holds_up_nothing_and_comes_back(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        it = await house(stack, tmp_path, started(), 1)
        it.autoscaler.scale(3)
        await it.autoscaler.ready(3)
        await in_step(it.autoscaler, *it.proxies)
        async with load(*it.ports) as came:
            it.proxies[1].signal(signal.SIGSTOP)
            it.autoscaler.scale(1)
            await it.autoscaler.ready(1)
            lost = it.autoscaler.events("proxy_lost")
            assert [it.proxies[1].admin in event["message"] for event in lost] == [True]
            it.proxies[1].signal(signal.SIGCONT)
            await in_step(it.autoscaler, *it.proxies)
        assert set(came) == {200}  # its workers went on, and found replicas gone that it had not been told of
        assert it.autoscaler.events("proxy_joined")[-1]["at"] > lost[0]["at"]


async def test_a_request_through_a_proxy_wakes_a_service_that_was_scaled_to_zero(tmp_path: Path) -> None:
    zero = {"idle_after": "1s", "wake_timeout": "20s"}
    behavior = {"scale_down": {"stabilization_window": "0s"}}
    async with AsyncExitStack() as stack:
        it = await house(stack, tmp_path, started(0, scale_to_zero=zero, behavior=behavior), 1, proxies=1)
        await it.autoscaler.ready(0)
        await in_step(it.autoscaler, *it.proxies)
        assert (await get(it.ports[0])).body == b"hello"


async def test_a_proxy_without_an_autoscaler_says_so_begins_when_one_comes_and_leaves_decisions_to_it(tmp_path: Path) -> None:
    it = Apart(tmp_path, started(), proxies=1)
    async with it.proxy() as proxy:
        await wait_until(lambda: proxy.overview()["workers"][0]["acknowledged"])
        assert (await get(it.places[0].port)).status == 503
        port = int(proxy.admin.rsplit(":", 1)[1])
        ready = await get(port, "/readyz", {"host": "localhost"})
        assert (ready.status, b"an autoscaler, for a routing table" in ready.body) == (503, True)
        async with it.autoscaler([f"localhost:{port}"]) as autoscaler:
            await autoscaler.ready(1)
            await in_step(autoscaler, proxy)
            assert (await get(port, "/readyz", {"host": "localhost"})).status == 200
            assert (await get(it.places[0].port)).body == b"hello"
            shown = (await autoscaler.command("status")).out
            assert (f"proxy {proxy.admin}: table" in shown, "the autoscaler" in shown) == (True, True)
            assert "the proxy" in (await proxy.command("status")).out
            said = await proxy.command("scale", "web", "2")
            assert (said.code, "ask the autoscaler" in said.err) == (1, True)
