"""Applications in virtual time, request by request: they queue, share a processor, wait, or refuse. Seeded; no clock, no threads.

An application is a station for each replica. `arrive` takes a request and the processor time or the wait it is worth; `ended` tells
which are done by then: (when, latency, whether it was answered well). Everything beyond the scoreboard's readings is the real thing
(`world`).
"""

import heapq
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from autoscaler.rules import Rules
from balancer.hotpath.row import bucket
from tests.autoscaler.world import Counters, World

WINDOW_S = 10.0
Ended = tuple[float, float, bool]


class Station(Protocol):
    """One replica's application. present: requests in it."""

    present: int

    def arrive(self, now_s: float, size_s: float) -> None: ...

    def ended(self, now_s: float) -> list[Ended]: ...


class Shared:
    """A processor of so many cores, shared by all requests alike (processor sharing)."""

    def __init__(self, cores: float = 1.0) -> None:
        self.present = 0
        self._cores = cores
        self._work_s = self._at_s = 0.0  # what each request has had since the beginning, and when that was so
        self._ends: list[tuple[float, float]] = []

    def arrive(self, now_s: float, size_s: float) -> None:
        self._work_s += (now_s - self._at_s) * self._speed()
        self._at_s = now_s
        heapq.heappush(self._ends, (self._work_s + size_s, now_s))
        self.present += 1

    def ended(self, now_s: float) -> list[Ended]:
        done = []
        while self._ends and (end_s := self._at_s + (self._ends[0][0] - self._work_s) / self._speed()) <= now_s:
            work_s, began_s = heapq.heappop(self._ends)
            self._work_s, self._at_s = work_s, end_s
            self.present -= 1
            done.append((end_s, end_s - began_s, True))
        return done

    def _speed(self) -> float:
        return min(1.0, self._cores / self.present) if self.present else 0.0


class Limited:
    """So many at once; the others queue, or with `refuses` are answered 503 at once. Without limit: it waits on something else."""

    def __init__(self, limit: int = 1_000_000, refuses: bool = False) -> None:
        self.present = 0
        self._limit, self._refuses = limit, refuses
        self._free_s: list[float] = []  # when the busy ones end
        self._ends: list[tuple[float, float, bool]] = []

    def arrive(self, now_s: float, size_s: float) -> None:
        while self._free_s and self._free_s[0] <= now_s:
            heapq.heappop(self._free_s)
        self.present += 1
        full = len(self._free_s) >= self._limit
        if full and self._refuses:
            heapq.heappush(self._ends, (now_s + 0.001, now_s, False))
            return
        begin_s = heapq.heappop(self._free_s) if full else now_s
        heapq.heappush(self._free_s, begin_s + size_s)
        heapq.heappush(self._ends, (begin_s + size_s, now_s, True))

    def ended(self, now_s: float) -> list[Ended]:
        done = []
        while self._ends and self._ends[0][0] <= now_s:
            end_s, began_s, good = heapq.heappop(self._ends)
            self.present -= 1
            done.append((end_s, end_s - began_s, good))
        return done


Size = Callable[[Random], float]


def exponential(mean_s: float) -> Size:
    return lambda random: random.expovariate(1 / mean_s)


def even(low_s: float, high_s: float) -> Size:
    return lambda random: random.uniform(low_s, high_s)


def heavy(median_s: float, sigma: float) -> Size:
    return lambda random: median_s * 2.718281828 ** random.gauss(0, sigma)


class Queues(World):
    """A service whose requests come at random; `run` takes requests per second. windows: of ten seconds, (when, p of the latency)."""

    def __init__(self, rules: Rules, station: Callable[[], Station], size: Size, replicas: int = 1, start_s: float = 2.0) -> None:
        self.station, self.size = station, size
        self.random = Random(7)
        self.stations: dict[str, Station] = {}
        self.windows: list[tuple[float, float]] = []
        self.counts: list[int] = []
        self._present: dict[str, tuple[int, float]] = {}  # requests there, and when that was so
        self._latencies: list[float] = []
        self._window_end_s = WINDOW_S
        super().__init__(rules, replicas, start_s)

    def _pass(self, load: float, seconds: float) -> None:
        """Requests come (Poisson), each to the ready replica with the fewest of two (p2c)."""
        until_s = self.now_s + seconds
        ready = {name: self._station(name) for name, each in self.replicas.items() if self._is_ready(each)}
        moment_s = self.now_s + self.random.expovariate(load) if load else until_s
        while moment_s < until_s:
            self._arrive(moment_s, ready)
            moment_s += self.random.expovariate(load)
        for name in list(self.stations):
            self._count(name, until_s)
            if name not in self.replicas and not self.stations[name].present:
                del self.stations[name], self._present[name]
        self.counts.append(len(ready))
        if until_s >= self._window_end_s - 1e-9:
            self._close(until_s)

    def _station(self, name: str) -> Station:
        return self.stations.setdefault(name, self.station())

    def _arrive(self, now_s: float, ready: dict[str, Station]) -> None:
        names = list(ready)
        chosen = [self.random.choice(names) for _ in range(2)]
        for name in chosen:
            self._count(name, now_s)
        best = min(chosen, key=lambda name: ready[name].present)
        ready[best].arrive(now_s, self.size(self.random))
        self._present[best] = (ready[best].present, now_s)

    def _count(self, name: str, now_s: float) -> None:
        """What ended there, and the time that requests spent there."""
        station, counters = self.stations[name], self.replicas.get(name) or Counters(0.0)
        present, at_s = self._present.get(name, (0, now_s))
        for end_s, latency_s, good in station.ended(now_s):
            counters.busy_s += present * (end_s - at_s)
            present, at_s = present - 1, end_s
            counters.answers += good
            counters.failures += not good
            counters.latency[bucket(round(latency_s * 1e6))] += 1
            self._latencies.append(latency_s if good else float("inf"))
        counters.busy_s += present * (now_s - at_s)
        counters.share = station.present
        self._present[name] = (station.present, now_s)

    def _close(self, until_s: float) -> None:
        share = self.rules.slo.percentile / 100 if self.rules.slo else 0.95
        ordered = sorted(self._latencies)
        self.windows.append((until_s, ordered[int(share * len(ordered))] if ordered else 0.0))
        self._latencies = []
        self._window_end_s += WINDOW_S

    def missed(self, after_s: float) -> float:
        """The share of the windows after a moment in which the objective was missed."""
        assert self.rules.slo
        seen = [latency_s > self.rules.slo.latency_s for at_s, latency_s in self.windows if at_s > after_s]
        return sum(seen) / len(seen)

    def mean_ready(self, after_s: float) -> float:
        """Replicas, on average over the seconds after a moment."""
        seen: Sequence[int] = self.counts[int(after_s) :]
        return sum(seen) / len(seen)
