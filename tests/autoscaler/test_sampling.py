"""The sampler on a real scoreboard: what workers write is what snapshots say, whatever the rhythm of the ticks."""

from collections.abc import Iterator, Sequence

import pytest

from autoscaler.history import Window, beginning
from autoscaler.rules import MetricRule, MetricType, Rules
from autoscaler.sampling import ReplicaStatus, Sampler
from autoscaler.snapshot import Sample, Snapshot
from balancer.hotpath import board
from balancer.scoreboard import Scoreboard
from balancer.table import ReplicaState

SECOND = 1_000_000  # microseconds
RULES = Rules(1, 10, (MetricRule(MetricType.CONCURRENCY, 10.0), MetricRule(MetricType.LATENCY, 0.3)))
START = 1000  # seconds; the scoreboard's clock is CLOCK_MONOTONIC


class Watched:
    """A scoreboard with two workers, and the sampler of its service 0, whose replicas "a", "b", ... are the slots 0, 1, ..."""

    def __init__(self, board_: Scoreboard) -> None:
        self.scoreboard = board_
        self.rows = [board_.row(0), board_.row(1)]
        self.sampler = Sampler(RULES)
        self.now_s = 0.0

    def observe(self, at_s: float, replicas: str = "ab") -> None:
        """Take the readings of START + at_s."""
        self.now_s = START + at_s
        now_us = int(self.now_s * SECOND)
        readings = {name: self.scoreboard.replica("abcdefgh".index(name), now_us) for name in replicas}
        self.sampler.observe(self.now_s, self.scoreboard.service(0, now_us), readings)

    def snapshot(self, replicas: str = "ab", states: Sequence[ReplicaState] = ()) -> Snapshot:
        """What the sampler makes of it; all READY unless told."""
        states = states or [ReplicaState.READY] * len(replicas)
        statuses = [ReplicaStatus(name, state, START - 5.0) for name, state in zip(replicas, states, strict=True)]
        return self.sampler.snapshot(self.now_s, "shop", statuses, len(replicas), None)

    def carry(self, slot: int, from_s: float, to_s: float, status: int = 200, worker: int = 0) -> None:
        """One request, from its first moment to its last."""
        row = self.rows[worker]
        row.enter(slot, int((START + from_s) * SECOND))
        row.leave(slot, int((START + to_s) * SECOND))
        row.answered(slot, status, int((to_s - from_s) * SECOND), int((to_s - from_s) * SECOND), 0, 0)


@pytest.fixture
def watched() -> Iterator[Watched]:
    scoreboard = Scoreboard.create(workers=2, services=4, replicas=8)
    yield Watched(scoreboard)
    scoreboard.close()


def test_concurrency_is_exact_however_short_the_requests(watched: Watched) -> None:
    watched.observe(0)
    for hundredth in range(0, 400, 2):
        watched.carry(0, hundredth / 100, hundredth / 100 + 0.01)
    watched.observe(4)
    assert watched.snapshot().replicas[0].samples[MetricType.CONCURRENCY].stable == pytest.approx(0.5)


def test_both_workers_count(watched: Watched) -> None:
    watched.observe(0)
    watched.carry(0, 0, 3, worker=0)
    watched.carry(0, 0, 3, worker=1)
    watched.observe(3)
    assert watched.snapshot().load(MetricType.CONCURRENCY).stable == pytest.approx(2.0)


def test_the_load_of_a_window_without_requests_is_0_and_not_less_by_rounding() -> None:
    idle = [beginning(at_s)._replace(busy_s=6.86, waited_s=0.02) for at_s in (START, START + 1)]
    assert 6.86 + 0.02 - 6.86 - 0.02 < 0
    assert Window(idle[0], idle[1], START, idle[1]).load == 0


def test_requests_still_running_count(watched: Watched) -> None:
    watched.observe(0)
    watched.rows[0].enter(1, (START + 1) * SECOND)
    watched.observe(1)
    watched.observe(2)
    assert watched.snapshot().replicas[1].samples[MetricType.CONCURRENCY].stable == pytest.approx(0.5)
    assert watched.sampler.load == pytest.approx(1.0)


def test_waiting_requests_are_the_services_load(watched: Watched) -> None:
    watched.observe(0)
    watched.rows[0].waiting(0, 3, START * SECOND, START * SECOND)
    watched.observe(2)
    snapshot = watched.snapshot()
    assert snapshot.waiting == Sample(pytest.approx(3.0), pytest.approx(3.0))
    assert (snapshot.waiting_now, watched.sampler.load) == (3, pytest.approx(3.0))


def test_answers_per_second_and_failures_are_counted(watched: Watched) -> None:
    watched.observe(0)
    for tenth in range(40):
        watched.carry(tenth % 2, tenth / 10, tenth / 10 + 0.05, status=503 if tenth % 4 == 0 else 200)
    watched.rows[1].count_replica(1, board.CONNECT_ERRORS, 6)
    watched.observe(4)
    snapshot = watched.snapshot()
    assert snapshot.load(MetricType.RPS).stable == pytest.approx(10.0)
    assert (snapshot.attempts.stable, snapshot.failures.stable) == (46, 16)
    assert watched.sampler.rps == pytest.approx(10.0)


def test_the_percentile_is_that_of_the_window(watched: Watched) -> None:
    watched.carry(0, -50, -20)
    watched.observe(0)
    for number in range(100):
        watched.carry(0, number / 100, number / 100 + (0.01 if number < 90 else 0.4))
    watched.observe(2)
    assert watched.snapshot().latency_s[95.0] == pytest.approx(0.4, rel=0.25)
    assert watched.sampler.latency(50.0) == pytest.approx(0.01, rel=0.25)


def test_what_was_counted_before_the_first_reading_is_not_load(watched: Watched) -> None:
    watched.carry(0, -900, -1)
    watched.observe(0)
    watched.observe(1)
    assert watched.snapshot().load(MetricType.CONCURRENCY).stable == 0


def test_the_windows_are_their_own(watched: Watched) -> None:
    watched.observe(0)
    watched.rows[0].enter(0, (START + 57) * SECOND)
    for second in range(1, 61):
        watched.observe(second)
    assert watched.snapshot().load(MetricType.CONCURRENCY) == Sample(pytest.approx(3 / 60), pytest.approx(3 / 6))


def test_what_is_older_than_the_window_is_forgotten(watched: Watched) -> None:
    watched.observe(0)
    watched.carry(0, 0, 5)
    for second in range(1, 90):
        watched.observe(second)
    assert watched.snapshot().load(MetricType.CONCURRENCY).stable == 0


@pytest.mark.parametrize(
    "ticks",
    [[float(t) for t in range(1, 21)], [20.0], [0.3, 0.31, 0.32, 7, 7.001, 19.5, 20], [t / 10 for t in range(1, 201)], [14, 20]],
    ids=["every second", "one late tick", "ticks by fits and starts", "ten a second", "two"],
)
def test_the_rhythm_of_the_ticks_changes_nothing(watched: Watched, ticks: list[float]) -> None:
    watched.observe(0)
    watched.rows[0].enter(0, START * SECOND)
    watched.rows[1].waiting(0, 2, START * SECOND, START * SECOND)
    for tick_s in ticks:
        watched.observe(tick_s)
    assert watched.snapshot().load(MetricType.CONCURRENCY) == Sample(pytest.approx(3.0), pytest.approx(3.0))


def test_a_tick_that_is_not_later_is_not_taken(watched: Watched) -> None:
    watched.observe(0)
    watched.rows[0].enter(0, START * SECOND)
    watched.observe(2)
    watched.observe(1)
    watched.observe(2)
    assert watched.sampler.load == pytest.approx(1.0)


def test_a_worker_that_dies_with_requests_open_takes_nothing_from_the_load_of_others(watched: Watched) -> None:
    watched.rows[0].put(board.PID, 77)
    watched.observe(0)
    watched.rows[0].enter(0, START * SECOND)
    watched.rows[1].enter(1, START * SECOND)
    watched.observe(1)
    watched.scoreboard.retire(0, (START + 1) * SECOND)
    watched.observe(2)
    watched.observe(3)
    samples = [replica.samples[MetricType.CONCURRENCY].stable for replica in watched.snapshot().replicas]
    assert samples == [pytest.approx(1 / 3), pytest.approx(1.0)]


def test_counters_that_start_again_add_nothing_for_that_moment(watched: Watched) -> None:
    watched.observe(0)
    watched.carry(0, 0, 1)
    watched.observe(1)
    again = Scoreboard.create(workers=2, services=4, replicas=8)
    again.row(0).enter(0, (START + 1) * SECOND)
    first, watched.scoreboard = watched.scoreboard, again
    watched.observe(1.5)
    watched.observe(2.5)
    watched.scoreboard = first
    again.close()
    snapshot = watched.snapshot()
    assert snapshot.load(MetricType.CONCURRENCY).stable == pytest.approx(2.0 / 2.5)
    assert snapshot.attempts.stable == 1


def test_a_ready_replica_without_two_readings_is_missing(watched: Watched) -> None:
    watched.observe(0, "a")
    watched.observe(1, "ab")
    assert [bool(replica.samples) for replica in watched.snapshot("abc").replicas] == [True, False, False]


def test_a_replica_that_left_is_part_of_the_load_of_its_time(watched: Watched) -> None:
    watched.observe(0)
    watched.carry(1, 0, 6)
    watched.carry(0, 0, 10)
    watched.observe(6)
    watched.observe(10, "a")
    snapshot = watched.snapshot("a")
    assert snapshot.departed[MetricType.CONCURRENCY].stable == pytest.approx(0.6)
    assert snapshot.load(MetricType.CONCURRENCY).stable == pytest.approx(1.6)


def test_what_a_draining_replica_carries_is_load_too(watched: Watched) -> None:
    watched.observe(0)
    watched.rows[0].enter(1, START * SECOND)
    watched.observe(4)
    snapshot = watched.snapshot(states=[ReplicaState.READY, ReplicaState.DRAINING])
    assert (snapshot.current, snapshot.ready) == (1, 1)
    assert snapshot.load(MetricType.CONCURRENCY).stable == pytest.approx(1.0)


def test_idle_is_since_anything_last_ran_waited_or_ended(watched: Watched) -> None:
    for second in range(10):
        if second == 4:
            watched.carry(0, 3.2, 3.4)
        watched.observe(second)
    assert watched.snapshot().idle_s == pytest.approx(5.0)
    watched.rows[0].count_service(0, board.UNAVAILABLE)
    watched.observe(10)
    assert watched.snapshot().idle_s == 0
    watched.rows[0].enter(0, (START + 10) * SECOND)
    watched.observe(20)
    watched.observe(30)
    assert watched.snapshot().idle_s == 0


def test_without_two_readings_there_is_no_data(watched: Watched) -> None:
    assert watched.snapshot().data_age_s is None
    watched.observe(0)
    assert watched.snapshot().data_age_s is None
    assert (watched.sampler.load, watched.sampler.rps, watched.sampler.latency(95)) == (0.0, 0.0, None)


def test_the_age_of_the_data_is_told(watched: Watched) -> None:
    watched.observe(0)
    watched.observe(1)
    watched.now_s += 7
    assert watched.snapshot().data_age_s == pytest.approx(7.0)


def test_the_memory_of_readings_is_bounded(watched: Watched) -> None:
    for tick in range(2000):
        watched.observe(tick / 20)
    assert len(watched.sampler._history._frames) <= 2 * 69 + 2
