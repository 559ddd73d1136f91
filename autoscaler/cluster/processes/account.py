"""The processor time of one instance, over all its processes and those of them that have ended: a total that never falls.

A process that ended moves its time into its parent's time of children that it has waited for (times(2)), so that adding up what
the living ones show would be enough, were every parent to wait. But a daemon's time goes to the keeper, which adopts it, and that of
a child whose parent ignores SIGCHLD goes nowhere. So growth is added up, process by process, and what appears as a child's time was
counted already as far as that child was seen itself. Pure: reading is `usage`'s business.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Life(NamedTuple):
    """A process, told apart from later ones of the same pid. began_s: any clock."""

    pid: int
    began_s: float


class Times(NamedTuple):
    """What one process shows. own_s: its processor seconds; waited_s: those of its ended children that it has waited for."""

    parent: int
    own_s: float
    waited_s: float


UNSEEN: Final = Times(0, 0.0, 0.0)


class Account:
    """Of one run of an instance, from its first reading on, which counts in full."""

    def __init__(self) -> None:
        self.total_s = 0.0
        self._last: Mapping[Life, Times] = {}

    def take(self, now: Mapping[Life, Times]) -> None:
        """All its processes as they are now, those that nobody has waited for yet included."""
        self.total_s += _grown(self._last, now)
        self._last = now


def _grown(before: Mapping[Life, Times], now: Mapping[Life, Times]) -> float:
    moved = _moved(before, now)
    grown = 0.0
    for life, times in now.items():
        was = before.get(life, UNSEEN)
        grown += max(0.0, times.own_s - was.own_s)
        grown += max(0.0, times.waited_s - was.waited_s - moved.get(life.pid, 0.0))
    return grown


def _moved(before: Mapping[Life, Times], now: Mapping[Life, Times]) -> dict[int, float]:
    """What had been seen of those that are gone, by the pid of their nearest ancestor that is there."""
    parents = {life.pid: times.parent for life, times in before.items()}
    there = {life.pid for life in now if life in before}
    moved: dict[int, float] = {}
    for life, times in before.items():
        if life not in now:
            heir = times.parent
            while heir in parents and heir not in there:
                heir = parents[heir]
            moved[heir] = moved.get(heir, 0.0) + times.own_s + times.waited_s
    return moved
