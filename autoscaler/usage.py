"""What replicas use, as the engine tells it: as shares of what they may use or are said to need, and in cores and octets, over any window.

The engine reads at moments of its own, not at those of our ticks, so each replica has points of its own, and a mean is the
difference of two of them divided by the time between: exact for cpu, whose readings are totals; memory is taken to have been
the mean of two readings all the time between them. Counters that fall (started again under its id) add nothing for that moment.

- Only what a replica uses while it serves (READY or DRAINING) counts. Starting takes much cpu and is not load: Kubernetes leaves out
  the cpu of pods that are not ready, and within `--horizontal-pod-autoscaler-cpu-initialization-period` (5 min) every sample that does
  not lie wholly in a time of readiness ("Pod readiness and autoscaling metrics" in the HPA's documentation). Here that holds at
  any age: readings from before it served are not used, and a replica that comes back is measured anew. What it takes to be warm
  after that is in the sample, as there.
- Cpu is work, and adds up: what a replica did that has left since must be done by others now, and a replica that came late did
  nothing before. So its sample is spread over the whole window, and what the others did is told as `departed`.
- Memory is a state and does not move: what a replica held that has left is free, and what a new one holds it holds as
  long as it is there. So its sample is the mean of the time that it was there, and nobody inherits it.

No rule is applied here, and no clock is read.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from autoscaler.cluster.engine import Usage
from autoscaler.history import LEAST_GAP_S
from autoscaler.rules import MetricRule, MetricType, TargetType
from autoscaler.snapshot import Sample

FRESH_S: Final = 5.0  # engines tell about every second; what is older is no data
LEAST_S: Final = 5.0  # a mean over less is mostly noise
GONE_MOST: Final = 1000  # replicas that have left, per service; the oldest are forgotten first
CPU_VALUE: Final = MetricRule(MetricType.CPU, 1.0, target_type=TargetType.AVERAGE_VALUE).key
MEMORY_VALUE: Final = MetricRule(MetricType.MEMORY, 1.0, target_type=TargetType.AVERAGE_VALUE).key
KEYS: Final = (MetricType.CPU.value, MetricType.MEMORY.value, CPU_VALUE, MEMORY_VALUE)  # in the order of the fields of `Shares`


class Shares(NamedTuple):
    """Of what a replica may use, 0.7 is 70 %, and the same in cores and in octets; or all of them times seconds, up to a moment."""

    cpu: float = 0.0
    memory: float = 0.0
    cpu_value: float = 0.0
    memory_value: float = 0.0

    def towards(self, other: "Shares", part: float) -> "Shares":
        """What lies on the straight line from this (part 0) to the other (part 1)."""
        return Shares(*[mine + part * (its - mine) for mine, its in zip(self, other, strict=True)])


class Track:
    """One replica from when it was first seen to serve, since_s, to when it was last, until_s."""

    def __init__(self, since_s: float) -> None:
        self.since_s = self.until_s = since_s
        self._last: Usage | None = None
        self._points: list[tuple[float, Shares]] = []  # (when, share-seconds up to then)

    @property
    def newest_s(self) -> float:
        """When the newest reading was taken; when it began to serve while there is none."""
        return self._points[-1][0] if self._points else self.since_s

    @property
    def span_s(self) -> float:
        """From the oldest reading to the newest."""
        return self.newest_s - self._points[0][0] if self._points else 0.0

    def take(self, usage: Usage, horizon_s: float) -> None:
        """A reading. One that says nothing new, or what cannot be, or dates from before it served, is not used."""
        if usage.at_s < self.since_s or usage.at_s <= (self._last.at_s if self._last else 0.0) or not _possible(usage):
            return
        total = _added(self._points[-1][1], self._last, usage) if self._last else Shares()
        points = self._points
        if len(points) > 1 and points[-1][0] - points[-2][0] < LEAST_GAP_S:
            points.pop()
        points.append((usage.at_s, total))
        while len(points) > 2 and points[1][0] <= usage.at_s - horizon_s:
            del points[0]
        self._last = usage

    def mean(self, start_s: float, end_s: float) -> Shares | None:
        """The mean over as much of that time as there are readings of; None: there are none."""
        if not self._points:
            return None
        start_s, end_s = max(start_s, self._points[0][0]), min(end_s, self._points[-1][0])
        if end_s <= start_s:
            return None
        early, late, seconds = self._total(start_s), self._total(end_s), end_s - start_s
        return Shares(*[(last - first) / seconds for last, first in zip(late, early, strict=True)])

    def served(self, start_s: float, end_s: float) -> float:
        """The share of that time in which it served."""
        return max(0.0, min(self.until_s, end_s) - max(self.since_s, start_s)) / (end_s - start_s)

    def _total(self, at_s: float) -> Shares:
        points = self._points
        index = min(bisect_right(points, at_s, key=lambda point: point[0]), len(points) - 1)
        (early_s, early), (late_s, late) = points[index - 1], points[index]
        return early.towards(late, (at_s - early_s) / (late_s - early_s))


class Consumption:
    """All replicas of one service."""

    def __init__(self) -> None:
        self._began_s: float | None = None  # when anything was first observed
        self._tracks: dict[str, Track] = {}
        self._gone: deque[Track] = deque(maxlen=GONE_MOST)

    def forget(self) -> None:
        """No rule asks any more: begin anew when one does."""
        self._began_s = None
        self._tracks.clear()
        self._gone.clear()

    def observe(self, now_s: float, usages: Mapping[str, Usage | None], horizon_s: float) -> None:
        """Take what is known now of each replica that serves, None where nothing is."""
        self._began_s = now_s if self._began_s is None else self._began_s
        for name in self._tracks.keys() - usages.keys():
            self._gone.append(self._tracks.pop(name))
        while self._gone and self._gone[0].until_s <= now_s - horizon_s:
            self._gone.popleft()
        for name, usage in usages.items():
            track = self._tracks.get(name) or self._tracks.setdefault(name, Track(now_s))
            track.until_s = now_s
            if usage is not None:
                track.take(usage, horizon_s)

    def samples(self, replica: str, now_s: float, stable_s: float, burst_s: float) -> dict[str, Sample]:
        """Of one replica over the two windows, which end at its newest reading; none when that is old, or too little is known."""
        track = self._tracks.get(replica)
        if track is None or track.span_s < LEAST_S or now_s - track.newest_s > FRESH_S:
            return {}
        stable, burst = (self._over(track, track.newest_s, length_s) for length_s in (stable_s, burst_s))
        return {key: Sample(stable[place], burst[place]) for place, key in enumerate(KEYS)}

    def departed(self, now_s: float, ready: Iterable[str], stable_s: float, burst_s: float) -> dict[str, Sample]:
        """The cpu of the replicas that are not READY (any more), over the two windows."""
        if self._began_s is None:
            return {}
        still = set(ready)
        tracks = [*self._gone, *(track for name, track in self._tracks.items() if name not in still)]
        stable, burst = ([self._over(track, now_s, length_s) for track in tracks] for length_s in (stable_s, burst_s))
        return {
            MetricType.CPU: Sample(sum(each.cpu for each in stable), sum(each.cpu for each in burst)),
            CPU_VALUE: Sample(sum(each.cpu_value for each in stable), sum(each.cpu_value for each in burst)),
        }

    def lately(self, replica: str, now_s: float, window_s: float) -> Shares | None:
        """What one replica used over the last few seconds; None: unknown."""
        track = self._tracks.get(replica)
        return track.mean(now_s - window_s, now_s) if track else None

    def _over(self, track: Track, end_s: float, length_s: float) -> Shares:
        """The mean over a window, which does not begin before anything was observed. Cpu is spread over all of it; where a replica
        served and there are no readings, it is taken to have worked as it did at other times."""
        start_s = max(end_s - length_s, min(self._began_s or 0.0, end_s - LEAST_GAP_S))
        mean = track.mean(start_s, end_s) or Shares()
        served = track.served(start_s, end_s)
        return mean._replace(cpu=mean.cpu * served, cpu_value=mean.cpu_value * served)


def _possible(usage: Usage) -> bool:
    return usage.cpus > 0 and usage.memory_limit > 0


def _added(total: Shares, before: Usage, now: Usage) -> Shares:
    used_s, seconds = max(0.0, now.cpu_s - before.cpu_s), now.at_s - before.at_s
    held = (before.memory / before.memory_limit + now.memory / now.memory_limit) / 2
    return Shares(
        total.cpu + used_s / now.cpus,
        total.memory + held * seconds,
        total.cpu_value + used_s,
        total.memory_value + (before.memory + now.memory) / 2 * seconds,
    )
