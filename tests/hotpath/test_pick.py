"""Which replica gets the next request: spread, weights, load, and never one that may not."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from balancer.hotpath.pick import LEAST_REQUEST, P2C, POLICIES, RANDOM, ROUND_ROBIN, pick
from balancer.hotpath.replica import Replica
from balancer.hotpath.row import Row
from balancer.hotpath.service import Service
from balancer.scoreboard import Scoreboard
from balancer.table import Policy

PICKS = 12_000
NOW_US = 1_000_000
EVERY_POLICY = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())


@pytest.fixture
def scoreboard() -> Iterator[Scoreboard]:
    made = Scoreboard.create(workers=2, services=1, replicas=8)
    yield made
    made.close()


@pytest.fixture
def row(scoreboard: Scoreboard) -> Row:
    return scoreboard.row(0)


def replicas(*weights: int) -> list[Replica]:
    return [Replica(f"r{slot}", slot, "127.0.0.1:80", weight) for slot, weight in enumerate(weights)]


def shares(policy: int, candidates: list[Replica], row: Row, keep: bool = False) -> dict[str, float]:
    """Each replica's share of many picks; keep: the requests stay in flight."""
    chance = random.Random(7).random
    counts: Counter[str] = Counter()
    for _ in range(PICKS):
        replica = pick(policy, candidates, row, chance)
        counts[replica.name] += 1
        if keep:
            row.enter(replica.slot, NOW_US)
    return {replica.name: counts[replica.name] / PICKS for replica in candidates}


def test_every_policy_of_the_table_is_known() -> None:
    assert set(POLICIES) == {policy.value for policy in Policy}


@EVERY_POLICY
def test_equal_idle_replicas_get_equal_shares(policy: int, row: Row) -> None:
    assert shares(policy, replicas(1, 1, 1, 1), row) == pytest.approx(dict.fromkeys(["r0", "r1", "r2", "r3"], 0.25), abs=0.02)


@EVERY_POLICY
def test_what_stays_in_flight_is_spread_by_weight(policy: int, row: Row) -> None:
    assert shares(policy, replicas(1, 2, 5), row, keep=True) == pytest.approx({"r0": 1 / 8, "r1": 2 / 8, "r2": 5 / 8}, abs=0.02)


@pytest.mark.parametrize("policy", [ROUND_ROBIN, RANDOM], ids=["round_robin", "random"])
def test_policies_that_do_not_look_at_load_keep_to_the_weights(policy: int, row: Row) -> None:
    candidates = replicas(1, 3)
    for _ in range(50):
        row.enter(1, NOW_US)
    assert shares(policy, candidates, row) == pytest.approx({"r0": 0.25, "r1": 0.75}, abs=0.02)


def test_round_robin_gives_each_its_turns_in_every_round_and_spreads_them(row: Row) -> None:
    candidates = replicas(5, 1, 1)
    rounds = "".join(pick(ROUND_ROBIN, candidates, row, random.random).name[1] for _ in range(14))
    assert rounds[:7] == rounds[7:]
    assert Counter(rounds[:7]) == {"0": 5, "1": 1, "2": 1}
    assert "000" not in rounds[:7]


def test_round_robin_goes_on_evenly_while_replicas_come_and_go(row: Row) -> None:
    candidates = replicas(1, 1, 1, 1)
    counts: Counter[str] = Counter()
    for turn in range(1200):
        left = [replica for replica in candidates if replica.slot != turn % 4]
        counts[pick(ROUND_ROBIN, left, row, random.random).name] += 1
    assert all(count == pytest.approx(300, abs=12) for count in counts.values())


def test_least_request_takes_the_least_loaded_over_all_workers(scoreboard: Scoreboard, row: Row) -> None:
    candidates = replicas(1, 1, 1)
    scoreboard.row(1).enter(0, NOW_US)
    row.enter(2, NOW_US)
    assert shares(LEAST_REQUEST, candidates, row) == {"r0": 0, "r1": 1, "r2": 0}


def test_two_choices_never_take_the_most_loaded_of_all(row: Row) -> None:
    candidates = replicas(1, 1, 1, 1)
    for _ in range(9):
        row.enter(2, NOW_US)
    assert shares(P2C, candidates, row)["r2"] == 0


@pytest.mark.parametrize("policy", [P2C, LEAST_REQUEST])
def test_idle_replicas_share_by_weight_so_that_a_light_one_does_not_starve(policy: int, row: Row) -> None:
    assert shares(policy, replicas(1, 4), row)["r0"] == pytest.approx(0.2, abs=0.05)


def service(row: Row, ready: list[Replica], policy: int, cap: int = 0) -> Service:
    made = Service("shop", 0, row, random.Random(3).random)
    made.ready, made.policy, made.cap = ready, policy, cap
    return made


@EVERY_POLICY
@pytest.mark.parametrize("cap", [0, 3], ids=["no cap", "a cap"])
def test_a_replica_that_was_tried_is_never_picked_again(policy: int, cap: int, row: Row) -> None:
    ready = replicas(1, 2, 3, 4)
    shop = service(row, ready, policy, cap)
    tried: list[Replica] = []
    while (replica := shop.take(tried, NOW_US)) is not None:
        assert replica not in tried
        tried.append(replica)
    assert sorted(taken.slot for taken in tried) == [0, 1, 2, 3]


@EVERY_POLICY
def test_a_replica_at_its_cap_is_never_picked(policy: int, row: Row) -> None:
    ready = replicas(1, 1, 1)
    shop = service(row, ready, policy, cap=4)
    taken = Counter(replica.name for replica in iter(lambda: shop.take([], NOW_US), None))
    assert taken == {"r0": 4, "r1": 4, "r2": 4}
    row.leave(1, NOW_US)
    assert [shop.take([], NOW_US), shop.take([], NOW_US)] == [ready[1], None]


@EVERY_POLICY
def test_a_replica_that_refused_is_passed_over_while_there_are_others(policy: int, row: Row) -> None:
    ready = replicas(1, 1)
    shop = service(row, ready, policy)
    shop.avoid(ready[0], NOW_US + 1000)
    assert {shop.take([], NOW_US) for _ in range(20)} == {ready[1]}
    assert shop.take([ready[1]], NOW_US) is ready[0]
    assert {shop.take([], NOW_US + 1001) for _ in range(60)} == set(ready)
