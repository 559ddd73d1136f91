"""Whatever we pass on, nginx, Node's parser and h11 read the same way: as many requests, with the same methods, targets and bodies.

A stream that two parsers read differently is a smuggled request. So what a witness got of each input (the table of bad clients, llhttp's
vectors, and what Hypothesis makes of fragments) is shown to the others as it came over the wire.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzzing.test_fuzzing import OCTETS
from tests.hostile.clients import ALL
from tests.hostile.peers import Peer, Read, h11_parser, nginx, node
from tests.hotpath.llhttp import vectors
from tests.proxy.wire import Message, dial
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, service_of
from tests.system.tools import tool


@pytest.fixture(autouse=True)
def _the_others() -> None:
    tool("nginx")
    tool("node")


@pytest.fixture
async def peers(tmp_path: Path) -> AsyncIterator[dict[str, Peer]]:
    async with AsyncExitStack() as stack:
        yield {
            "nginx": await stack.enter_async_context(nginx(tmp_path)),
            "node": await stack.enter_async_context(node()),
            "h11": h11_parser,
        }


async def passed_on(proxy: Workers, octets: bytes) -> tuple[list[bytes], list[Read]]:
    """What a replica gets of a client's octets, connection by connection, and as our own witness reads it."""
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), pool_per_replica=1)
        with suppress(ConnectionError):
            await client.send(octets)
            client.finish()
        with suppress(ConnectionError):
            await client.rest()
        read = [(*(part.encode("latin-1") for part in request.first.split(" ")[:2]), request.body) for request in seen]
        return [bytes(wire.got) for wire in replica.connections], read


async def agree(peers: dict[str, Peer], streams: list[bytes], read: list[Read], octets: bytes) -> int:
    """Asserts that all read the same. How many requests there were.

    nginx answers a request here before its body has come: one whose body never comes whole it counts, too.
    """
    for name, peer in peers.items():
        found = [each for stream in streams for each in await peer(stream)]
        wanted = read
        if name == "nginx":
            wanted = [(method, target, None) for method, target, _ in read]
            found = found[: len(wanted)] if len(found) == len(wanted) + 1 and len(streams) == 1 else found
        assert found == wanted, f"{name} reads {found}, we {wanted}, of {streams} for {octets!r}"
    return len(read)


async def test_the_table_and_the_vectors_are_read_alike(proxy: Workers, peers: dict[str, Peer]) -> None:
    inputs = [row.octets for row in ALL] + [vector.octets for vector in vectors() if vector.is_request]
    requests = 0
    for octets in inputs:
        streams, read = await passed_on(proxy, octets)
        requests += await agree(peers, streams, read, octets)
    assert requests > 60


def test_whatever_hypothesis_makes_is_read_alike(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    proxy: Workers = request.getfixturevalue("proxy")
    counted = [0, 0]

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        others: dict[str, Peer] = {
            "nginx": runner.run(stack.enter_async_context(nginx(tmp_path))),
            "node": runner.run(stack.enter_async_context(node())),
            "h11": h11_parser,
        }

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(OCTETS)
        def alike(octets: bytes) -> None:
            head = b"GET / HTTP/1.1\r\nHost: a\r\n"

            async def look() -> None:
                streams, read = await passed_on(proxy, head + octets)
                counted[0] += 1
                counted[1] += await agree(others, streams, read, octets)

            runner.run(look())

        alike()
        runner.run(stack.aclose())
    assert counted[0] >= 100
