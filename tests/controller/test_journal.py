"""The journal keeps, logs and tells, and never waits for a reader."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sidecar.journal import Journal


def journal(**limits: int) -> Journal:
    return Journal(wall=lambda: 1234.5, **limits)


async def take(follower: AsyncIterator[dict[str, Any]], count: int) -> list[str]:
    async with asyncio.timeout(5):
        return [(await anext(follower))["message"] for _ in range(count)]


def test_an_event_says_what_when_and_of_whom() -> None:
    made = journal()
    made.record("ready", "answered 200", "web", "web-1")
    assert made.newest(10) == [
        {"id": 1, "at": 1234.5, "kind": "ready", "service": "web", "replica": "web-1", "message": "answered 200"}
    ]


def test_the_newest_come_first_and_the_oldest_are_dropped() -> None:
    made = journal(kept=3)
    for number in range(5):
        made.record("test", str(number))
    assert [event["message"] for event in made.newest(10)] == ["4", "3", "2"]
    assert [event["id"] for event in made.newest(2)] == [5, 4]
    assert made.newest(0) == []


def test_each_event_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ecluse"):
        journal().record("ready", "answered 200", "web", "web-1")
        journal().record("crashed", "exited with status 1", "web", "web-1")
        journal().record("decision", "web goes from 1 to 2", "web")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "web-1 ready: answered 200"),
        ("WARNING", "web-1 crashed: exited with status 1"),
        ("INFO", "web decision: web goes from 1 to 2"),
    ]


def test_the_same_sentence_about_the_same_replica_is_logged_once_and_kept_under_both_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = journal()
    with caplog.at_level(logging.INFO, "ecluse"):
        for kind, replica in (("crashed", "web-1"), ("ejected", "web-1"), ("crashed", "web-2"), ("crashed", "web-2")):
            made.record(kind, "was killed by SIGKILL", "web", replica)
    assert [record.getMessage() for record in caplog.records] == [
        "web-1 crashed: was killed by SIGKILL",
        "web-2 crashed: was killed by SIGKILL",
        "web-2 crashed: was killed by SIGKILL",
    ]
    assert [event["kind"] for event in made.newest(10)] == ["crashed", "crashed", "ejected", "crashed"]


async def test_a_follower_gets_events_as_they_come() -> None:
    made = journal()
    follower = made.follow()
    first = asyncio.ensure_future(take(follower, 2))
    await asyncio.sleep(0)
    for message in ("one", "two"):
        made.record("test", message)
    assert await first == ["one", "two"]
    await follower.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_a_slow_follower_loses_the_oldest_and_is_told_how_many() -> None:
    made = journal(waiting=2)
    follower = made.follow()
    first = asyncio.ensure_future(take(follower, 1))
    await asyncio.sleep(0)
    made.record("test", "0")
    assert await first == ["0"]
    for number in range(1, 6):
        made.record("test", str(number))
    assert await take(follower, 3) == ["3 events lost here", "4", "5"]
    await follower.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_who_stops_following_is_forgotten() -> None:
    made = journal()
    follower = made.follow()
    first = asyncio.ensure_future(take(follower, 1))
    await asyncio.sleep(0)
    made.record("test", "0")
    await first
    await follower.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert not made._followers


def test_a_journal_goes_on_after_the_events_of_an_earlier_life_and_hands_over_its_own() -> None:
    made, handed = journal(), []
    made.record("starting", "before anything is known of them")
    made.resume([{"id": 41, "message": "ready"}, {"id": 40, "message": "started"}], handed.append, skipped=100)
    made.record("started", "again")
    assert [event["message"] for event in made.newest(10)] == ["again", "before anything is known of them", "ready", "started"]
    assert made.newest(1)[0]["id"] == 1 + 41 + 100 + 1
    assert handed == made.newest(1)


def test_a_journal_has_as_many_events_of_an_earlier_life_as_it_has_room_for() -> None:
    made = journal(kept=3)
    made.record("starting", "now")
    made.resume([{"id": number, "message": str(number)} for number in (4, 3, 2, 1)], lambda event: None)
    assert [event["message"] for event in made.newest(10)] == ["now", "4", "3"]
