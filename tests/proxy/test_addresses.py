"""Replicas on IPv4, IPv6 and Unix sockets; listeners on IPv6."""

from pathlib import Path

import pytest

from tests.proxy.wire import ask, dial
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, service_of, workers


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


async def test_clients_come_over_ipv6() -> None:
    with workers(address="::1") as proxy:
        async with witness(answering()) as replica, dial(proxy.port, "::1") as client:
            proxy.serve(service_of(replica.address))
            await client.send(b"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n")
            assert (await client.answer()).body == b"ok"
