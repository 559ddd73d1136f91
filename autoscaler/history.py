"""The recent past of one service as running totals: any window's mean is a difference of two of them, divided by its length.

Invariants: totals never fall (a counter that restarts adds nothing for that moment), so windows need no buckets, late ticks lose
nothing and early ones count nothing twice. Bounded in time by `horizon_s` and in number by LEAST_GAP_S. What is decided from the
means is not known here. Kept flat, since a thousand services with ten replicas each are looked at in every tick.
"""

from array import array
from bisect import bisect_right
from collections.abc import Container, Iterator
from itertools import pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from balancer.hotpath import board
from balancer.hotpath.cells import percentile_us

LEAST_GAP_S: Final = 0.5  # frames closer together than this are taken as one
_AT_S: Final = attrgetter("at_s")


class Frame(NamedTuple):
    """All totals at one moment. busy_s: request-seconds in flight, of every replica there ever was; answers, attempts and failures are
    theirs, too. latency: counts per bucket. places: where in `replicas` each replica stands that is there now: its own request-seconds,
    then its answers. present: requests in flight or waiting at that moment."""

    at_s: float
    latency: "array[int]"
    places: dict[str, int]
    replicas: "array[float]"
    busy_s: float = 0.0
    answers: float = 0.0
    waited_s: float = 0.0
    attempts: float = 0.0
    failures: float = 0.0
    present: int = 0


def beginning(at_s: float) -> Frame:
    """The first frame: nothing was counted yet."""
    return Frame(at_s, array("q", bytes(8 * board.BUCKETS)), {}, array("d"))


class Window:
    """From at_s, which lies between two frames that follow each other, to a later one or the later of the two.

    Between two frames everything is taken to have gone on evenly; latency counts are whole, so those of the earlier one count.
    """

    __slots__ = ("_early", "_late", "_share", "end", "length_s")

    def __init__(self, early: Frame, late: Frame, at_s: float, end: Frame) -> None:
        self.end = end
        self.length_s = end.at_s - at_s
        self._early, self._late = early, late
        self._share = (at_s - early.at_s) / (late.at_s - early.at_s)

    @property
    def load(self) -> float:
        """Requests running and waiting, on average. Never below 0, by rounding neither: its root is taken."""
        early, late, end = self._early, self._late, self.end
        start = early.busy_s + self._share * (late.busy_s - early.busy_s)
        waited = early.waited_s + self._share * (late.waited_s - early.waited_s)
        return max(0.0, end.busy_s - start + end.waited_s - waited) / self.length_s

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self._grown(self._early.answers, self._late.answers, self.end.answers) / self.length_s

    @property
    def waiting(self) -> float:
        """Requests waiting, on average."""
        return self._grown(self._early.waited_s, self._late.waited_s, self.end.waited_s) / self.length_s

    @property
    def carried(self) -> float:
        """Requests in flight on average, at all replicas together, those that are gone included."""
        return self._grown(self._early.busy_s, self._late.busy_s, self.end.busy_s) / self.length_s

    @property
    def attempts(self) -> float:
        """Requests that were sent to a replica and ended, however they did."""
        return self._grown(self._early.attempts, self._late.attempts, self.end.attempts)

    @property
    def swelled(self) -> float:
        """By how many more requests there are at the end than there were at the beginning."""
        return self._grown(self._early.present, self._late.present, self.end.present)

    @property
    def came(self) -> float:
        """Requests that came: those that ended, and those by which there are more now."""
        return max(0.0, self.attempts + self.swelled)

    @property
    def failures(self) -> float:
        """Those of them that were answered 5xx or not at all."""
        return self._grown(self._early.failures, self._late.failures, self.end.failures)

    def latency_us(self, share: float) -> float | None:
        """The latency in microseconds below which `share` (0 to 1) of the answers lie; None when there were none."""
        if self.end.latency is self._early.latency:
            return None
        latency_us = percentile_us(self._early.latency, self.end.latency, share)
        return None if latency_us < 0 else latency_us

    @property
    def latencies(self) -> list[int]:
        """How many answers are in each bucket of the scoreboard."""
        return [late - early for early, late in zip(self._early.latency, self.end.latency, strict=True)]

    def shares(self) -> list[float]:
        """What each replica carried that is there now, requests in flight and answers per second, as `end.places` says where it
        stands; nothing while it was not there."""
        end, early, late, share, length_s = self.end, self._early, self._late, self._share, self.length_s
        if early.places is end.places is late.places:
            starts = zip(early.replicas, late.replicas, end.replicas, strict=True)
            return [(c - a - share * (b - a)) / length_s for a, b, c in starts]
        means = [0.0] * len(end.replicas)
        for name, place in end.places.items():
            for n in (0, 1):
                means[place + n] = (end.replicas[place + n] - self._start(name, n)) / length_s
        return means

    def _start(self, name: str, n: int) -> float:
        """A replica's total at the beginning; 0 where it was not there yet."""
        if name not in self._early.places or name not in self._late.places:
            return 0.0
        early, late = (frame.replicas[frame.places[name] + n] for frame in (self._early, self._late))
        return early + self._share * (late - early)

    def _grown(self, early: float, late: float, end: float) -> float:
        return end - early - self._share * (late - early)


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

    @property
    def measured(self) -> Container[str]:
        """The replicas that are in the two newest frames, so that there is a difference to judge them by."""
        if len(self._frames) < 2:
            return ()
        before, last = self._frames[-2], self._frames[-1]
        return last.places if before.places is last.places else last.places.keys() & before.places.keys()

    def window(self, length_s: float) -> Window | None:
        """The last `length_s` seconds, or as much of them as there is; None with fewer than two frames."""
        frames = self._frames
        if len(frames) < 2:
            return None
        at_s = max(frames[-1].at_s - length_s, frames[0].at_s)
        index = min(bisect_right(frames, at_s, key=_AT_S), len(frames) - 1)
        return Window(frames[index - 1], frames[index], at_s, frames[-1])

    def steps(self) -> Iterator[Window]:
        """The windows from frame to frame, the oldest first."""
        for early, late in pairwise(self._frames):
            yield Window(early, late, early.at_s, late)
