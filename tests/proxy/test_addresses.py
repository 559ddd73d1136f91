"""Replicas on IPv4, IPv6 and Unix sockets; listeners on IPv6."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.proxy.wire import Wire, ask, dial
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, service_of, workers
from tests.support import wait_until


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.77", "::1"])
async def test_a_replica_is_reached_at(proxy: Workers, address: str) -> None:
    async with witness(answering(), address) as replica:
        proxy.serve(service_of(replica.address))
        for _ in range(3):
            assert (await ask(proxy.port)).body == b"ok"
        assert len(replica.connections) == 1


async def test_a_replica_is_reached_on_a_unix_socket(proxy: Workers, tmp_path: Path) -> None:
    async with witness(answering(), path=tmp_path / "app.sock") as replica:
        proxy.serve(service_of(replica.address))
        for _ in range(3):
            assert (await ask(proxy.port)).body == b"ok"
        assert len(replica.connections) == 1


async def test_a_unix_socket_that_is_not_there_sends_requests_elsewhere(proxy: Workers, tmp_path: Path) -> None:
    async with witness(answering()) as replica:
        proxy.serve(service_of(f"unix:{tmp_path}/none.sock", replica.address))
        assert [(await ask(proxy.port)).status for _ in range(4)] == [200] * 4


async def test_requests_wait_while_the_queue_of_a_unix_socket_is_full(proxy: Workers, tmp_path: Path) -> None:
    """The kernel says so with EAGAIN, where over TCP it would try again by itself."""
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        proxy.serve(service_of(f"unix:{path}"))
        before = proxy.replica().connect_errors
        asking = [asyncio.create_task(ask(proxy.port)) for _ in range(12)]
        await wait_until(lambda: proxy.in_flight() == len(asking))
        await answer_each(listener, len(asking))
        assert [(await each).status for each in asking] == [200] * len(asking)
    assert proxy.replica().connect_errors == before


async def test_who_asks_again_behind_a_failure_is_not_forgotten_in_the_line_for_a_unix_socket(
    proxy: Workers, tmp_path: Path
) -> None:
    """Two clients with two requests each wait for room in the queue; then nobody listens any more."""
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
        listener.bind(str(path))
        listener.listen(0)
        waiting.connect(str(path))
        proxy.serve(service_of(f"unix:{path}"), connect_s=60.0)
        async with dial(proxy.port) as first, dial(proxy.port) as second:
            for client in (first, second):
                await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 2)
            await wait_until(lambda: proxy.in_flight() == 2)
            listener.close()
            assert [(await client.answer()).status for client in (first, first, second, second)] == [502] * 4


async def test_a_queue_that_stays_full_is_a_timeout(proxy: Workers, tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as other:
        listener.bind(str(path))
        listener.listen(0)
        other.connect(str(path))
        proxy.serve(service_of(f"unix:{path}"), connect_s=0.1)
        assert (await ask(proxy.port)).status == 504


async def answer_each(listener: socket.socket, count: int) -> None:
    """Take so many connections, one after the other, and answer one request on each."""
    listener.setblocking(False)
    for _ in range(count):
        connection, _address = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(listener), 10)
        wire = Wire(connection)
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        wire.close()


async def test_clients_come_over_ipv6() -> None:
    with workers(address="::1") as proxy:
        async with witness(answering()) as replica, dial(proxy.port, "::1") as client:
            proxy.serve(service_of(replica.address))
            await client.send(b"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n")
            assert (await client.answer()).body == b"ok"
