"""Capacity shared by many services: who gets what, and that nothing is ever beyond the budget, on the way neither."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.budget import Budget, Claim, Purse, share, within
from autoscaler.decide import decide
from autoscaler.memory import Memory
from autoscaler.rules import MetricRule, MetricType, Rules, Schedule
from autoscaler.schedule import apply
from autoscaler.snapshot import Allowance, ReplicaSample, Sample, Snapshot
from balancer.table import ReplicaState
from tests.autoscaler.test_properties import MANY

SHOP, MAIL, BATCH = Claim("shop", 10, 1), Claim("mail", 10, 1), Claim("batch", 0, 1)


def wants(**wanted: int) -> list[Claim]:
    return [replace(claim, wanted=wanted[claim.service]) for claim in (SHOP, MAIL, BATCH) if claim.service in wanted]


SHARES = {
    "while there is enough, all get what they want": (12, wants(shop=4, mail=4, batch=4), {"shop": 4, "mail": 4, "batch": 4}),
    "the important ones come first": (12, wants(shop=9, batch=9), {"shop": 9, "batch": 3}),
    "a minimum is guaranteed": (12, wants(shop=20, batch=9), {"shop": 11, "batch": 1}),
    "equals share in proportion to what they want": (12, wants(shop=16, mail=8), {"shop": 8, "mail": 4}),
    "a small one is no better off than a large one": (11, wants(shop=2, mail=20), {"shop": 1, "mail": 10}),
    "minimums that do not fit go by priority": (2, wants(shop=1, mail=1, batch=1), {"mail": 1, "shop": 1, "batch": 0}),
    "nobody wants anything": (12, [replace(SHOP, least=0)], {"shop": 0}),
}


@pytest.mark.parametrize("name", SHARES)
def test_shares(name: str) -> None:
    replicas, claims, expected = SHARES[name]
    assert share(Budget(replicas), claims) == expected


def test_cores_and_memory_count_as_well() -> None:
    big, small = Claim("big", 0, 1, 9, cpus=2.0, memory=100.0), Claim("small", 0, 1, 9, cpus=0.5, memory=10.0)
    assert share(Budget(cpus=8.0), [big, small]) == {"big": 3, "small": 4}
    assert share(Budget(cpus=8.0, memory=220), [big, small]) == {"big": 2, "small": 2}


def test_tenths_of_a_core_add_up() -> None:
    assert share(Budget(cpus=1.0), [Claim("a", wanted=20, cpus=0.1)]) == {"a": 10}


def test_a_want_that_goes_up_and_down_by_one_moves_nothing_between_equals() -> None:
    held = {"shop": 6, "mail": 6}
    for wanted in (9, 10, 9, 11, 10):
        claims = [replace(SHOP, wanted=10, held=held["shop"]), replace(MAIL, wanted=wanted, held=held["mail"])]
        held = share(Budget(12), claims)
        assert held == {"shop": 6, "mail": 6}


CLAIMS = st.lists(
    st.builds(
        Claim,
        st.sampled_from("abcdefgh"),
        st.integers(-2, 2),
        st.integers(0, 3),
        st.integers(0, 12),
        st.integers(0, 12),
        st.integers(0, 3),
        st.sampled_from([0.1, 0.5, 2.0]),
        st.sampled_from([1.0, 64.0]),
    ),
    unique_by=lambda claim: claim.service,
)
CORES = st.one_of(st.none(), st.floats(1, 40))
OCTETS = st.one_of(st.none(), st.integers(64, 900))
BUDGETS = st.builds(Budget, st.one_of(st.none(), st.integers(1, 40)), CORES, OCTETS)


def taken(claims: list[Claim], shares: dict[str, int]) -> list[float]:
    return [sum(shares[claim.service] * claim.cost[number] for claim in claims) for number in range(3)]


@given(BUDGETS, CLAIMS)
@settings(MANY)
def test_shares_are_never_more_than_there_is_nor_than_is_wanted(budget: Budget, claims: list[Claim]) -> None:
    shares = share(budget, claims)
    assert all(used <= limit + 1e-6 for used, limit in zip(taken(claims, shares), budget.amounts, strict=True))
    assert all(shares[claim.service] <= max(claim.wanted, claim.least) for claim in claims)


@given(BUDGETS, CLAIMS)
@settings(MANY)
def test_the_order_of_the_claims_does_not_matter(budget: Budget, claims: list[Claim]) -> None:
    assert share(budget, claims) == share(budget, claims[::-1])


@given(st.integers(1, 40), CLAIMS)
@settings(MANY)
def test_nobody_goes_short_while_a_less_important_one_has_more_than_its_minimum(replicas: int, claims: list[Claim]) -> None:
    shares = share(Budget(replicas), claims)
    for claim in claims:
        if shares[claim.service] < claim.wanted:
            less = [each for each in claims if each.priority < claim.priority]
            assert all(shares[each.service] <= each.least for each in less)


@given(st.integers(1, 40), CLAIMS)
@settings(MANY)
def test_guaranteed_minimums_are_had_where_they_fit(replicas: int, claims: list[Claim]) -> None:
    if sum(claim.least for claim in claims) <= replicas:
        shares = share(Budget(replicas), claims)
        assert all(shares[claim.service] >= claim.least for claim in claims)


@dataclass
class House:
    """Services that all do as they are allowed; who leaves takes three rounds."""

    purse: Purse
    claims: dict[str, Claim]
    ends: list[tuple[int, str]]
    round: int = 0

    def tick(self, wanted: dict[str, int]) -> None:
        self.round += 1
        for end, name in [each for each in self.ends if each[0] <= self.round]:
            self.ends.remove((end, name))
            self.claims[name] = replace(self.claims[name], leaving=self.claims[name].leaving - 1)
        self.claims = {name: replace(claim, wanted=wanted[name]) for name, claim in self.claims.items()}
        self.purse.open(list(self.claims.values()))
        for name in self.claims:
            self.decide(name)

    def decide(self, name: str) -> None:
        claim = self.claims[name]
        count = min(max(claim.wanted, claim.least), self.purse.allowance(name).most)
        gone = max(0, claim.held - count)
        self.ends += [(self.round + 3, name)] * gone
        self.claims[name] = replace(claim, held=count, leaving=claim.leaving + gone)
        self.purse.note(self.claims[name])


def house(budget: Budget, *claims: Claim) -> House:
    return House(Purse(budget), {claim.service: claim for claim in claims}, [])


@given(
    st.integers(4, 20), st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15), st.integers(0, 15)), min_size=1, max_size=30)
)
@settings(MANY)
def test_what_is_there_is_never_beyond_the_budget_on_the_way_neither(replicas: int, story: list[tuple[int, int, int]]) -> None:
    home = house(Budget(replicas), SHOP, MAIL, BATCH)
    for shop, mail, batch in story:
        home.tick({"shop": shop, "mail": mail, "batch": batch})
        assert sum(claim.held + claim.leaving for claim in home.claims.values()) <= replicas


def test_the_important_one_takes_back_what_the_other_has_as_it_goes() -> None:
    home = house(Budget(10), SHOP, BATCH)
    for _ in range(2):
        home.tick({"shop": 2, "batch": 20})
    assert (home.claims["shop"].held, home.claims["batch"].held) == (2, 8)
    counts = []
    for _ in range(6):
        home.tick({"shop": 7, "batch": 20})
        counts.append(home.claims["shop"].held)
    assert counts == [2, 2, 2, 7, 7, 7]  # what leaves takes three rounds
    assert home.claims["batch"].held == 3


def test_what_is_free_is_had_at_once_by_who_finds_that_it_wants_more() -> None:
    purse = Purse(Budget(10))
    purse.open([replace(SHOP, wanted=2, held=2), replace(BATCH, wanted=3, held=3)])
    assert purse.allowance("shop").most == 7
    purse.note(replace(SHOP, wanted=2, held=7))
    assert purse.allowance("batch").most == 3


def test_day_and_night_trade_places_by_a_schedule() -> None:
    shop = Rules(1, 12, priority=10)
    night = Schedule("0 22 * * *", "0 6 * * *", priority=20)
    batch = Rules(1, 12, schedules=(night,))
    shares = []
    for hour in (12, 23):
        rules = {"shop": apply(shop, hour * 3600.0), "batch": apply(batch, hour * 3600.0)}
        shares.append(share(Budget(12), [Claim(name, each.priority, each.min_replicas, 12) for name, each in rules.items()]))
    assert shares == [{"shop": 11, "batch": 1}, {"shop": 1, "batch": 11}]


def test_it_says_who_comes_first_and_that_others_have_to_go() -> None:
    purse = Purse(Budget(10))
    purse.open([replace(SHOP, wanted=7, held=2), replace(BATCH, wanted=20, held=8)])
    assert purse.allowance("batch") == Allowance(3, "the budget of 10 replicas leaves 3; shop (priority 10) comes first")
    assert purse.allowance("shop") == Allowance(2, "the budget of 10 replicas leaves 2 until others have gone")


@pytest.mark.parametrize(
    ("override", "min_replicas"), [(None, 1), (8, 1), (None, 6)], ids=["the load", "a count set by hand", "a minimum"]
)
def test_nothing_goes_beyond_it(override: int | None, min_replicas: int) -> None:
    rules = Rules(min_replicas, 20, (MetricRule(MetricType.CONCURRENCY, 10.0),))
    samples = {"concurrency": Sample(50.0, 50.0)}
    replicas = tuple(ReplicaSample(name, ReplicaState.READY, 9.0, samples) for name in "ab")
    snapshot = Snapshot(0.0, "shop", 2, replicas, override=override, allowance=Allowance(4, "the budget leaves 4"))
    decision, _ = decide(snapshot, rules, Memory())
    assert (decision.desired, decision.reason) == (4, "limited_by_budget")
    assert decision.wanted > 4


def test_without_a_budget_it_stays_out_of_the_way() -> None:
    assert within(5, Snapshot(0.0, "shop", 2)).after == 5
