"""Sums over proxies that come, go, begin again and are away: never down, nothing twice, no gauge of those who are not there."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancer.hotpath import board
from balancer.scoreboard import ReplicaReading, ServiceReading
from sidecar.proxies import cells
from sidecar.proxies.sums import Share, Sums

GAUGE, INTEGRAL, COUNTER = range(3)


class Sum:
    """Slot 0 of three cells (a gauge, its integral, a counter), of two proxies."""

    def __init__(self) -> None:
        self.sums = Sums(3, (GAUGE,))
        self.a, self.b = Share(), Share()

    def says(self, share: Share, gauge: int, integral: int, counter: int, at_us: int = 0) -> None:
        self.sums.note(share, 0, [gauge, integral, counter])
        share.heard_us = at_us

    def join(self, share: Share) -> None:
        self.sums.join(share)

    def leave(self, share: Share) -> None:
        self.sums.leave(share)

    def at(self, now_us: int = 0) -> list[int]:
        return self.sums.read(0, (self.a, self.b), now_us)


def two_proxies(it: Sum) -> None:
    for share, counter in ((it.a, 10), (it.b, 5)):
        it.says(share, 0, 0, 0)
        it.join(share)
        it.says(share, 1, 100, counter)


def one_was_counting_before(it: Sum) -> None:
    it.says(it.a, 2, 1000, 50)
    it.join(it.a)
    it.says(it.a, 1, 1100, 53)


def one_is_not_counted_in(it: Sum) -> None:
    two_proxies(it)
    stranger = Share()
    it.says(stranger, 7, 7, 7)


def one_is_lost(it: Sum) -> None:
    two_proxies(it)
    it.leave(it.b)


def one_begins_again(it: Sum) -> None:
    two_proxies(it)
    it.leave(it.b)
    it.b.last.clear()
    it.says(it.b, 0, 0, 0)
    it.join(it.b)
    it.says(it.b, 2, 10, 3)


def one_comes_back(it: Sum) -> None:
    two_proxies(it)
    it.leave(it.b)
    it.says(it.b, 3, 900, 95)
    it.join(it.b)
    it.says(it.b, 4, 910, 96)


def the_only_one_comes_back(it: Sum) -> None:
    two_proxies(it)
    it.leave(it.b)
    it.b.counted = True
    it.says(it.b, 3, 900, 95)


@pytest.mark.parametrize(
    ("story", "total"),
    [
        pytest.param(two_proxies, [2, 200, 15], id="the parts of all proxies are added"),
        pytest.param(one_was_counting_before, [1, 100, 3], id="what was counted before it was counted in is not added"),
        pytest.param(one_is_not_counted_in, [2, 200, 15], id="a proxy that is not counted in adds nothing"),
        pytest.param(one_is_lost, [1, 200, 15], id="a lost proxy has nothing in flight, and its counts stay"),
        pytest.param(one_begins_again, [3, 210, 18], id="a proxy that begins again at zero adds what it counts from there"),
        pytest.param(one_comes_back, [5, 210, 16], id="a proxy that comes back to others adds no lump of what was not seen"),
        pytest.param(the_only_one_comes_back, [4, 1000, 105], id="one that nobody was counted without adds all of it"),
    ],
)
def test_the_total_of(story: Callable[[Sum], None], total: list[int]) -> None:
    it = Sum()
    story(it)
    assert it.at() == total


def test_between_two_readings_the_integral_goes_on_and_what_was_told_is_never_taken_back() -> None:
    it = Sum()
    it.says(it.a, 0, 0, 0)
    it.join(it.a)
    it.says(it.a, 4, 0, 0, at_us=1000)
    assert it.at(1250)[INTEGRAL] == 1000
    it.says(it.a, 0, 600, 4, at_us=1300)  # they had ended before that
    assert it.at(1400)[INTEGRAL] == 1000
    it.says(it.a, 1, 1200, 4, at_us=2000)
    assert it.at(2000)[INTEGRAL] == 1200


STEPS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["count", "count", "leave", "join", "restart"]), st.integers(0, 9)),
    max_size=40,
)


@given(STEPS)
def test_whatever_becomes_of_the_proxies_counters_never_fall_and_gauges_are_those_counted_in(
    steps: list[tuple[str, str, int]],
) -> None:
    it = Sum()
    now = {"a": [0, 0, 0], "b": [0, 0, 0]}
    before = [0, 0, 0]
    for name, step, number in steps:
        share, values = getattr(it, name), now[name]
        if step == "count":
            values[:] = [number, values[INTEGRAL] + number, values[COUNTER] + number]
        elif step == "leave":
            it.leave(share)
        elif step == "join" and not share.counted:
            it.says(share, *values)
            it.join(share)
        elif step == "restart":
            it.leave(share)
            share.last.clear()
            values[:] = [0, 0, 0]
        if step in {"count", "join"}:
            it.says(share, *values)
        total = it.at()
        assert total[COUNTER] >= before[COUNTER]
        assert total[INTEGRAL] >= before[INTEGRAL]
        assert total[GAUGE] == sum(now[each][GAUGE] for each in "ab" if getattr(it, each).counted)
        before = total


NUMBERS = st.integers(0, 2**62)
FIVE = st.tuples(*[NUMBERS] * 5)


@given(st.builds(ReplicaReading, *[NUMBERS] * 2, FIVE, *[NUMBERS] * 8, st.tuples(*[NUMBERS] * board.BUCKETS)))
def test_a_replicas_reading_travels_whole(reading: ReplicaReading) -> None:
    wire = cells.to_wire(cells.of_replica(reading))
    assert cells.to_replica(cells.from_wire(wire, cells.REPLICA)) == reading


@given(st.builds(ServiceReading, *[NUMBERS] * 7, FIVE, *[NUMBERS] * 7))
def test_a_services_reading_travels_whole(reading: ServiceReading) -> None:
    wire = cells.to_wire(cells.of_service(reading))
    assert cells.to_service(cells.from_wire(wire, cells.SERVICE)) == reading


def test_zeros_do_not_travel() -> None:
    assert cells.to_wire([1, 0, 2, 0, 0]) == [1, 0, 2]
    assert cells.to_wire([0, 0]) == []


@pytest.mark.parametrize("data", ["12", [1, "2"], [1.5], [True], [0] * 20, {"0": 1}, None], ids=repr)
def test_what_is_no_reading_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="at most 19 whole numbers"):
        cells.from_wire(data, cells.SERVICE)
