"""Every row of the table of bad clients, whole and octet by octet, on real workers, with a witness in the place of a replica."""

import re
from contextlib import suppress

import pytest

from tests.hostile.clients import ALL
from tests.hostile.rows import Row
from tests.proxy.wire import Message, Wire, dial
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, service_of


def test_the_table_is_large_and_says_what_it_rests_on() -> None:
    assert len({row.claim for row in ALL}) == len(ALL) >= 110
    assert [row.claim for row in ALL if not re.fullmatch(r"RFC \d+ section [\d.]+", row.rests_on)] == []


@pytest.mark.parametrize("way", ["whole", "octet by octet"])
@pytest.mark.parametrize("row", ALL, ids=lambda row: row.claim)
async def test_what_comes_of_it(proxy: Workers, row: Row, way: str) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        with suppress(ConnectionError):  # it may be refused before its end
            await (client.send(row.octets) if way == "whole" else client.drip(row.octets))
        methods = [method for method, _, _ in row.seen] + ["GET"] * len(row.statuses)
        answers = [await client.answer(method) for method, _ in zip(methods, row.statuses, strict=False)]
        assert tuple(answer.status for answer in answers) == row.statuses
        assert await ended(client, row.closed)
        came = [(*request.first.split(" ")[:2], request.body) for request in seen]
        assert tuple(each for each in came if each[1] != "/last") == row.seen
        assert [octets for octets in row.has if octets not in replica.got] == []
        assert [octets for octets in row.lacks if octets in replica.got] == []


async def ended(client: Wire, closed: bool) -> bool:
    """Whether the proxy has closed the connection, or answers on it as before."""
    if closed:
        return await client.ends()
    await client.send(b"GET /last HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    return (await client.answer()).status == 200
