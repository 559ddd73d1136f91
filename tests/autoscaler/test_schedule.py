"""Schedules: windows that open and close by the clock on the wall, wherever that is and whatever is done to it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler import schedule
from autoscaler.decide import decide
from autoscaler.memory import Memory
from autoscaler.rules import Rules, Schedule
from autoscaler.snapshot import Snapshot

OFFICE = Schedule("0 8 * * mon-fri", "0 18 * * mon-fri", "Europe/Paris", min_replicas=4)
NIGHT = Schedule("0 22 * * *", "0 6 * * *", "Europe/Paris", max_replicas=2)


def at(text: str, zone: str = "Europe/Paris", fold: int = 0) -> float:
    """Seconds since the epoch of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def bounds(rules: Rules, wall_s: float) -> tuple[int, int]:
    applied = schedule.apply(rules, wall_s)
    return applied.min_replicas, applied.max_replicas


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        pytest.param("2026-11-25 07:59:59", False, id="a second before its start it is closed"),
        pytest.param("2026-11-25 08:00:00", True, id="it opens at its start"),
        pytest.param("2026-11-25 17:59:59", True, id="it is open to its last second"),
        pytest.param("2026-11-25 18:00:00", False, id="it closes at its end"),
        pytest.param("2026-11-28 12:00:00", False, id="it does not open on a Saturday"),
        pytest.param("2026-11-30 08:00:00", True, id="and opens again on Monday"),
    ],
)
def test_a_window_is_open_from_its_start_to_its_end(moment: str, is_open: bool) -> None:
    assert schedule.span(OFFICE, at(moment)).open is is_open


@pytest.mark.parametrize(
    ("start", "end", "zone", "open_at", "closed_at"),
    [
        pytest.param(
            "30 2 * * *",
            "0 5 * * *",
            "Europe/Paris",
            "2026-03-29T01:00:00+00:00",
            "2026-03-29T00:59:00+00:00",
            id="a start inside the hour that is skipped in spring comes right after the gap",
        ),
        pytest.param(
            "30 2 * * *",
            "0 4 * * *",
            "Europe/Paris",
            "2026-10-25T00:30:00+00:00",
            "2026-10-25T03:00:00+00:00",
            id="a start inside the hour that comes twice in autumn counts the first time",
        ),
        pytest.param(
            "0 8 * * *",
            "0 9 * * *",
            "Asia/Kolkata",
            "2026-11-25T02:30:00+00:00",
            "2026-11-25T03:30:00+00:00",
            id="half-hour zones",
        ),
        pytest.param(
            "0 0 29 2 *", "0 0 1 3 *", "UTC", "2028-02-29T12:00:00+00:00", "2027-03-01T12:00:00+00:00", id="leap days only"
        ),
        pytest.param(
            "0 1 * * *",
            "0 3 * * *",
            "America/New_York",
            "2026-11-01T06:59:00+00:00",
            "2026-11-01T08:00:00+00:00",
            id="a window over the hour that comes twice is an hour longer",
        ),
        pytest.param(
            "0 8,10 * * *",
            "0 18 * * *",
            "UTC",
            "2026-11-25T09:00:00+00:00",
            "2026-11-25T18:00:00+00:00",
            id="a second start opens nothing",
        ),
    ],
)
def test_clocks_that_are_changed_and_other_zones(start: str, end: str, zone: str, open_at: str, closed_at: str) -> None:
    window = Schedule(start, end, zone, min_replicas=2)
    assert schedule.span(window, datetime.fromisoformat(open_at).timestamp()).open
    assert not schedule.span(window, datetime.fromisoformat(closed_at).timestamp()).open


ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"])
HOURS = st.integers(0, 23)


@given(zone=ZONES, start=HOURS, end=HOURS, day=st.integers(0, 400), minute=st.integers(0, 1439))
def test_a_span_is_what_every_moment_in_it_is(zone: str, start: int, end: int, day: int, minute: int) -> None:
    """Whatever the moment a schedule was worked out at, it holds from one boundary to the next, and turns at each."""
    window = Schedule(f"15 {start} * * *", f"15 {end} * * *", zone, min_replicas=2)
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=minute)
    found = schedule._span(window, moment.timestamp())
    assert found.since_s <= moment.timestamp() < found.until_s
    for inside in (found.since_s, (found.since_s + found.until_s) / 2, found.until_s - 1):
        assert schedule._span(window, inside) == found
    following = schedule._span(window, found.until_s)
    assert following.since_s == found.until_s
    assert following.open is (False if start == end else not found.open)


@pytest.mark.parametrize(
    ("schedules", "moment", "expected"),
    [
        pytest.param((OFFICE,), "2026-11-25 09:00", (4, 10), id="a minimum"),
        pytest.param((OFFICE,), "2026-11-25 19:00", (1, 10), id="none outside of it"),
        pytest.param((NIGHT,), "2026-11-25 23:00", (1, 2), id="a maximum over midnight"),
        pytest.param(
            (OFFICE, Schedule("0 0 * * *", "59 23 * * *", "UTC", 6)), "2026-11-25 09:00", (6, 10), id="the highest minimum"
        ),
        pytest.param(
            (NIGHT, Schedule("0 21 * * *", "0 5 * * *", "UTC", None, 3)), "2026-11-25 23:00", (1, 2), id="the lowest maximum"
        ),
        pytest.param(
            (NIGHT, Schedule("0 0 * * *", "59 23 * * *", "UTC", 6)), "2026-11-25 23:00", (6, 6), id="minimum beats maximum"
        ),
        pytest.param(
            (Schedule("0 0 * * *", "59 23 * * *", "UTC", 20),), "2026-11-25 12:00", (20, 20), id="and the file's maximum"
        ),
    ],
)
def test_what_is_open_overrules_the_file(schedules: tuple[Schedule, ...], moment: str, expected: tuple[int, int]) -> None:
    assert bounds(Rules(1, 10, schedules=schedules), at(moment)) == expected


def test_a_bound_tells_which_schedule_it_is_of_and_until_when() -> None:
    decision, _ = decide(Snapshot(0.0, "shop", 1, wall_s=at("2026-11-25 09:00")), Rules(1, 10, schedules=(OFFICE,)), Memory())
    assert decision.desired == 4
    assert "min_replicas is 4 by the schedule from 0 8 * * mon-fri, until Wed 18:00 (Europe/Paris)" in decision.sentence


def moments() -> Iterator[float]:
    start_s = at("2026-03-28 12:00")
    yield from (start_s + 60 * minute for minute in range(3 * 24 * 60))


def test_over_a_change_of_the_clock_the_minimum_follows_the_clock_on_the_wall() -> None:
    """Minute by minute over three days, one of which has 23 hours: never fewer than four while it is from 8 to 18 on a working day."""
    rules, memory, desired = Rules(1, 10, schedules=(OFFICE,)), Memory(), 1
    for wall_s in moments():
        local = datetime.fromtimestamp(wall_s, ZoneInfo("Europe/Paris"))
        decision, memory = decide(Snapshot(wall_s, "shop", desired, wall_s=wall_s), rules, memory)
        desired = decision.desired
        assert (desired >= 4) or not (local.weekday() < 5 and 8 <= local.hour < 18)


@pytest.mark.parametrize(
    ("expression", "zone", "says"),
    [
        pytest.param("0 8 * *", "UTC", "has five fields", id="four fields"),
        pytest.param("0 8 * * * *", "UTC", "has five fields", id="six fields: seconds are not cron's"),
        pytest.param("61 8 * * *", "UTC", "bad minute", id="a minute that there is not"),
        pytest.param("0 8 * * funday", "UTC", "bad day-of-week", id="a weekday that there is not"),
        pytest.param("0 8 30 2 *", "UTC", "bad day-of-month", id="a day that never comes"),
        pytest.param("0 8 * * *", "Mars/Olympus", "is not a time zone", id="a zone that there is not"),
        pytest.param("0 8 * * *", "../../etc/passwd", "is not a time zone", id="a path is no zone"),
    ],
)
def test_what_is_no_schedule_is_refused_in_words(expression: str, zone: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        schedule.check(expression, zone)


def test_what_is_remembered_of_schedules_is_bounded() -> None:
    for minute in range(60):
        for hour in range(24):
            for day in range(1, 4):
                schedule.span(Schedule(f"{minute} {hour} {day} * *", "0 0 * * *", "UTC", 2), 0.0)
    assert len(schedule._spans) <= schedule.KNOWN
