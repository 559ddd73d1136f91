"""Slow start: how the share of a replica that became READY grows, and what it does to the picks."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from balancer.hotpath.pick import LEAST_REQUEST, P2C, RANDOM, ROUND_ROBIN, pick
from balancer.hotpath.replica import WHOLE, Replica
from balancer.hotpath.row import Row
from balancer.hotpath.service import Service
from balancer.scoreboard import Scoreboard

SECOND_US = 1_000_000
NOW_US = 1_700_000_000 * SECOND_US


@pytest.fixture
def row() -> Iterator[Row]:
    board = Scoreboard.create(1, services=1, replicas=4)
    yield board.row(0)
    board.close()


def service(row: Row, *ages_s: float, slow_start_s: float = 20.0, shares: tuple[int, ...] = ()) -> Service:
    made = Service("shop", 0, row, random.Random(1).random)
    made.slow_start_us = int(slow_start_s * SECOND_US)
    for number, age_s in enumerate(ages_s):
        replica = Replica(f"shop-{number}", number, "127.0.0.1:1", shares[number] if shares else 1)
        replica.ready_at_us = NOW_US - int(age_s * SECOND_US)
        made.ready.append(replica)
    made.warm(NOW_US)
    return made


@pytest.mark.parametrize(("age_s", "part"), [(0, 0.1), (1, 0.1), (5, 0.25), (10, 0.5), (20, 1.0), (1000, 1.0)])
def test_a_share_grows_with_time_from_a_tenth(row: Row, age_s: float, part: float) -> None:
    made = service(row, age_s, 1000)
    assert made.ready[0].weight / WHOLE == pytest.approx(part, abs=0.02)
    assert made.ready[1].weight == WHOLE
    assert made.warming == (part < 1)


def test_without_slow_start_everybody_has_the_whole_share(row: Row) -> None:
    assert [replica.weight for replica in service(row, 0, 1000, slow_start_s=0).ready] == [WHOLE] * 2


def test_a_configured_weight_is_what_it_grows_to(row: Row) -> None:
    made = service(row, 10, 1000, shares=(4, 1))
    assert [replica.weight for replica in made.ready] == [2 * WHOLE, WHOLE]


def test_a_clock_that_was_set_back_gives_the_whole_share(row: Row) -> None:
    assert service(row, -5).ready[0].weight == WHOLE


@pytest.mark.parametrize(
    "policy", [P2C, ROUND_ROBIN, LEAST_REQUEST, RANDOM], ids=["p2c", "round robin", "least request", "random"]
)
def test_a_new_replica_gets_less_by_every_policy(row: Row, policy: int) -> None:
    made = service(row, 5, 1000, 1000)
    rng, got = random.Random(2), Counter[str]()
    for _ in range(4000):
        replica = pick(policy, made.ready, row, rng.random)
        got[replica.name] += 1
        row.enter(replica.slot, 0)
        if rng.random() < 0.5:
            row.leave(replica.slot, 0)
    assert got["shop-0"] < 0.6 * got["shop-1"]
    assert got["shop-0"] > 100
