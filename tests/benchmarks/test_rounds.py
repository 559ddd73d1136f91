"""Contestants take turns in an order that rotates; the cores are shared out so that the proxy has one to itself."""

import pytest

from benchmarks.cores import Cores, share_out
from benchmarks.progress import Progress
from benchmarks.rounds import Contestant, Turn, measure, rotated
from benchmarks.unix import SHARE, Unix


def _contestant(name: str) -> Contestant:
    return Contestant(name, lambda number: Turn({SHARE.name: float(number)}, ("late",) if number else ()))


def test_who_began_a_round_ends_the_next_one() -> None:
    three = [_contestant(name) for name in "abc"]
    assert ["".join(each.name for each in rotated(three, number)) for number in range(4)] == ["abc", "bca", "cab", "abc"]


def test_each_contestant_has_a_figure_for_each_round_in_the_rounds_order() -> None:
    told: list[str] = []
    (result,) = measure(
        Unix(), [_contestant("a"), _contestant("b")], 3, lambda _work, _round, each, _turn: told.append(each.name)
    )
    assert told == ["a", "b", "b", "a", "a", "b"]
    assert result.rounds == {"a": [0.0, 1.0, 2.0], "b": [0.0, 1.0, 2.0]}
    assert result.errors == {"a": ["late", "late"], "b": ["late", "late"]}


@pytest.mark.parametrize(
    ("available", "cores"),
    [
        pytest.param([3], Cores((3,), (3,), (3,), (3,)), id="one core is for all"),
        pytest.param([0, 1], Cores((0,), (1,), (1,), (0, 1)), id="of two, the proxy has one, and a pair of workers both"),
        pytest.param([0, 1, 2], Cores((0,), (1,), (1,), (0, 1)), id="of three, one stays free"),
        pytest.param([0, 1, 2, 3], Cores((0,), (2,), (3,), (0, 1)), id="of four, a pair of workers has two to itself"),
    ],
)
def test_cores_are_shared_out(available: list[int], cores: Cores) -> None:
    assert share_out(available) == cores


def test_the_time_that_is_left_follows_the_pace_so_far() -> None:
    now = iter([100.0, 130.0])
    progress = Progress(60.0, lambda: next(now))
    assert progress.left_s() == 60.0
    progress.done(15.0)  # which took 30 s
    assert progress.left_s() == 90.0
