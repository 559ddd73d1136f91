"""Text for people: units, tables, near names."""

import re

import pytest

from sidecar.render import Paint, count, cut, duration, nearest, table

PLAIN = Paint(False)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "0 ms"),
        (0.0124, "12 ms"),
        (0.9996, "1.0 s"),
        (4.23, "4.2 s"),
        (9.96, "10 s"),
        (119, "119 s"),
        (180, "3 min"),
        (7_500, "2 h"),
        (400_000, "5 d"),
    ],
)
def test_a_time_is_in_its_largest_sensible_unit(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (3.5, "3.5"), (7.0, "7"), (980.4, "980"), (12_345, "12.3k"), (4_000_000, "4.0M"), (2e9, "2.0G")],
)
def test_a_number_has_at_most_five_characters(number: float, text: str) -> None:
    assert count(number) == text


def test_a_table_never_is_wider_than_asked_for() -> None:
    lines = table(("NAME", "STATE", "DETAIL"), [("shop-1", "ready", "x" * 100), ("s", "gone", "")], PLAIN, indent="  ", width=40)
    assert lines == [
        "  NAME    STATE  DETAIL",
        "  shop-1  ready  xxxxxxxxxxxxxxxxxxxxxx…",
        "  s       gone",
    ]


def test_a_table_without_a_width_is_not_cut() -> None:
    assert table(("NAME", "DETAIL"), [("shop", "x" * 100)], PLAIN)[1] == "shop  " + "x" * 100


def test_in_a_narrow_table_the_widest_column_gives_way_too() -> None:
    assert table(("NAME", "DETAIL"), [("a" * 30, "x" * 30)], PLAIN, width=20)[1] == "a" * 9 + "…  " + "x" * 7 + "…"


def test_colours_do_not_move_columns() -> None:
    rows = [("ready", "a"), ("draining", "b")]
    plain, coloured = (table(("STATE", "X"), rows, paint) for paint in (PLAIN, Paint(True)))
    assert [re.sub("\x1b\\[[0-9]+m", "", line) for line in coloured] == plain
    assert "\x1b[32m" in coloured[1]


@pytest.mark.parametrize(
    ("name", "names", "said"),
    [
        ("shep", ["shop", "cart"], "; did you mean 'shop'?"),
        ("x", ["shop", "cart"], "; there are: shop, cart"),
        ("x", [], ""),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(name: str, names: list[str], said: str) -> None:
    assert nearest(name, names) == said


def test_what_is_cut_off_shows() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
