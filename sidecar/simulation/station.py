"""All replicas of a service as one queueing station, M/G/c: so many requests at once are served, the others wait their turn.

Requests are not followed one by one; a second of a million costs what a second of one costs. Three known results make up the model:

- In equilibrium, servers that are busy for a share u hold c u + q u^sqrt(2(c+1)) / (1 - u) requests, with q = (1 + cv^2) / 2 for service
  times that vary (Allen and Cunneen) and the power for several servers (Sakasegawa, 1977; exact for M/M/1, within about 15 % of Erlang C).
- On the way there the mean changes by what comes less what is served, and the servers are taken to be as busy as in the equilibrium that
  holds as many (the pointwise stationary fluid flow approximation; Wang, Tipper and Banerjee, 1996). One implicit step per tick: it
  is exact in equilibrium and in overload, and steps of any length are stable.
- Around the mean the number varies as an Ornstein-Uhlenbeck process with the noise of arrivals and services (the linear noise
  approximation; for M/M/1 and M/M/infinity it has the exact variance). So whoever samples the station sees the noise that there would be.

Below one request on average the normal distribution is of no use: there each arrival is served by itself.

Invariants: nothing here knows of replicas, rules or clocks; the mean never falls below 0; memory is constant.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

STEPS: Final = 60  # of Newton's method, which needs 3 to 8
PRECISION: Final = 1e-9
NEAR_ZERO: Final = 1e-3  # below this the difference of nearly equal numbers is taken from its series


@dataclass(frozen=True, slots=True)
class Wait:
    """How long arrivals wait for a server: not at all, or with this chance a time of this mean, gamma-distributed.

    shape: 1 in equilibrium (the exponential distribution), more in overload, where all that come wait about as long.
    """

    chance: float = 0.0
    mean_s: float = 0.0
    shape: float = 1.0


NO_WAIT: Final = Wait()


class Station:
    """service_s, cv: mean and coefficient of variation of the service times. normal: draws from the standard normal distribution."""

    def __init__(self, service_s: float, cv: float, normal: Callable[[], float]) -> None:
        self.service_s, self.cv = service_s, cv
        self.mean = 0.0  # expected number of requests here
        self.utilization = 0.0
        self.wait = NO_WAIT
        self._spread = (1.0 + cv * cv) / 2
        self._variance = 0.0
        self._deviation = 0.0  # how many more than expected there are now
        self._normal = normal

    @property
    def present(self) -> float:
        """Requests here now, served and waiting."""
        return max(0.0, self.mean + self._deviation)

    def add(self, requests: float) -> None:
        """So many come at once, or go unserved."""
        self.mean = max(0.0, self.mean + requests)

    def limit(self, present: float) -> None:
        """There cannot be more than so many."""
        self._deviation = min(self._deviation, present - self.mean)

    def advance(self, rate: float, arrived: int, seconds: float, servers: int) -> float:
        """Go on with so many requests per second, of which `arrived` came. Returns the request-seconds spent here."""
        before, capacity = self.mean, servers / self.service_s
        total = before + rate * seconds
        self.utilization = utilization(total, servers, self._spread, seconds / self.service_s)
        self.mean = in_system(self.utilization, servers, self._spread)
        served = capacity * self.utilization
        relaxation = capacity / _slope(self.utilization, servers, self._spread)
        settled = (rate + served * self.cv * self.cv) / (2 * relaxation)
        self._variance = settled + (self._variance - settled) * math.exp(-2 * relaxation * seconds)
        self.wait = self._waiting(servers, served)
        if max(before, self.mean) < 1.0:
            self._deviation = -self.mean
            return arrived * self.service_s
        return self._pass(before, relaxation, settled, seconds)

    def _waiting(self, servers: int, served: float) -> Wait:
        queue = self.mean - servers * self.utilization
        if queue <= 0.0 or served <= 0.0:
            return NO_WAIT
        chance = queue * (1.0 - self.utilization) / self.utilization / self._spread
        return Wait(min(1.0, chance), queue / served / min(1.0, chance), max(1.0, queue * queue / self._variance))

    def _pass(self, before: float, relaxation: float, settled: float, seconds: float) -> float:
        """Move the deviation, and integrate the path: the ends are drawn, and between them a bridge."""
        kept = math.exp(-relaxation * seconds)
        early = self._deviation
        late = early * kept + math.sqrt(max(0.0, settled * (1.0 - kept * kept))) * self._normal()
        self._deviation = max(late, -self.mean)
        x = relaxation * seconds / 2
        weight = math.tanh(x) / relaxation
        rest = seconds * x * x / 3 if x < NEAR_ZERO else seconds - 2 * weight
        noise = math.sqrt(2 * settled / relaxation * rest) * self._normal()
        path = self.mean * seconds + (before - self.mean) * weight + (early + self._deviation) * weight + noise
        return max(0.0, path)


def in_system(busy: float, servers: int, spread: float) -> float:
    """The mean number of requests in an equilibrium in which the servers are busy for this share of the time (below 1)."""
    return servers * busy + spread * math.pow(busy, _power(servers)) / (1.0 - busy)


def _slope(busy: float, servers: int, spread: float) -> float:
    """By how much it grows with that share."""
    power, free = _power(servers), 1.0 - busy
    return servers + spread * math.pow(busy, power - 1.0) * (power + busy / free) / free


def _power(servers: int) -> float:
    return math.sqrt(2 * (servers + 1))


def utilization(total: float, servers: int, spread: float, turns: float) -> float:
    """The share at which what is here at the end, and what was served in `turns` service times, make up `total` requests."""
    each = servers * turns
    busy = min(total / (servers + each), 1.0 - spread / (spread + total + 1.0))
    for _ in range(STEPS):
        excess = in_system(busy, servers, spread) + each * busy - total
        if abs(excess) <= PRECISION * (1.0 + total):
            break
        following = busy - excess / (_slope(busy, servers, spread) + each)
        busy = following if 0.0 <= following < 1.0 else (busy + (1.0 if following >= 1.0 else 0.0)) / 2
    return busy
