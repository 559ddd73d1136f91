"""Adds up what several proxies count, each since it was counted in, so that a total never falls and nothing is counted twice.

A `Share` is what one proxy has said last. Only what it counts *beyond* that is added, so it does not matter that proxies began at
different times, or that one is started again and begins at zero. A proxy that is not counted in (it is away, or does not use the
current table yet, so that its slots may mean other replicas) adds nothing, and no gauge. Pure: times are passed in, in microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import add, sub

from sidecar.proxies.cells import GAUGE, INTEGRAL, Cells


@dataclass(slots=True)
class Share:
    """One proxy's part. heard_us: when it said so."""

    counted: bool = False
    heard_us: int = 0
    last: dict[int, Cells] = field(default_factory=dict)


class Sums:
    """The totals by slot. size: how many cells a slot has; gauges: which of them go up and down."""

    def __init__(self, size: int, gauges: Iterable[int]) -> None:
        self._size = size
        self._gauges = tuple(gauges)
        self._totals: dict[int, Cells] = {}
        self._told: dict[int, int] = {}  # the integral, which may not be taken back

    def note(self, share: Share, slot: int, cells: Cells) -> None:
        """The proxy says that its slot is so."""
        if share.counted:
            self._add(slot, list(map(sub, cells, share.last.get(slot) or [0] * self._size)))
        share.last[slot] = cells

    def join(self, share: Share) -> None:
        """Count it in, from what it said last: gauges as they are, counters from here on."""
        share.counted = True
        for slot, cells in share.last.items():
            self._add(slot, self._gauges_of(cells))

    def leave(self, share: Share) -> None:
        """Count it in no longer. What it has counted stays."""
        for slot, cells in share.last.items():
            gauges = self._gauges_of(cells)
            if share.counted:
                self._add(slot, [-gauge for gauge in gauges])
            share.last[slot] = list(map(sub, cells, gauges))
        share.counted = False

    def in_flight(self, slot: int) -> int:
        """The first gauge."""
        return self._totals[slot][GAUGE] if slot in self._totals else 0

    def read(self, slot: int, shares: Iterable[Share], now_us: int) -> Cells:
        """A slot's total, its integral brought up to now_us: since a proxy was heard last, its gauge is taken to be what it was."""
        if slot not in self._totals:
            return [0] * self._size
        cells = [*self._totals[slot]]
        since = sum(share.last[slot][GAUGE] * max(0, now_us - share.heard_us) for share in shares if _counts(share, slot))
        cells[INTEGRAL] = self._told[slot] = max(self._told.get(slot, 0), cells[INTEGRAL] + since)
        return cells

    def _add(self, slot: int, growth: Cells) -> None:
        total = self._totals.get(slot)
        self._totals[slot] = list(map(add, total, growth)) if total else growth

    def _gauges_of(self, cells: Cells) -> Cells:
        return [cell if index in self._gauges else 0 for index, cell in enumerate(cells)]


def _counts(share: Share, slot: int) -> bool:
    return share.counted and slot in share.last
