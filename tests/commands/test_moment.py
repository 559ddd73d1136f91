"""Moments as people write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sidecar.moment import moment

PARIS = ZoneInfo("Europe/Paris")
NOW_S = datetime(2026, 11, 25, 14, 30, 20, tzinfo=PARIS).timestamp()


def at(words: str) -> datetime:
    return datetime.fromtimestamp(moment(words, NOW_S, PARIS), UTC)


@pytest.mark.parametrize(
    ("words", "when"),
    [
        pytest.param("14:05", (25, 13, 5, 0), id="a time of day is today's"),
        pytest.param("9:05", (25, 8, 5, 0), id="also with one digit"),
        pytest.param("14:05:30", (25, 13, 5, 30), id="with seconds"),
        pytest.param("14:31", (24, 13, 31, 0), id="or yesterday's, where today's is to come"),
        pytest.param("2026-11-25 14:05", (25, 13, 5, 0), id="a day and a time"),
        pytest.param("2026-11-25T14:05:30Z", (25, 14, 5, 30), id="another zone, if it is said"),
        pytest.param("2026-11-25T14:05:30-05:00", (25, 19, 5, 30), id="or an offset"),
        pytest.param("2026-11-25", (24, 23, 0, 0), id="a day is its beginning"),
        pytest.param("10m ago", (25, 13, 20, 20), id="a length of time ago"),
        pytest.param("1h30m", (25, 12, 0, 20), id="the same without the word"),
        pytest.param("90", (25, 13, 28, 50), id="in plain seconds"),
        pytest.param(f"{NOW_S:.0f}", (25, 13, 30, 20), id="seconds since the epoch"),
    ],
)
def test_a_moment(words: str, when: tuple[int, int, int, int]) -> None:
    assert at(words) == datetime(2026, 11, *when, tzinfo=UTC)


@pytest.mark.parametrize("words", ["", "soon", "25:00", "14:61", "2026-13-01", "-5m", "10x ago", "9" * 14, "1:2:3:4"])
def test_other_words_are_refused_with_what_it_could_be(words: str) -> None:
    with pytest.raises(ValueError, match=f"'{words}' is not a time such as 14:05"):
        moment(words, NOW_S, PARIS)
