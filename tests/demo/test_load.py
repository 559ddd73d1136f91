"""The load generator sends what it should when it should, and no failure escapes it."""

import asyncio

import pytest

from sidecar.demo import load
from sidecar.demo.load import Load, Outcome, Step, percentile

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Replica: r1\r\n\r\nok"
FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


async def outcomes(octets: bytes) -> list[Outcome]:
    """What twenty requests to something that always answers so come to."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while octets and await reader.read(4096):
            writer.write(octets)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
        sender = Load(listener.sockets[0].getsockname()[1], "/")
        await sender.run([Step(200, 0.1)])
        await sender.close()
    return sender.outcomes


async def test_every_request_of_a_step_is_sent_and_counted() -> None:
    found = await outcomes(OK)
    assert [(outcome.failure, outcome.replica) for outcome in found] == [("", "r1")] * 20


@pytest.mark.parametrize(
    ("octets", "what"),
    [
        pytest.param(FULL, "BadAnswer: HTTP/1.1 503", id="a status that is not 200"),
        pytest.param(b"", "Error", id="a connection that is closed"),
        pytest.param(b"nonsense\r\n\r\n", "BadAnswer: nonsense", id="an answer that is no HTTP"),
    ],
)
async def test_every_failure_counts(octets: bytes, what: str) -> None:
    found = await outcomes(octets)
    assert len(found) == 20
    assert all(what in outcome.failure for outcome in found)


async def test_requests_begin_when_they_are_due_though_none_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "DEADLINE_S", 0.2)
    held: list[asyncio.StreamWriter] = []

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as listener:
        sender = Load(listener.sockets[0].getsockname()[1], "/")
        await sender.run([Step(100, 0.1)])
        for writer in held:
            writer.close()
    assert [outcome.failure for outcome in sender.outcomes] == ["TimeoutError"] * 10


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([7.0], 0.95, 7.0), ([3.0, 1.0, 2.0], 0.5, 2.0), ([float(n) for n in range(1, 101)], 0.95, 95.0)],
)
def test_a_percentile_is_a_value_that_occurred(values: list[float], share: float, expected: float | None) -> None:
    assert percentile(values, share) == expected
