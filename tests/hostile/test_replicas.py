"""Every row of the table of bad replicas, whole and octet by octet: what the client gets, and that the connection is not used again."""

import re
from contextlib import suppress

import pytest

from tests.hostile.replicas import ALL
from tests.hostile.rows import Answer
from tests.proxy.wire import Wire, ask, dial
from tests.proxy.witness import OK, Script, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until


def test_the_table_is_large_and_says_what_it_rests_on() -> None:
    assert len({row.claim for row in ALL}) == len(ALL) >= 40
    assert [row.claim for row in ALL if not re.fullmatch(r"RFC \d+ section [\d.]+", row.rests_on)] == []


def replica_of(row: Answer, way: str) -> Script:
    """The first connection carries the row and what comes after it is answered; the others answer all."""

    async def script(wire: Wire, number: int) -> None:
        await wire.request()
        if number == 0:
            with suppress(ConnectionError):  # it may be refused before its end
                await (wire.send(row.octets) if way == "whole" else wire.drip(row.octets))
            if row.ends:
                wire.close()
                return
            await wire.request()
        while True:
            await wire.send(OK)
            await wire.request()

    return script


@pytest.mark.parametrize("way", ["whole", "octet by octet"])
@pytest.mark.parametrize("row", ALL, ids=lambda row: row.claim)
async def test_what_comes_of_it(proxy: Workers, row: Answer, way: str) -> None:
    async with witness(replica_of(row, way)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(row.request)
        method = row.request.split(b" ")[0].decode()
        if row.body is None and row.status == 200:
            assert (await client.head()).status == 200
            with pytest.raises((EOFError, ConnectionError)):  # noqa: PT012 - the rest of the body, whatever it is
                while True:
                    await client.until(b"0\r\n\r\n")
        else:
            answer = await client.answer(method)
            assert (answer.status, answer.body) == (row.status, answer.body if row.body is None else row.body)
            assert b"smuggled" not in answer.raw
            assert b"evil" not in answer.raw
        await wait_until(lambda: proxy.in_flight() == 0)
        if not row.again:
            await wait_until(lambda: proxy.replica().pooled == 0)
        later = await ask(proxy.port)
        assert (later.status, later.body) == (200, b"ok")
        assert len(replica.connections) == (1 if row.again else 2)
