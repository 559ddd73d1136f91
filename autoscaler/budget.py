"""Capacity that many services share: who may have how many replicas while there is not enough for all.

Guaranteed minimums come first, the important services' before the others'; then what is wanted, by priority; and among services of
the same priority in proportion to what they want, so that all are as short of it as each other, and as busy. One who already holds
a replica keeps it against an equal who would be no further behind without it: otherwise a want that goes up and down by one would move
replicas to and fro.

A share is what a service is to have in the end. On the way there nothing goes beyond the budget: what is still there, the draining ones
included, counts until it is gone, and only what is really free is given out (`Purse`). Pure, and the same for the same claims in any order.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from autoscaler.decision import Stage
from autoscaler.snapshot import Allowance, Snapshot

Amounts = tuple[float, float, float]  # replicas, cores, octets of memory
FUZZ: Final = 1e-9  # of an amount: what floating point may add to sums of shares of a core
NAMED: Final = 3  # services that come first, in words


@dataclass(frozen=True, slots=True)
class Budget:
    """All that there is for all services together; None is no limit. cpus: cores. memory: octets."""

    replicas: int | None = None
    cpus: float | None = None
    memory: int | None = None

    @property
    def amounts(self) -> Amounts:
        """The limits, infinite where there is none."""
        limits = (self.replicas, self.cpus, self.memory)
        return tuple(math.inf if limit is None else float(limit) for limit in limits)  # type: ignore[return-value]  # three of them

    def __str__(self) -> str:
        parts = (f"{self.replicas} replicas", f"{self.cpus} cpus", f"{(self.memory or 0) / 2**20:g} MiB")
        limits = (self.replicas, self.cpus, self.memory)
        return " and ".join(part for part, limit in zip(parts, limits, strict=True) if limit is not None)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one service asks for. least: its guaranteed minimum. held: replicas that are there and stay, or were asked for. leaving: those
    on their way out. cpus, memory: what one replica costs."""

    service: str
    priority: int = 0
    least: int = 0
    wanted: int = 0
    held: int = 0
    leaving: int = 0
    cpus: float = 0.0
    memory: float = 0.0

    @property
    def cost(self) -> Amounts:
        """Of one replica."""
        return 1.0, self.cpus, self.memory

    @property
    def used(self) -> Amounts:
        """What it takes up now."""
        return _times(self.cost, self.held + self.leaving)


def share(budget: Budget, claims: Sequence[Claim]) -> dict[str, int]:
    """How many replicas each service is to have in the end."""
    left, given = list(budget.amounts), dict.fromkeys((claim.service for claim in claims), 0)
    order = _ordered(claims)
    for claim in order:
        given[claim.service] = _take(left, claim, claim.least)
    for priority in dict.fromkeys(claim.priority for claim in order):
        _fill([claim for claim in order if claim.priority == priority], given, left)
    return given


def _fill(claims: Sequence[Claim], given: dict[str, int], left: list[float]) -> None:
    """Give one replica after the other, always to who has the smallest share of what it wants."""
    waiting = [
        (_share(claim, given[claim.service]), claim.service, claim) for claim in claims if claim.wanted > given[claim.service]
    ]
    heapq.heapify(waiting)
    while waiting:
        _, name, claim = heapq.heappop(waiting)
        if not _take(left, claim, 1):
            continue  # nor will there be room for it later: nothing is given back
        given[name] += 1
        if given[name] < claim.wanted:
            heapq.heappush(waiting, (_share(claim, given[name]), name, claim))


def _share(claim: Claim, given: int) -> float:
    return (given - (1 if given < claim.held else 0)) / claim.wanted


def _take(left: list[float], claim: Claim, most: int) -> int:
    """Take the cost of up to so many replicas; returns of how many."""
    count = min(most, _fits(left, claim))
    for number, cost in enumerate(claim.cost):
        left[number] -= count * cost
    return count


def _fits(left: Sequence[float], claim: Claim) -> int:
    """For how many of its replicas there is room."""
    rooms = [
        math.floor(amount / cost + FUZZ) for amount, cost in zip(left, claim.cost, strict=True) if cost and amount < math.inf
    ]
    return max(0, min(rooms, default=1 << 30))


def _times(cost: Amounts, count: int) -> Amounts:
    return cost[0] * count, cost[1] * count, cost[2] * count


@dataclass
class Purse:
    """The budget while services decide one after the other: who decides next sees what the ones before it have taken.

    Invariant: as long as each service keeps to its allowance, nothing is ever beyond the budget that was not so before.
    """

    budget: Budget
    _claims: dict[str, Claim] = field(default_factory=dict)
    _shares: dict[str, int] = field(default_factory=dict)
    _used: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    _left: Sequence[float] = (0.0, 0.0, 0.0)  # when everybody has its share

    @property
    def used(self) -> Amounts:
        """What all services take up now."""
        return self._used[0], self._used[1], self._used[2]

    def open(self, claims: Sequence[Claim]) -> None:
        """A new round: all claims as they are now."""
        self._claims = {claim.service: claim for claim in _ordered(claims)}
        self._shares = share(self.budget, claims)
        self._used = [sum(claim.used[number] for claim in claims) for number in range(3)]
        promised = [_times(claim.cost, self._shares[claim.service]) for claim in claims]
        self._left = [limit - sum(each[number] for each in promised) for number, limit in enumerate(self.budget.amounts)]

    def note(self, claim: Claim) -> None:
        """A claim has changed since."""
        before = self._claims.get(claim.service)
        self._claims[claim.service] = claim
        for number, amount in enumerate(claim.used):
            self._used[number] += amount - (before.used[number] if before else 0.0)

    def allowance(self, service: str) -> Allowance:
        """The most that the service may ask for now. What is left when everybody has its share goes to whoever wants more, at once."""
        claim = self._claims.get(service) or Claim(service)
        free = _fits([limit - used for limit, used in zip(self.budget.amounts, self._used, strict=True)], claim)
        fair = self._shares.get(service, 0) + _fits(self._left, claim)
        most = min(fair, claim.held + free)
        return Allowance(most, self._why(claim, most, most < fair))

    def _why(self, claim: Claim, most: int, waits: bool) -> str:
        told = f"the budget of {self.budget} leaves {most}"
        if waits:
            return f"{told} until others have gone"
        ahead = (other for other in self._claims.values() if other.priority > claim.priority and other.wanted)
        first = list(islice(ahead, NAMED))
        names = ", ".join(f"{other.service} (priority {other.priority})" for other in first)
        return f"{told}; {names} come{'s' if len(first) == 1 else ''} first" if first else told


def _ordered(claims: Sequence[Claim]) -> list[Claim]:
    """The important ones first."""
    return sorted(claims, key=lambda claim: (-claim.priority, claim.service))


def within(count: int, snapshot: Snapshot) -> Stage:
    """The count, no higher than the budget allows: it comes last, so that neither a minimum nor a count set by hand goes beyond."""
    allowance = snapshot.allowance
    if allowance is None or count <= allowance.most:
        return Stage("budget", count, count, "steady", "nothing is shared" if allowance is None else "the budget allows it")
    return Stage("budget", count, allowance.most, "limited_by_budget", allowance.why)
