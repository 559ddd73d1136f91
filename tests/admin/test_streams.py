"""Following events and logs as server-sent events."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from sidecar.admin import serve, streams
from sidecar.admin.problem import Problem
from sidecar.admin.streams import Streams, message
from tests.admin.control import FakeControl
from tests.support import wait_until


class Reader:
    """Reads one stream, message by message."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> list[str]:
        """The lines of the next message."""
        lines = []
        while line := await anext(self._lines, ""):
            lines.append(line)
        return lines


@asynccontextmanager
async def following(api: httpx.AsyncClient, target: str, fields: dict[str, str] | None = None) -> AsyncIterator[Reader]:
    async with api.stream("GET", target, headers=fields) as answer:
        reader = Reader(answer)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert await reader.next() == [": open"]
        yield reader


@pytest.mark.parametrize(
    ("target", "fields"),
    [("/api/events?follow=1", {}), ("/api/events", {"accept": "text/event-stream"})],
    ids=["by query", "by Accept"],
)
async def test_events_come_as_they_happen(
    api: httpx.AsyncClient, control: FakeControl, target: str, fields: dict[str, str]
) -> None:
    control.happen("before")
    async with following(api, target, fields) as reader:
        await wait_until(lambda: control.new_events.queues)
        control.happen("up to 3")
        identity, kind, data = await reader.next()
        assert (identity, kind) == ("id: 2", "event: decision")
        assert '"message": "up to 3"' in data


async def test_a_stream_begins_after_the_last_event_that_was_seen(api: httpx.AsyncClient, control: FakeControl) -> None:
    for number in range(1, 5):
        control.happen(f"event {number}")
    async with following(api, "/api/events?follow=1", {"last-event-id": "2"}) as reader:
        assert [(await reader.next())[0] for _ in range(2)] == ["id: 3", "id: 4"]


async def test_a_stream_begins_with_as_many_events_as_asked_for(api: httpx.AsyncClient, control: FakeControl) -> None:
    for number in range(1, 5):
        control.happen(f"event {number}")
    async with following(api, "/api/events?follow=1&limit=2") as reader:
        assert [(await reader.next())[0] for _ in range(2)] == ["id: 3", "id: 4"]


async def test_what_happens_while_a_stream_begins_comes_once(api: httpx.AsyncClient, control: FakeControl) -> None:
    looked_back = control.events

    def events(limit: int) -> Sequence[dict[str, Any]]:
        control.happen("in between")
        return looked_back(limit)

    control.happen("before")
    control.events = events  # type: ignore[method-assign]  # what happens just then cannot be arranged from outside
    async with following(api, "/api/events?follow=1&limit=10") as reader:
        assert [(await reader.next())[0] for _ in range(2)] == ["id: 1", "id: 2"]
        control.happen("after", "lost")
        control.happen("after")
        assert [(await reader.next())[0] for _ in range(2)] == ["id: 3", "id: 4"]


async def test_a_last_event_id_that_is_none_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/events?follow=1", headers={"last-event-id": "yesterday"})
    assert answer.status_code == 400


async def test_the_list_of_events_has_the_newest_first(api: httpx.AsyncClient, control: FakeControl) -> None:
    for number in range(1, 5):
        control.happen(f"event {number}")
    listed = (await api.get("/api/events?limit=2")).json()["events"]
    assert [event["id"] for event in listed] == [4, 3]


async def test_logs_begin_with_the_last_lines_and_go_on(api: httpx.AsyncClient, control: FakeControl) -> None:
    async with following(api, "/api/services/shop/logs?follow=1&lines=1") as reader:
        assert await reader.next() == ["data: shop-1 | GET /"]
        control.new_lines.put("shop-2 | started")
        assert await reader.next() == ["data: shop-2 | started"]


async def test_a_reader_that_leaves_is_forgotten(api: httpx.AsyncClient, control: FakeControl) -> None:
    async with following(api, "/api/events?follow=1"):
        await wait_until(lambda: control.new_events.queues)
    await wait_until(lambda: not control.new_events.queues)


async def test_closing_the_api_ends_the_streams(control: FakeControl) -> None:
    admin = await serve(control, "127.0.0.1:0", "")
    async with (
        httpx.AsyncClient(base_url=f"http://{admin.address}") as client,
        following(client, "/api/events?follow=1") as reader,
    ):
        await admin.close()
        assert await reader.next() == []
    assert control.new_events.queues == []


async def test_a_silent_stream_says_that_it_is_still_there(control: FakeControl) -> None:
    silent = Streams(heartbeat_s=0.01).response(control.follow_logs("shop"))
    pieces = aiter(silent.body_iterator)
    assert [await anext(pieces) for _ in range(3)] == [": open\n\n", ": still here\n\n", ": still here\n\n"]
    await streams.close(pieces)
    assert control.new_lines.queues == []


async def test_there_are_never_more_streams_than_the_limit(control: FakeControl) -> None:
    few = Streams(limit=1)
    first = aiter(few.response(control.follow_logs("shop")).body_iterator)
    await anext(first)
    with pytest.raises(Problem, match="limit"):
        few.response(control.follow_logs("shop"))
    await streams.close(first)
    await streams.close(aiter(few.response(control.follow_logs("shop")).body_iterator))


@pytest.mark.parametrize(
    ("data", "kind", "number", "sent"),
    [
        ("x", "", None, "data: x\n\n"),
        ("x", "scaled", 3, "id: 3\nevent: scaled\ndata: x\n\n"),
        ("a\nb", "", None, "data: a\ndata: b\n\n"),
    ],
)
def test_a_message_has_the_form_of_the_standard(data: str, kind: str, number: int | None, sent: str) -> None:
    assert message(data, kind, number) == sent
