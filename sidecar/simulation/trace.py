"""Recorded traffic: requests per bin of equal length, and what had to be said about the recording."""

from array import array
from dataclasses import dataclass, field
from datetime import UTC, datetime

MOST_BINS = 100_000  # 35 days of half minutes; a month of a second each would be 2.6 million


@dataclass(frozen=True, slots=True)
class Trace:
    """start_s: since the epoch. remarks: gaps, lines that were not understood, in words."""

    source: str
    start_s: float
    bin_s: float
    counts: "array[float]"
    remarks: tuple[str, ...] = field(default=())

    @property
    def length_s(self) -> float:
        """From the first bin's begin to the last one's end."""
        return self.bin_s * len(self.counts)

    @property
    def requests(self) -> float:
        """All of them."""
        return sum(self.counts)

    def scaled(self, factor: float) -> "Trace":
        """With so many times the requests."""
        counts = array("d", (count * factor for count in self.counts))
        return Trace(self.source, self.start_s, self.bin_s, counts, self.remarks)


class TraceError(Exception):
    """What was recorded cannot be used; the message says what, where and what to do."""


def moment(at_s: float) -> str:
    """As people read it, in UTC."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
