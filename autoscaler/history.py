"""The recent past of one service as running totals: any window's mean is a difference of two of them, divided by its length.

Invariants: totals never fall (a counter that restarts adds nothing for that moment), so windows need no buckets, late ticks lose
nothing and early ones count nothing twice. Bounded in time by `horizon_s` and in number by LEAST_GAP_S. What is decided from the
means is not known here.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

LEAST_GAP_S: Final = 0.5  # frames closer together than this are taken as one


@dataclass(frozen=True, slots=True)
class Total:
    """Request-seconds in flight, and answers: since the history began or, divided by seconds, the mean load and the rate."""

    busy_s: float = 0.0
    answers: float = 0.0

    def __add__(self, other: "Total") -> "Total":
        return Total(self.busy_s + other.busy_s, self.answers + other.answers)

    def since(self, start: "Total", factor: float = 1.0) -> "Total":
        """What was added after `start`, times a factor."""
        return Total(factor * max(0.0, self.busy_s - start.busy_s), factor * max(0.0, self.answers - start.answers))


ZERO: Final = Total()


@dataclass(frozen=True, slots=True)
class Frame:
    """All totals at one moment. carried: by every replica there ever was. latency: counts per bucket. replicas: those there now."""

    at_s: float
    carried: Total = ZERO
    waited_s: float = 0.0
    attempts: float = 0.0
    failures: float = 0.0
    latency: tuple[int, ...] = ()
    replicas: Mapping[str, Total] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """What lies between two frames, of which the second is later."""

    start: Frame
    end: Frame

    @property
    def length_s(self) -> float:
        """Longer than 0."""
        return self.end.at_s - self.start.at_s

    @property
    def load(self) -> float:
        """Requests running and waiting, on average. Never below 0, by rounding neither: its root is taken."""
        carried = self.end.carried.busy_s - self.start.carried.busy_s
        return max(0.0, carried + self.end.waited_s - self.start.waited_s) / self.length_s

    @property
    def rate(self) -> float:
        """Answers per second."""
        return (self.end.carried.answers - self.start.carried.answers) / self.length_s

    @property
    def waiting(self) -> float:
        """Requests waiting, on average."""
        return (self.end.waited_s - self.start.waited_s) / self.length_s

    @property
    def carried(self) -> Total:
        """Requests in flight on average, and answers per second, over all replicas."""
        return self.end.carried.since(self.start.carried, 1 / self.length_s)

    def carried_by(self, replica: str) -> Total:
        """The same for one replica; it carried nothing while it was not there."""
        return self.end.replicas.get(replica, ZERO).since(self.start.replicas.get(replica, ZERO), 1 / self.length_s)

    @property
    def attempts(self) -> float:
        """Requests that were sent to a replica and ended, however they did."""
        return self.end.attempts - self.start.attempts

    @property
    def failures(self) -> float:
        """Those of them that were answered 5xx or not at all."""
        return self.end.failures - self.start.failures

    @property
    def latency(self) -> tuple[int, ...]:
        """Answers per latency bucket."""
        return tuple(late - early for late, early in zip(self.end.latency, self.start.latency, strict=True))


class History:
    """Frames in order of time."""

    def __init__(self, horizon_s: float) -> None:
        self.horizon_s = horizon_s
        self._frames: list[Frame] = []

    @property
    def last(self) -> Frame | None:
        """The newest frame."""
        return self._frames[-1] if self._frames else None

    @property
    def span_s(self) -> float:
        """From the oldest frame to the newest."""
        return self._frames[-1].at_s - self._frames[0].at_s if self._frames else 0.0

    def add(self, frame: Frame) -> None:
        """Take a frame that is newer than the last."""
        frames = self._frames
        if len(frames) > 1 and frames[-1].at_s - frames[-2].at_s < LEAST_GAP_S:
            frames[-1] = frame
        else:
            frames.append(frame)
        while len(frames) > 2 and frames[1].at_s <= frame.at_s - self.horizon_s:
            del frames[0]

    def measures(self, replica: str) -> bool:
        """Whether the replica is in the two newest frames, so that there is a difference to judge it by."""
        return len(self._frames) > 1 and all(replica in frame.replicas for frame in self._frames[-2:])

    def window(self, length_s: float) -> Window | None:
        """The last `length_s` seconds, or as much of them as there is; None with fewer than two frames.

        Between two frames everything is taken to have gone on evenly.
        """
        frames = self._frames
        if len(frames) < 2:
            return None
        at_s = max(frames[-1].at_s - length_s, frames[0].at_s)
        index = min(bisect_right(frames, at_s, key=lambda frame: frame.at_s), len(frames) - 1)
        return Window(_between(frames[index - 1], frames[index], at_s), frames[-1])

    def steps(self) -> Iterator[Window]:
        """The windows from frame to frame, the oldest first."""
        for early, late in pairwise(self._frames):
            yield Window(early, late)


def _between(early: Frame, late: Frame, at_s: float) -> Frame:
    """The totals at a moment from `early` to `late`; latency counts are whole, so those of the earlier one."""
    share = (at_s - early.at_s) / (late.at_s - early.at_s)
    return Frame(
        at_s=at_s,
        carried=early.carried + late.carried.since(early.carried, share),
        waited_s=early.waited_s + share * (late.waited_s - early.waited_s),
        attempts=early.attempts + share * (late.attempts - early.attempts),
        failures=early.failures + share * (late.failures - early.failures),
        latency=early.latency,
        replicas={
            name: start + late.replicas[name].since(start, share)
            for name, start in early.replicas.items()
            if name in late.replicas
        },
    )
