"""What one decision leaves for the next: frozen, bounded, and kept over a restart (`portable`).

Bounds: `highs` and `lows` hold only what can still matter (each mark beats all older ones), so at most one mark per count from 0
to max_replicas; `changes` holds at most CHANGES marks; `swings` one for each metric. Times
are those of the snapshots (CLOCK_MONOTONIC); marks from the future, as after a reboot, are ignored.
"""

from dataclasses import dataclass, replace
from typing import Final

from autoscaler.portable import Moment

CHANGES: Final = 256  # beyond it the two oldest are taken as one, at the later time: the limit gets stricter, never looser


@dataclass(frozen=True, slots=True)
class Mark:
    """A count, or a change of it, and when."""

    at_s: Moment
    value: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A scale-up that latency alone asked for. base: the count without it. settled_s: when all of its replicas were ready. failed: it
    did not help, while load was carried."""

    percentile: float
    before_s: float
    replicas: int
    settled_s: Moment | None = None
    failed: bool = False
    base: int = 0
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Observation:
    """What a window showed: so many requests at once and per second on each replica, and the objective's percentile of their latency.
    met: whether it was under the objective. times: how often it was seen again."""

    at_s: Moment
    concurrency: float
    rate: float
    latency_s: float
    met: bool
    times: int = 1


@dataclass(frozen=True, slots=True)
class Learned:
    """What `slo` mode has learned (`slo`): the concurrency and the rate per replica that meet the objective. rate 0: unknown.

    observations: by concurrency, at most one for each step of `knee.STEP`. ready: so many replicas have been READY since settled_s.
    base: so many were when that had last been so for a whole window. judged_s: the end of the last window that was looked at.
    least: the lowest target at this moment. trial: the miss because of which replicas were added last. failed: they did not help.
    """

    concurrency: float = 0.0
    rate: float = 0.0
    observations: tuple[Observation, ...] = ()
    ready: int = 0
    settled_s: Moment | None = None
    base: int = 0
    judged_s: Moment | None = None
    least: float = 0.0
    trial: Observation | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Swing:
    """How a load varies (`headroom`): mean and variance of the last while. at_s: when it was looked at last. seen_s: for how long it has
    been, up to how long is remembered."""

    metric: str
    at_s: Moment
    seen_s: float
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class Memory:
    """since_s: when the service was seen first. highs, lows: recommendations as they were before stabilization. changes: of the
    asked count. burst: the highest count asked for in a burst, and when the burst was last seen. blind_since_s: without data."""

    since_s: Moment | None = None
    highs: tuple[Mark, ...] = ()
    lows: tuple[Mark, ...] = ()
    changes: tuple[Mark, ...] = ()
    burst: Mark | None = None
    blind_since_s: Moment | None = None
    trial: Trial | None = None
    learned: Learned | None = None
    swings: tuple[Swing, ...] = ()

    def remember(self, mark: Mark, high_window_s: float, low_window_s: float) -> "Memory":
        """A recommendation more; those that are older than their window, or beaten by this one, are forgotten."""
        since_s = mark.at_s - high_window_s
        highs = [old for old in self.highs if old.value > mark.value and since_s < old.at_s <= mark.at_s]
        since_s = mark.at_s - low_window_s
        lows = [old for old in self.lows if old.value < mark.value and since_s < old.at_s <= mark.at_s]
        kept = ((*highs, mark), (*lows, mark))
        return Memory(self.since_s, *kept, self.changes, self.burst, self.blind_since_s, self.trial, self.learned, self.swings)

    def change(self, mark: Mark, period_s: float) -> "Memory":
        """The asked count has changed by so many; changes older than the longest period are forgotten."""
        changes = (*within(self.changes, mark.at_s, period_s), mark)
        if len(changes) > CHANGES:
            first, second, *rest = changes
            changes = (Mark(second.at_s, first.value + second.value), *rest)
        return replace(self, changes=changes)


def within(marks: tuple[Mark, ...], now_s: float, window_s: float) -> tuple[Mark, ...]:
    """The marks made less than `window_s` ago."""
    since_s = now_s - window_s
    return tuple([mark for mark in marks if since_s < mark.at_s <= now_s])
