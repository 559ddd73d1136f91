"""Reads a recording, a file or standard input, plain or compressed, into bins of equal length. Memory is bounded, however long it is.

- A CSV file has bins of its own: their length is the distance that most of its rows have, missing ones count as no requests.
- The entries of a log are counted in seconds; when there are too many of these, two become one, again and again.
"""

import gzip
import io
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final, cast

from sidecar.simulation.lines import Reader, reader_of
from sidecar.simulation.trace import MOST_BINS, Trace, TraceError, moment

BAD_SHARE: Final = 0.05  # of the lines; more is no recording
BAD_TOLD: Final = 3
LINE: Final = 65_536  # characters; what is longer is no line of a log
LATE_S: Final = 600.0  # a log is written when requests end: entries may be so much older than the ones before them
GZIP: Final = b"\x1f\x8b"
ROWS: Final = 2_000_000


def read(path: str) -> Trace:
    """The recording in the file; "-": from standard input. Raises TraceError."""
    name = "standard input" if path == "-" else path
    try:
        with _opened(path) as lines:
            return _Recording(name).read(lines)
    except (OSError, EOFError, zlib.error) as error:
        raise TraceError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def _opened(path: str) -> Iterator[io.TextIOWrapper]:
    with ExitStack() as stack:
        raw = sys.stdin.buffer if path == "-" else stack.enter_context(Path(path).open("rb"))
        packed = cast(io.BufferedReader, raw).peek(2)[:2] == GZIP
        lines = io.TextIOWrapper(stack.enter_context(gzip.GzipFile(fileobj=raw)) if packed else raw, "utf-8", errors="replace")
        stack.callback(lines.detach)  # it would close standard input
        yield lines


class _Recording:
    """One recording while it is read."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._form = ""
        self._good = 0
        self._bad: list[str] = []
        self._bad_count = 0
        self._header: str | None = None

    def read(self, lines: io.TextIOWrapper) -> Trace:
        """All of it. Raises TraceError."""
        entries = self._entries(lines)
        first = next(entries, None)
        if first is None:
            self._check()
            raise TraceError(f"{self._name} holds no requests: `timestamp,requests` lines or an access log are expected")
        kind = _Rows if self._form == "csv" else _Log
        gathered = kind(self._name, first)
        for number, at_s, requests in entries:
            gathered.add(number, at_s, requests)
        self._check()
        trace = gathered.trace()
        if not trace.requests:
            raise TraceError(f"{self._name} holds no requests: every count is 0")
        return Trace(trace.source, trace.start_s, trace.bin_s, trace.counts, (*self._remarks(), *trace.remarks))

    def _entries(self, lines: io.TextIOWrapper) -> Iterator[tuple[int, float, float]]:
        reader: Reader | None = None
        number = 0
        while line := lines.readline(LINE):
            number += 1
            text = line.strip().lstrip("\ufeff")
            if not text or text.startswith("#"):
                continue
            try:
                if reader is None:
                    self._form, reader = reader_of(text)
                at_s, requests = reader(text)
            except ValueError as error:
                if not (number == 1 and self._form == "csv"):  # the names of the columns
                    self._complain(number, str(error))
                continue
            self._good += 1
            yield number, at_s, requests

    def _complain(self, number: int, why: str) -> None:
        self._bad_count += 1
        if len(self._bad) < BAD_TOLD:
            self._bad.append(f"line {number}: {why}")

    def _check(self) -> None:
        lines = self._good + self._bad_count
        if self._bad_count > BAD_SHARE * lines:
            told = "\n".join(f"{self._name}, {line}" for line in self._bad)
            raise TraceError(f"{self._bad_count} of {lines} lines of {self._name} are not understood; the first are:\n{told}")

    def _remarks(self) -> tuple[str, ...]:
        if not self._bad_count:
            return ()
        return (f"{self._bad_count} of {self._good + self._bad_count} lines were not understood ({'; '.join(self._bad)})",)


class _Rows:
    """Rows of a CSV file, each of which is a bin."""

    def __init__(self, name: str, first: tuple[int, float, float]) -> None:
        self._name = name
        self._times = array("d", [first[1]])
        self._counts = array("d", [first[2]])

    def add(self, number: int, at_s: float, requests: float) -> None:
        """Raises TraceError if it is not later than the one before."""
        if at_s <= self._times[-1]:
            again = "is there twice" if at_s == self._times[-1] else f"comes after {moment(self._times[-1])}"
            raise TraceError(f"{self._name}, line {number}: {moment(at_s)} {again}; sort the rows by time, one for each moment")
        if len(self._times) >= ROWS:
            raise TraceError(f"{self._name} has more than {ROWS:,} rows; take a part of it")
        self._times.append(at_s)
        self._counts.append(requests)

    def trace(self) -> Trace:
        """Raises TraceError for a single row, which says nothing of how long its bin is."""
        times = self._times
        if len(times) < 2:
            raise TraceError(f"{self._name} has a single row, which does not say how long its bin is")
        bin_s = _usual_step(times)
        places = [round((at_s - times[0]) / bin_s) for at_s in times]
        if places[-1] >= ROWS:
            raise TraceError(f"{self._name} has rows every {bin_s:g} s but spans {places[-1]:,} of them; take a part of it")
        counts = array("d", bytes(8 * (places[-1] + 1)))
        for place, count in zip(places, self._counts, strict=True):
            counts[place] += count
        return Trace(self._name, times[0], bin_s, counts, self._gaps(bin_s))

    def _gaps(self, bin_s: float) -> tuple[str, ...]:
        gaps = [(early, late) for early, late in pairwise(self._times) if late - early > 1.5 * bin_s]
        if not gaps:
            return ()
        missing = sum(round((late - early) / bin_s) - 1 for early, late in gaps)
        first = moment(gaps[0][0] + bin_s)
        return (f"{missing} bins of {bin_s:g} s are missing, the first at {first}; they count as without requests",)


def _usual_step(times: "array[float]") -> float:
    steps = Counter(round(late - early, 3) for early, late in pairwise(times))
    return min(steps, key=lambda step: (-steps[step], step))


class _Log:
    """Entries of an access log, counted in bins whose length doubles when there are too many."""

    def __init__(self, name: str, first: tuple[int, float, float]) -> None:
        self._name = name
        self._bin_s = 1.0
        self._start_s = float(int(first[1]) - LATE_S)
        self._counts = array("d")
        self.add(*first)

    def add(self, number: int, at_s: float, requests: float) -> None:
        """Raises TraceError if it is much older than the first one."""
        place = int((at_s - self._start_s) // self._bin_s)
        if place < 0:
            raise TraceError(
                f"{self._name}, line {number}: {moment(at_s)} is more than {LATE_S / 60:g} minutes before the log began; sort it by time"
            )
        while place >= MOST_BINS:
            self._halve()
            place = int((at_s - self._start_s) // self._bin_s)
        if place >= len(self._counts):
            self._counts.frombytes(bytes(8 * (place + 1 - len(self._counts))))
        self._counts[place] += requests

    def trace(self) -> Trace:
        """Without the empty bins at its begin, which were kept for late entries."""
        counts = self._counts
        first = next(place for place, count in enumerate(counts) if count)
        return Trace(self._name, self._start_s + first * self._bin_s, self._bin_s, counts[first:])

    def _halve(self) -> None:
        counts = self._counts
        if len(counts) % 2:
            counts.append(0.0)
        self._counts = array("d", (counts[place] + counts[place + 1] for place in range(0, len(counts), 2)))
        self._bin_s *= 2
