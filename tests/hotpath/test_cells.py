"""A replica's cells as the autoscaler takes them, on both builds: sums over rows, differences, percentiles."""

from array import array
from collections.abc import Iterator

import pytest

from balancer.hotpath import board
from balancer.hotpath.cells import grown, percentile_us
from balancer.scoreboard import ReplicaReading, Scoreboard

MS = 1000


@pytest.fixture
def scoreboard() -> Iterator[Scoreboard]:
    made = Scoreboard.create(workers=2, services=2, replicas=4)
    yield made
    made.close()


def carry(scoreboard: Scoreboard, worker: int, slot: int, from_us: int, to_us: int, status: int = 200) -> None:
    row = scoreboard.row(worker)
    row.enter(slot, from_us)
    row.leave(slot, to_us)
    row.answered(slot, status, to_us - from_us, to_us - from_us, 0, 0)


def growth(before: ReplicaReading, now: ReplicaReading) -> tuple[tuple[int, ...], list[float], int]:
    """What `grown` gives for one replica, what it adds to the replica's totals, and how many latencies it counts."""
    totals, latency = array("d", (10.0, 100.0)), array("q", bytes(8 * board.BUCKETS))
    counted = grown({"a": before.cells()}, {"a": now.cells()}, {"a": 0}, totals, latency)
    return counted, totals.tolist(), sum(latency)


def test_the_rows_of_all_workers_are_added_up_and_busy_is_brought_up_to_now(scoreboard: Scoreboard) -> None:
    carry(scoreboard, 0, 1, 1 * MS, 3 * MS)
    carry(scoreboard, 1, 1, 2 * MS, 3 * MS)
    scoreboard.row(1).enter(1, 4 * MS)
    cells = scoreboard.cells(1, 10 * MS)
    assert (cells[board.IN_FLIGHT], cells[board.BUSY_US], cells[board.STATUS + 1]) == (1, 9 * MS, 2)
    assert not any(scoreboard.cells(2, 10 * MS))


def test_cells_and_a_reading_say_the_same(scoreboard: Scoreboard) -> None:
    carry(scoreboard, 0, 3, 0, 70 * MS, status=503)
    scoreboard.row(1).count_replica(3, board.CONNECTS, 7)
    assert scoreboard.replica(3, 0) == ReplicaReading.of(scoreboard.cells(3, 0))
    assert ReplicaReading.of(scoreboard.replica(3, 0).cells()) == scoreboard.replica(3, 0)


def test_what_was_counted_between_two_readings(scoreboard: Scoreboard) -> None:
    before = scoreboard.replica(0, 0)
    carry(scoreboard, 0, 0, 1 * MS, 3 * MS)
    carry(scoreboard, 1, 0, 1 * MS, 2 * MS, status=500)
    scoreboard.row(0).count_replica(0, board.CONNECT_ERRORS, 2)
    counted, totals, latencies = growth(before, scoreboard.replica(0, 3 * MS))
    assert counted == (3 * MS, 2, 4, 3, 0)
    assert (totals, latencies) == ([10.003, 102.0], 2)


def test_counters_that_fall_count_nothing(scoreboard: Scoreboard) -> None:
    fresh = scoreboard.replica(0, 0)
    carry(scoreboard, 0, 0, 1 * MS, 3 * MS)
    assert growth(scoreboard.replica(0, 3 * MS), fresh) == ((0, 0, 0, 0, 0), [10.0, 100.0], 0)


def test_a_replica_without_a_reading_before_counts_from_the_next_one_on(scoreboard: Scoreboard) -> None:
    carry(scoreboard, 0, 0, 1 * MS, 3 * MS)
    scoreboard.row(0).enter(0, 3 * MS)
    totals = array("d", (0.0, 0.0))
    counted = grown({}, {"new": scoreboard.cells(0, 3 * MS)}, {"new": 0}, totals, array("q", bytes(8 * board.BUCKETS)))
    assert (counted, totals.tolist()) == ((0, 0, 0, 0, 1), [0.0, 0.0])


@pytest.mark.parametrize(
    ("counts", "share", "low_us", "high_us"),
    [
        pytest.param({10: 4}, 0.5, 10, 11, id="all answers in one bucket lie in it"),
        pytest.param({10: 95, 30: 5}, 0.95, 10, 11, id="a share that ends with a bucket is its upper bound"),
        pytest.param({10: 94, 30: 6}, 0.95, 30, 31, id="one answer more and it is in the next one"),
    ],
)
def test_a_percentile_lies_in_the_bucket_of_its_answer(counts: dict[int, int], share: float, low_us: int, high_us: int) -> None:
    before = array("q", (5,) * board.BUCKETS)
    now = array("q", [5 + counts.get(bucket, 0) for bucket in range(board.BUCKETS)])
    assert board.bucket_floor_us(low_us) <= percentile_us(before, now, share) <= board.bucket_floor_us(high_us)


def test_there_is_no_percentile_of_nothing() -> None:
    same = array("q", (3,) * board.BUCKETS)
    assert percentile_us(same, same, 0.95) < 0
