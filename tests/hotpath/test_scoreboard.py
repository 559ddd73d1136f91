"""The scoreboard: rows written by processes at the same time are summed right, integrals are exact, a dead worker is no load."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancer.hotpath import board
from balancer.hotpath.board import bucket_floor_us
from balancer.hotpath.row import Row, bucket
from balancer.scoreboard import Scoreboard, quantile_us
from tests.hotpath.processes import forked
from tests.hotpath.strategies import THOROUGH
from tests.support import wait_until_blocking

START_US = 1_000_000
REQUESTS = 20_000


@pytest.fixture
def shared():
    made = Scoreboard.create(workers=2, services=2, replicas=3)
    yield made
    made.close()


# Latency buckets.


@pytest.mark.parametrize("index", range(board.BUCKETS))
def test_a_bucket_begins_at_its_floor(index: int) -> None:
    assert bucket(bucket_floor_us(index)) == index
    assert index == 0 or bucket(bucket_floor_us(index) - 1) == index - 1


@THOROUGH
@given(st.integers(-5, 2**62))
def test_a_latency_lies_between_the_floors_of_its_bucket_and_the_next(latency_us: int) -> None:
    index = bucket(latency_us)
    assert bucket_floor_us(index) <= max(0, latency_us)
    assert index == board.BUCKETS - 1 or latency_us < bucket_floor_us(index + 1)


@pytest.mark.parametrize("index", range(1, board.BUCKETS - 1))
def test_a_bucket_is_at_most_a_quarter_of_its_floor_wide(index: int) -> None:
    assert (bucket_floor_us(index + 1) - bucket_floor_us(index)) * 4 <= bucket_floor_us(index)


@THOROUGH
@given(st.lists(st.integers(0, 60_000_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.95, 0.99, 1.0]))
def test_a_quantile_is_off_by_less_than_its_bucket(latencies_us: list[int], share: float) -> None:
    counts = [0] * board.BUCKETS
    for latency_us in latencies_us:
        counts[bucket(latency_us)] += 1
    exact = sorted(latencies_us)[max(0, -int(-share * len(latencies_us) // 1) - 1)]
    found = quantile_us(tuple(counts), share)
    assert found is not None
    assert bucket_floor_us(bucket(exact)) <= found <= bucket_floor_us(bucket(exact) + 1)


def test_there_is_no_quantile_of_nothing() -> None:
    assert quantile_us((0,) * board.BUCKETS, 0.95) is None


# Counting.


def work(shared: Scoreboard, worker: int) -> None:
    row = shared.row(worker)
    row.put(board.PID, os.getpid())
    now_us = START_US
    for number in range(REQUESTS):
        slot = number % 3
        row.enter(slot, now_us)
        now_us += 10
        row.answered(slot, 200 if number % 10 else 500, 100, 100, 0, 0)
        row.count_replica(slot, board.BYTES_IN, 7)
        row.count_service(0, board.RETRIES)
        row.leave(slot, now_us)


def test_rows_that_two_processes_write_at_once_are_summed(shared: Scoreboard) -> None:
    with forked(lambda: work(shared, 0), lambda: work(shared, 1)) as pids:
        pass
    readings = [shared.replica(slot, START_US + 10 * REQUESTS) for slot in range(3)]
    assert sum(reading.requests for reading in readings) == 2 * REQUESTS
    assert sum(reading.status[4] for reading in readings) == 2 * REQUESTS / 10
    assert sum(reading.bytes_in for reading in readings) == 2 * REQUESTS * 7
    assert sum(reading.busy_us for reading in readings) == 2 * REQUESTS * 10
    assert sum(reading.latency[bucket(100)] for reading in readings) == 2 * REQUESTS
    assert sum(reading.latency_sum_us for reading in readings) == 2 * REQUESTS * 100
    assert all(reading.in_flight == 0 for reading in readings)
    assert shared.service(0, START_US).retries == 2 * REQUESTS
    assert [shared.worker(0).pid, shared.worker(1).pid] == pids


def test_a_reader_sees_counters_only_grow_while_they_are_written(shared: Scoreboard) -> None:
    with forked(lambda: work(shared, 0), lambda: work(shared, 1)):
        seen = [0]

        def all_counted() -> bool:
            seen.append(sum(shared.replica(slot, START_US).requests for slot in range(3)))
            return seen[-1] == 2 * REQUESTS

        wait_until_blocking(all_counted)
    assert seen == sorted(seen)


def test_a_scoreboard_is_the_same_behind_its_descriptor(shared: Scoreboard) -> None:
    other = Scoreboard.attach(os.dup(shared.fd))
    other.row(1).enter(2, START_US)
    other.close()
    assert shared.in_flight(2) == 1


def test_a_row_that_is_left_when_the_scoreboard_closes_does_no_harm() -> None:
    closed = Scoreboard.create(workers=1, services=1, replicas=1)
    row = closed.row(0)
    closed.close()
    row.enter(0, START_US)
    assert row.in_flight(0) == 1


def test_a_descriptor_that_holds_no_scoreboard_is_refused() -> None:
    fd = os.memfd_create("other")
    os.ftruncate(fd, 4096)
    with pytest.raises(ValueError, match="no scoreboard"):
        Scoreboard.attach(fd)
    os.close(fd)


def test_replicas_and_services_do_not_touch_each_other_s_cells(shared: Scoreboard) -> None:
    row = shared.row(1)
    for slot in range(3):
        for offset in range(board.REPLICA_WORDS):
            row.count_replica(slot, offset, 1000 + slot)
    for slot in range(2):
        for offset in range(board.SERVICE_WORDS):
            row.count_service(slot, offset, 2000 + slot)
    for offset in range(board.WORKER_WORDS):
        row.put(offset, 3000)
    values = [value for value in shared.words.tolist()[16:] if value]
    assert sorted(set(values)) == [1000, 1001, 1002, 2000, 2001, 3000]
    assert len(values) == 3 * board.REPLICA_WORDS + 2 * board.SERVICE_WORDS + board.WORKER_WORDS


# Integrals, in virtual time.


@THOROUGH
@given(st.lists(st.tuples(st.integers(0, 1), st.booleans(), st.integers(0, 50_000)), max_size=40), st.integers(0, 9_999))
def test_the_integral_of_requests_in_flight_is_exact(steps: list[tuple[int, bool, int]], tail_us: int) -> None:
    """steps: (worker, whether a request begins, microseconds until the next step)."""
    shared = Scoreboard.create(workers=2, services=1, replicas=1)
    rows = [shared.row(0), shared.row(1)]
    now_us, carried, expected_us = START_US, [0, 0], 0
    for worker, begins, pause_us in steps:
        if begins:
            rows[worker].enter(0, now_us)
            carried[worker] += 1
        elif carried[worker]:
            rows[worker].leave(0, now_us)
            carried[worker] -= 1
        now_us += pause_us
        expected_us += sum(carried) * pause_us
    reading = shared.replica(0, now_us + tail_us)
    assert (reading.in_flight, reading.busy_us) == (sum(carried), expected_us + sum(carried) * tail_us)
    assert rows[0].in_flight(0) == shared.in_flight(0) == sum(carried)
    shared.close()


@THOROUGH
@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=20))
def test_the_integral_of_waiting_requests_is_exact(pauses_us: list[int]) -> None:
    shared = Scoreboard.create(workers=1, services=1, replicas=1)
    row = shared.row(0)
    now_us = START_US
    for pause_us in pauses_us:
        row.waiting(0, 1, START_US, now_us)
        now_us += pause_us
    expected_us = sum(pause_us * (number + 1) for number, pause_us in enumerate(pauses_us))
    reading = shared.service(0, now_us)
    assert (reading.waiting, reading.wait_busy_us) == (len(pauses_us), expected_us)
    shared.close()


# Dead workers.


def loaded(shared: Scoreboard) -> Row:
    row = shared.row(0)
    row.put(board.PID, 4711)
    row.count(board.CONNECTIONS, 3)
    row.enter(1, START_US)
    row.enter(1, START_US)
    row.count_replica(1, board.POOLED, 5)
    row.waiting(0, 1, START_US, START_US)
    return row


def test_a_dead_worker_s_gauges_are_no_load(shared: Scoreboard) -> None:
    loaded(shared)
    shared.retire(0, START_US + 100)
    reading = shared.replica(1, START_US + 100)
    assert (reading.in_flight, reading.pooled) == (0, 0)
    assert shared.service(0, START_US + 100).waiting == 0
    assert shared.row(1).longest_waiting(0) == -1
    assert (shared.worker(0).pid, shared.worker(0).connections) == (0, 0)


def test_what_was_read_of_an_integral_is_not_taken_back_when_the_worker_dies(shared: Scoreboard) -> None:
    loaded(shared)
    before = shared.replica(1, START_US + 100).busy_us, shared.service(0, START_US + 100).wait_busy_us
    shared.retire(0, START_US + 100)
    after = shared.replica(1, START_US + 900).busy_us, shared.service(0, START_US + 900).wait_busy_us
    assert before == after == (200, 100)


def test_a_worker_that_dies_now_is_retired_now(shared: Scoreboard) -> None:
    row = shared.row(0)
    row.enter(1, time.monotonic_ns() // 1000)
    shared.retire(0)
    assert 0 <= shared.replica(1, 0).busy_us < 60_000_000


def test_the_successor_counts_on_where_the_dead_worker_s_counters_stand(shared: Scoreboard) -> None:
    row = loaded(shared)
    row.answered(1, 200, 50, 50, 0, 0)
    shared.retire(0, START_US + 100)
    successor = shared.row(0)
    successor.enter(1, START_US + 1000)
    successor.answered(1, 200, 50, 50, 0, 0)
    successor.leave(1, START_US + 1010)
    reading = shared.replica(1, START_US + 5000)
    assert (reading.in_flight, reading.busy_us, reading.requests) == (0, 200 + 10, 2)


def test_a_sibling_s_row_is_left_alone(shared: Scoreboard) -> None:
    loaded(shared)
    shared.row(1).enter(1, START_US)
    shared.retire(0, START_US + 100)
    assert shared.in_flight(1) == 1


def test_retiring_a_row_takes_up_no_memory() -> None:
    shared = Scoreboard.create(workers=2)
    before = os.fstat(shared.fd).st_blocks
    shared.retire(1)
    assert os.fstat(shared.fd).st_blocks <= before + 16
    shared.close()
