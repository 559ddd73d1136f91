"""Token buckets and gauges in shared memory: what they let through, alone, over several workers, and with many keys."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancer.hotpath.meter import Meters, Rate, client_key
from balancer.meters import SharedMeters
from tests.hotpath.processes import forked

START_US = 10_000_000
SECOND_US = 1_000_000


@pytest.fixture
def shared() -> Iterator[SharedMeters]:
    made = SharedMeters.create(3)
    yield made
    made.close()


def rate(per_second: float, burst: int) -> Rate:
    return Rate(b"scope", per_second, burst, False, b"")


def passed(meters: Meters, limit: Rate, key: bytes, moments_us: list[int]) -> int:
    return sum(meters.take(limit, key, moment) == 0 for moment in moments_us)


def test_a_burst_passes_and_then_what_the_rate_allows(shared: SharedMeters) -> None:
    meters, limit = shared.row(0), rate(10, 5)
    assert passed(meters, limit, b"a", [START_US] * 50) == 5
    later = [START_US + SECOND_US + n for n in range(50)]
    assert passed(meters, limit, b"a", later) == 5  # no more than the bucket holds, however long nobody asked
    assert passed(meters, limit, b"a", [START_US + 2 * SECOND_US + n * 100_000 for n in range(10)]) == 10


def test_who_is_refused_is_told_how_long_to_wait(shared: SharedMeters) -> None:
    meters, limit = shared.row(0), rate(10, 1)
    assert meters.take(limit, b"a", START_US) == 0
    wait_us = meters.take(limit, b"a", START_US + 30_000)
    assert wait_us == 70_000
    assert meters.take(limit, b"a", START_US + 30_000 + wait_us) == 0


@given(st.lists(st.integers(0, 300_000), max_size=60), st.integers(1, 5), st.sampled_from([1.0, 7.0, 50.0]))
def test_never_more_passes_than_a_token_bucket_allows(pauses_us: list[int], burst: int, per_second: float) -> None:
    shared = SharedMeters.create(2)
    limit, now_us, taken = rate(per_second, burst), START_US, []
    for number, pause_us in enumerate(pauses_us):
        now_us += pause_us
        if shared.row(number % 2).take(limit, b"a", now_us) == 0:
            taken.append(now_us)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            allowed = burst + (taken[last] - taken[first]) * per_second / SECOND_US
            assert last - first + 1 <= allowed + 0.01
    shared.close()


def test_workers_in_processes_of_their_own_keep_to_one_limit(shared: SharedMeters) -> None:
    """The bound: two that take in the same microsecond are counted exactly, a third one may not be."""
    counts = SharedMeters.create(3)

    def worker(row: int) -> None:
        meters, limit = shared.row(row), rate(0.001, 3000)
        counts.words[row] = sum(meters.take(limit, b"a", START_US) == 0 for _ in range(3000))

    with forked(*[lambda row=row: worker(row) for row in range(3)]):
        pass
    total = sum(counts.words[row] for row in range(3))
    counts.close()
    assert 3000 <= total <= 3150


def test_a_thousand_clients_at_their_limits_do_not_meet(shared: SharedMeters) -> None:
    meters, limit = shared.row(0), rate(1, 3)
    keys = [b"10.0.%d.%d" % divmod(number, 256) for number in range(1000)]
    found = [passed(meters, limit, key, [START_US] * 6) for key in keys]
    assert found.count(3) >= 998
    assert min(found) >= 2


def test_another_limit_has_other_buckets(shared: SharedMeters) -> None:
    meters = shared.row(0)
    one, other = Rate(b"one", 1, 1, False, b""), Rate(b"other", 1, 1, False, b"")
    assert [meters.take(limit, b"a", START_US) == 0 for limit in (one, other, one, other)] == [True, True, False, False]


def test_gauges_count_over_all_workers_and_end_with_theirs(shared: SharedMeters) -> None:
    rows = [shared.row(number) for number in range(3)]
    assert [row.enter(b"a", 4) for row in (*rows, *rows)] == [True] * 4 + [False] * 2
    rows[0].leave(b"a")
    assert rows[2].enter(b"a", 4)
    shared.retire(1)
    assert rows[0].enter(b"a", 4)
    assert not rows[0].enter(b"a", 3)


@pytest.mark.parametrize(
    ("peer", "key"),
    [
        pytest.param(b"192.0.2.7", b"192.0.2.7", id="IPv4 as it is"),
        pytest.param(b"2001:db8:1:2:3:4:5:6", b"2001:db8:1:2", id="of IPv6 the first half"),
        pytest.param(b"2001:db8::1", b"2001:db8:0:0", id="with a gap in it"),
        pytest.param(b"::1", b"0:0:0:0", id="loopback"),
        pytest.param(b"fe80::1%eth0", b"fe80:0:0:0", id="without its zone"),
    ],
)
def test_what_stands_for_a_client(peer: bytes, key: bytes) -> None:
    assert client_key(peer) == key
