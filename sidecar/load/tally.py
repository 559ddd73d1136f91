"""What is counted while a load runs, and what it comes to.

Invariant: every request that was due is either answered, an error, or unfinished (the load was ended before).
"""

from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sidecar.load.histogram import Histogram

SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
BEHIND_S = 0.005  # a median this late is no accident: the generator cannot send so fast
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Failure(StrEnum):
    """What became of a request without a whole, valid answer."""

    CONNECT = "connect"  # no connection: refused, or no descriptor or port left
    BROKEN = "broken"  # the connection ended before the answer did
    MALFORMED = "malformed"  # what came is no valid answer
    TIMEOUT = "timeout"  # not answered in time, counted from when it was due
    NO_ROOM = "no_room"  # too many requests wait for a connection


class Tally:
    """Counts of one load. Times are nanoseconds of the generator's clock; from_ns to until_ns is what is measured."""

    def __init__(self, from_ns: int, until_ns: int) -> None:
        self.from_ns = from_ns
        self.until_ns = until_ns
        self.due = 0
        self.sent = 0
        self.in_time = 0  # good answers that came before until_ns
        self.repeated = 0
        self.statuses = [0] * 6
        self.errors: Counter[str] = Counter()
        self.latency = Histogram()  # of good answers and of timeouts; in microseconds, as are all
        self.service = Histogram()  # the same from when a request was put on a connection
        self.lag = Histogram()
        self.busy_ns = 0

    def answered(self, status: int, due_ns: int, sent_ns: int, now_ns: int) -> None:
        """An answer is whole."""
        self.statuses[status // 100] += 1
        self._busy(sent_ns, now_ns)
        if 200 <= status < 400:
            self.latency.record((now_ns - due_ns) // 1000)
            self.service.record((now_ns - sent_ns) // 1000)
            if now_ns <= self.until_ns:
                self.in_time += 1

    def failed(self, failure: Failure, due_ns: int, sent_ns: int, now_ns: int) -> None:
        """There will be none. sent_ns: now_ns if it was not sent. A timeout counts as an answer that took so long."""
        self.errors[failure] += 1
        self._busy(sent_ns, now_ns)
        if failure is Failure.TIMEOUT:
            self.latency.record((now_ns - due_ns) // 1000)

    def _busy(self, sent_ns: int, now_ns: int) -> None:
        """Add the time in flight that lies within what is measured."""
        begin = sent_ns if sent_ns > self.from_ns else self.from_ns
        end = now_ns if now_ns < self.until_ns else self.until_ns
        if end > begin:
            self.busy_ns += end - begin

    def measured(self) -> "Measured":
        """What it comes to."""
        seconds = (self.until_ns - self.from_ns) / 1e9
        answered = sum(self.statuses)
        return Measured(
            seconds=seconds,
            due=self.due,
            sent=self.sent,
            answered=answered,
            good=self.statuses[2] + self.statuses[3],
            statuses={name: self.statuses[index] for index, name in enumerate(CLASSES, 1) if self.statuses[index]},
            errors={str(name): number for name, number in self.errors.items()},
            unfinished=self.due - answered - self.errors.total(),
            repeated=self.repeated,
            offered_rate=self.due / seconds,
            achieved_rate=self.in_time / seconds,
            in_flight=self.busy_ns / (self.until_ns - self.from_ns),
            latency_s=spread(self.latency),
            service_s=spread(self.service),
            lag_s=spread(self.lag),
        )


def spread(histogram: Histogram) -> dict[str, float | None]:
    """Mean, quantiles and extremes in seconds of a histogram of microseconds; None of nothing."""
    values: dict[str, float | None] = {"mean": histogram.mean, "min": histogram.lowest if histogram.total else None}
    values |= {name: histogram.quantile(share) for name, share in SHARES.items()}
    values["max"] = histogram.highest if histogram.total else None
    return {name: None if value is None else value / 1e6 for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one load came to.

    due: requests that should have been sent within `seconds`. good: answers 2xx and 3xx. achieved_rate: those per second that came
    within the time; offered_rate: what was due per second. in_flight: the mean number of requests sent and not answered. latency_s:
    from when a request was due; service_s: from when it was put on a connection. lag_s: how late the generator itself came to it.
    """

    seconds: float
    due: int
    sent: int
    answered: int
    good: int
    statuses: dict[str, int]
    errors: dict[str, int]
    unfinished: int
    repeated: int
    offered_rate: float
    achieved_rate: float
    in_flight: float
    latency_s: dict[str, float | None]
    service_s: dict[str, float | None]
    lag_s: dict[str, float | None]

    @property
    def bad(self) -> int:
        """Requests without a good answer."""
        return self.answered - self.good + sum(self.errors.values())

    @property
    def bad_share(self) -> float:
        """Of the requests whose end is known."""
        return self.bad / max(1, self.due - self.unfinished)

    @property
    def fell_behind(self) -> bool:
        """Whether the generator itself was too slow, so that the latencies say nothing of what it was pointed at."""
        return (self.lag_s["p50"] or 0.0) > BEHIND_S

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self) | {"bad": self.bad, "fell_behind": self.fell_behind}
