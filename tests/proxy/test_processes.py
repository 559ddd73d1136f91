"""Worker processes come, go, stand still and die: what clients notice of it."""

import asyncio
import os
import resource
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.proxy.wire import ask, dial, steady
from tests.proxy.witness import answering, silent, witness
from tests.proxy.workers import Workers, service_of, workers
from tests.support import wait_until

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


async def test_two_workers_share_a_port(pair: Workers) -> None:
    accepted = [pair.scoreboard.worker(row).accepted for row in range(2)]
    async with witness(answering()) as replica:
        pair.serve(service_of(replica.address))
        for _ in range(40):
            assert (await ask(pair.port)).status == 200
    assert all(pair.scoreboard.worker(row).accepted > accepted[row] for row in range(2))


async def test_a_killed_worker_leaves_its_listener_and_what_waits_there_to_its_successor() -> None:
    with workers() as proxy:
        async with witness(answering()) as replica, dial(proxy.port) as lost:
            proxy.serve(service_of(replica.address))
            await lost.send(GET)
            assert (await lost.answer()).status == 200
            proxy.processes[0].send_signal(signal.SIGSTOP)
            async with dial(proxy.port) as client:
                await client.send(GET)  # into the accept queue
                proxy.processes[0].kill()
                assert await lost.ends()
                proxy.succeed()
                assert (await client.answer()).status == 200
                await wait_until(lambda: (proxy.in_flight(), proxy.connections()) == (0, 1))


async def test_a_killed_worker_s_requests_are_not_load_any_more() -> None:
    with workers(count=2) as proxy:
        async with witness(silent()) as replica, AsyncExitStack() as stack:
            proxy.serve(service_of(replica.address, max_concurrency=20))
            clients = [await stack.enter_async_context(dial(proxy.port)) for _ in range(20)]
            for client in clients:
                await client.send(GET)
            await wait_until(lambda: proxy.in_flight() == 20)
            on_the_first = proxy.scoreboard.worker(0).connections
            assert 0 < on_the_first < 20
            proxy.processes[0].kill()
            proxy.succeed(0)
            assert proxy.in_flight() == 20 - on_the_first
            async with dial(proxy.port) as another:
                await another.send(GET)
                await wait_until(lambda: proxy.in_flight() == 21 - on_the_first)


async def test_a_drained_worker_finishes_what_is_in_flight_and_exits_0() -> None:
    go_on = asyncio.Event()
    with workers() as proxy:
        async with witness(silent(go_on)) as replica, dial(proxy.port) as client, dial(proxy.port) as idle:
            proxy.serve(service_of(replica.address), linger_s=0.1)
            await idle.send(GET)
            await client.send(GET)
            await wait_until(lambda: proxy.in_flight() == 2)
            proxy.drain(10.0)
            await steady(proxy.connections)
            assert proxy.processes[0].poll() is None
            go_on.set()
            for wire in (client, idle):
                answer = await wire.answer()
                assert (answer.body, answer.field("connection")) == (b"ok", "close")
                assert await wire.ends()
            await wait_until(lambda: proxy.processes[0].poll() == 0)
        assert "Traceback" not in proxy.complaints()


async def test_a_drain_closes_idle_connections_at_once() -> None:
    with workers() as proxy:
        async with witness(answering()) as replica, dial(proxy.port) as client:
            proxy.serve(service_of(replica.address))
            await client.send(GET)
            await client.answer()
            proxy.drain(10.0)
            assert await client.rest() == b""
            await wait_until(lambda: proxy.processes[0].poll() == 0)


@pytest.mark.parametrize("where", ["in the accept queue", "on a new connection", "on an idle connection"])
async def test_a_drain_loses_no_request_that_has_arrived(where: str) -> None:
    with workers() as proxy:
        async with witness(answering()) as replica, AsyncExitStack() as stack:
            proxy.serve(service_of(replica.address), linger_s=0.1)
            if where == "in the accept queue":
                with proxy.stopped():
                    client = await stack.enter_async_context(dial(proxy.port))
                    await client.send(GET)
                    proxy.drain(10.0)
            else:
                client = await stack.enter_async_context(dial(proxy.port))
                if where == "on an idle connection":
                    await client.send(GET)
                    await client.answer()
                else:
                    await wait_until(lambda: proxy.connections() == 1)
                with proxy.stopped():
                    proxy.drain(10.0)  # seen first by the worker
                    await client.send(GET)
            answer = await client.answer()
            assert (answer.status, answer.field("connection")) == (200, "close")
            assert await client.ends()
            await wait_until(lambda: proxy.processes[0].poll() == 0)


async def test_a_drain_s_deadline_cuts_what_does_not_end() -> None:
    with workers() as proxy:
        async with witness(silent()) as replica, dial(proxy.port) as client:
            proxy.serve(service_of(replica.address))
            await client.send(GET)
            await wait_until(lambda: proxy.in_flight() == 1)
            proxy.drain(0.3)
            assert await client.ends()
            await wait_until(lambda: proxy.processes[0].poll() == 0)


async def test_requests_that_wait_in_line_are_served_during_a_drain() -> None:
    go_on = asyncio.Event()
    with workers() as proxy:
        async with witness(silent(go_on)) as replica, dial(proxy.port) as first, dial(proxy.port) as second:
            proxy.serve(service_of(replica.address, max_concurrency=1), linger_s=0.1)
            await first.send(GET)
            await wait_until(lambda: proxy.in_flight() == 1)
            await second.send(GET)
            await wait_until(lambda: proxy.service().waiting == 1)
            proxy.drain(10.0)
            go_on.set()
            assert [(await client.answer()).status for client in (first, second)] == [200, 200]
            await wait_until(lambda: proxy.processes[0].poll() == 0)


async def test_a_worker_whose_controller_is_gone_finishes_and_ends() -> None:
    go_on = asyncio.Event()
    with workers() as proxy:
        async with witness(silent(go_on)) as replica, dial(proxy.port) as client:
            proxy.serve(service_of(replica.address), linger_s=0.1)
            await client.send(GET)
            await wait_until(lambda: proxy.in_flight() == 1)
            proxy.channels[0].close()
            go_on.set()
            assert (await client.answer()).body == b"ok"
            await wait_until(lambda: proxy.processes[0].poll() == 0)


async def test_a_controller_that_stands_still_does_not_stop_traffic() -> None:
    """This process is the controller here: it reads nothing, while every request gives the worker something to tell it."""
    with workers() as proxy:
        async with witness(answering()) as replica:
            proxy.serve(
                service_of(replica.address),
                service_of(*[f"127.0.0.1:{port}" for port in range(1, 5)], name="down", slot=1),
            )
            before = proxy.forget_peak()
            table = proxy.chronicle.since(0)
            for _ in range(300):  # each is acknowledged, and no acknowledgement is read
                proxy.channels[0].send("table", table=table)
                proxy.channels[0].flush()
            async with dial(proxy.port) as client:
                for _ in range(500):
                    await client.send(GET)
                    assert (await client.answer()).body == b"ok"
            assert proxy.resident() - before < 8 << 20


async def test_signals_meant_for_the_controller_do_not_end_a_worker(proxy: Workers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        proxy.processes[0].send_signal(number)
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address))
        assert (await ask(proxy.port)).status == 200


async def test_running_out_of_descriptors_is_survived() -> None:
    with workers() as proxy:
        async with witness(answering()) as replica, AsyncExitStack() as stack:
            proxy.serve(service_of(replica.address))
            pid = proxy.processes[0].pid
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (proxy.descriptors() + 10, 4096))
            clients = [await stack.enter_async_context(dial(proxy.port)) for _ in range(30)]
            await steady(proxy.connections)
            spent_s = _cpu_s(pid)
            await steady(proxy.connections, for_s=1.0)
            assert _cpu_s(pid) - spent_s < 0.5  # it does not spin
            assert proxy.complaints().count("cannot accept") < 50
            for client in clients:
                client.close()
            await wait_until(lambda: proxy.connections() == 0)
            assert (await ask(proxy.port)).status == 200


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_connections_do_not_leak_descriptors(proxy: Workers) -> None:
    async with witness(answering()) as replica:
        proxy.serve(service_of(replica.address))
        for _ in range(5):
            await ask(proxy.port)
        await wait_until(lambda: proxy.connections() == 0)
        before = proxy.descriptors()
        for _ in range(100):
            await ask(proxy.port)
        await wait_until(lambda: proxy.connections() == 0)
        assert proxy.descriptors() <= before
