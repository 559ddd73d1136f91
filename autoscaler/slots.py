"""Hands out the scoreboard's slots, and takes them back.

Invariants: a slot goes to a new owner only when nothing counts in it any more: workers still finish requests of a replica that is
gone, and their cells must not be taken for its successor's load. A slot that is kept for an owner goes to others last.
"""

from collections import deque
from collections.abc import Callable, Mapping


class SlotsFull(RuntimeError):  # noqa: N818 - a limit that was reached, not a fault
    """Every slot is in use; the message names the limit."""


class Slots:
    """Slots 0 to limit - 1. `busy(slot)`: whether something still counts in a slot that was given back."""

    def __init__(self, what: str, limit: int, busy: Callable[[int], bool]) -> None:
        self._what = what
        self._limit = limit
        self._busy = busy
        self._fresh = 0
        self._returned: deque[int] = deque()
        self._kept: dict[str, int] = {}

    def keep(self, owners: Mapping[str, int]) -> None:
        """These had their slots in an earlier life of this program and are to have the same again. Before the first `take`."""
        assert self._fresh == 0, "the slots taken would be given to others once more"
        self._kept = dict(owners)
        self._fresh = max(owners.values(), default=-1) + 1
        self._returned.extend(sorted({*range(self._fresh)} - {*owners.values()}))

    def take(self, owner: str = "") -> int:
        """The owner's slot of an earlier life, else one that nobody uses: of those given back the one that has rested longest.
        Raises SlotsFull."""
        if owner in self._kept:
            return self._kept.pop(owner)
        for _ in range(len(self._returned)):
            slot = self._returned.popleft()
            if not self._busy(slot):
                return slot
            self._returned.append(slot)
        if self._fresh == self._limit and self._kept:
            self._returned.extend(self._kept.values())
            self._kept = {}
            return self.take(owner)
        if self._fresh == self._limit:
            raise SlotsFull(f"all {self._limit} {self._what} that the scoreboard has room for are in use")
        self._fresh += 1
        return self._fresh - 1

    def give_back(self, slot: int) -> None:
        """The owner is gone."""
        self._returned.append(slot)
