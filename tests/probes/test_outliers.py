"""Verdicts from the requests themselves: what makes a replica an outlier, for how long it is out, and when that is ignored."""

from array import array

import pytest

from balancer.hotpath import board
from balancer.hotpath.row import bucket
from probes.outliers import Ejection, EjectionSpec, Outliers

SPEC = EjectionSpec()
ALL = {"a", "b", "c", "d"}


class House:
    """Four replicas and the requests they got. Each step is one interval."""

    def __init__(self, spec: EjectionSpec | None = SPEC, names: set[str] = ALL) -> None:
        self.outliers = Outliers(spec)
        self.cells = {name: array("q", bytes(8 * board.REPLICA_WORDS)) for name in sorted(names)}
        self.ready = set(names)
        self.now_s = 1000.0
        self.step()

    def answer(self, name: str, count: int, status: int = 200, latency_us: int = 10_000) -> None:
        self.cells[name][board.STATUS + status // 100 - 1] += count
        self.cells[name][board.LATENCY + bucket(latency_us)] += count

    def usual(self, but: str = "") -> None:
        for name in self.ready - {but}:
            self.answer(name, 100)

    def step(self, interval_s: float = SPEC.interval_s) -> list[Ejection]:
        self.now_s += interval_s
        found = self.outliers.judge(self.cells, self.ready, len(self.cells), self.now_s)
        self.ready -= {ejection.replica for ejection in found}
        return found

    def fail(self, name: str, times: int) -> list[Ejection]:
        found = self.outliers.in_a_row(name, times, self.ready, len(self.cells), self.now_s)
        self.ready -= {ejection.replica for ejection in found}
        return found


def named(found: list[Ejection]) -> list[tuple[str, str]]:
    return [(ejection.replica, ejection.kind) for ejection in found]


def test_a_replica_that_fails_where_the_others_do_not_is_out() -> None:
    house = House()
    house.usual(but="b")
    house.answer("b", 60)
    house.answer("b", 40, 500)
    (found,) = house.step()
    assert (found.replica, found.kind, found.until_s) == ("b", "failure_share", house.now_s + 10.0)
    assert found.reason == "40% of its requests failed, 0% of the others'; out for 10 s"


def test_connections_that_break_and_deadlines_are_failures_too() -> None:
    house = House()
    house.usual(but="b")
    house.answer("b", 60)
    for cell in (board.CONNECT_ERRORS, board.BROKEN, board.TIMEOUTS):
        house.cells["b"][cell] += 15
    assert named(house.step()) == [("b", "failure_share")]


def test_where_all_fail_alike_nobody_is_an_outlier() -> None:
    house = House()
    for name in ALL:
        house.answer(name, 50)
        house.answer(name, 50, 503)
    assert house.step() == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        pytest.param(90, 10, id="a small difference"),
        pytest.param(3, 3, id="few requests"),
    ],
)
def test_what_chance_may_explain_ejects_nobody(good: int, bad: int) -> None:
    house = House()
    house.usual(but="b")
    house.answer("b", good)
    house.answer("b", bad, 500)
    assert house.step() == []


def test_a_replica_that_is_far_slower_than_the_others_is_out() -> None:
    house = House()
    house.usual(but="c")
    house.answer("c", 100, latency_us=200_000)
    (found,) = house.step()
    assert (found.replica, found.kind) == ("c", "latency")
    assert "its median latency was 2" in found.reason


@pytest.mark.parametrize(
    ("latency_us", "names"),
    [
        pytest.param(40_000, ALL, id="four times as slow"),
        pytest.param(200_000, {"a", "c"}, id="one of two: nobody can tell which one is usual"),
    ],
)
def test_slower_alone_ejects_nobody(latency_us: int, names: set[str]) -> None:
    house = House(names=names)
    house.usual(but="c")
    house.answer("c", 100, latency_us=latency_us)
    assert house.step() == []


def test_a_factor_between_microseconds_is_no_outlier() -> None:
    house = House()
    for name in ALL - {"c"}:
        house.answer(name, 100, latency_us=200)
    house.answer("c", 100, latency_us=20_000)
    assert house.step() == []


def test_failures_in_a_row_eject_at_once() -> None:
    house = House()
    assert house.fail("a", 4) == []
    assert named(house.fail("a", 5)) == [("a", "failures")]


def test_each_time_it_is_out_for_longer_and_never_longer_than_the_longest() -> None:
    house = House()
    times = []
    for _ in range(40):
        (found,) = house.fail("a", 5)
        times.append(found.until_s - house.now_s)
        house.now_s = found.until_s
        house.ready.add("a")
    assert times[:4] == [10, 20, 30, 40]
    assert times[-1] == 300


def test_good_times_make_ejections_forgotten_one_by_one() -> None:
    house = House()
    for _ in range(3):
        (found,) = house.fail("a", 5)
        house.now_s = found.until_s
        house.ready.add("a")
    house.now_s += 20  # two are forgotten
    (found,) = house.fail("a", 5)
    assert found.until_s - house.now_s == 20


def test_below_the_panic_threshold_ejections_are_ignored() -> None:
    house = House()
    assert [named(house.fail(name, 5)) for name in "abcd"] == [[("a", "failures")], [("b", "failures")], [], []]


def test_of_several_outliers_the_worst_goes_first() -> None:
    house = House(EjectionSpec(panic=0.75))
    house.usual(but="")
    house.answer("a", 60, 500)
    house.answer("b", 400, 500)
    assert named(house.step()) == [("b", "failure_share")]


def test_when_others_fall_away_the_last_to_be_ejected_comes_back_before_its_time() -> None:
    house = House()
    house.fail("a", 5)
    house.now_s += 1
    house.fail("b", 5)
    assert house.outliers.pardoned(2, 4, house.now_s) == []
    assert house.outliers.pardoned(1, 4, house.now_s) == ["b"]  # c is no longer ready, by its probes
    assert house.outliers.pardoned(1, 4, house.now_s) == ["a"]
    assert house.outliers.pardoned(0, 4, house.now_s) == []


def test_counters_that_fall_count_nothing() -> None:
    house = House()
    house.usual()
    house.answer("b", 100, 500)
    house.cells["b"] = array("q", bytes(8 * board.REPLICA_WORDS))
    assert house.step() == []


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(None, id="not at all"),
        pytest.param(EjectionSpec(failures=0, failure_margin=0, latency_factor=0), id="no rule"),
    ],
)
def test_it_can_be_turned_off(spec: EjectionSpec | None) -> None:
    house = House(spec)
    house.usual(but="b")
    house.answer("b", 100, 500, latency_us=2_000_000)
    assert house.step() == []
    assert house.fail("b", 50) == []
