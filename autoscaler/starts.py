"""How long replicas of one service take to be READY: learned from those that were seen to start.

The usual time is the median of the last KEPT: one start on a busy machine, or one that had to pull its image, is not what to expect. A
replica that was there before this program, or that somebody else started, tells nothing. Time is passed in; nothing is decided here.
"""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from autoscaler.sampling import ReplicaStatus
from autoscaler.snapshot import Snapshot
from balancer.table import ReplicaState

KEPT: Final = 9


class Starts:
    """times_s: the last ones, the oldest first."""

    def __init__(self, times_s: Sequence[float] = ()) -> None:
        self.times_s = tuple(times_s[-KEPT:])
        self._strange: set[str] = set()  # found, not started
        self._counted: dict[str, float] = {}

    @property
    def usual_s(self) -> float | None:
        """How long a start usually takes; None while unknown."""
        return median(self.times_s) if self.times_s else None

    def found(self, replicas: Iterable[str]) -> None:
        """These were there already."""
        self._strange.update(replicas)

    def observe(self, replicas: Sequence[ReplicaStatus]) -> None:
        """See who has become READY since the last time."""
        took_s = {each.id: each.took_s for each in replicas if each.took_s is not None}
        if took_s == self._counted:
            return
        fresh = [took_s[name] for name in took_s if name not in self._strange and took_s[name] != self._counted.get(name)]
        self.times_s = (*self.times_s, *fresh)[-KEPT:]
        self._strange &= {each.id for each in replicas}
        self._counted = took_s


def told(snapshot: Snapshot) -> str:
    """Who is on the way, and when the last of them is to be expected, in words; "" where nobody is."""
    ages_s = [replica.age_s for replica in snapshot.replicas if replica.state is ReplicaState.STARTING]
    unseen = max(0, snapshot.desired - snapshot.current)
    if not ages_s and not unseen:
        return ""
    coming = f"{len(ages_s) + unseen} on the way"
    if snapshot.start_s is None:
        return coming
    left_s = snapshot.start_s - (0.0 if unseen else min(ages_s))
    return f"{coming}, ready in about {left_s:.0f} s" if left_s >= 0.5 else f"{coming}, expected {max(0.0, -left_s):.0f} s ago"
