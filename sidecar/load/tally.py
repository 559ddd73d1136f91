"""What is counted while a load runs, and what it comes to.

Invariant: every request that was due is either answered, an error, or unfinished (the load was ended before).
"""

from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sidecar.load.histogram import Histogram

SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
BEHIND_S = 0.005  # requests that are this late at the median: no accident
BUSY_SHARE = 0.95  # of a core: with more, answers lie unread


class Failure(StrEnum):
    """What became of a request without a whole, valid answer."""

    CONNECT = "connect"  # no connection: refused, or no descriptor or port left
    BROKEN = "broken"  # the connection ended before the answer did
    MALFORMED = "malformed"  # what came is no valid answer
    TIMEOUT = "timeout"  # not answered in time, counted from when it was due
    NO_ROOM = "no_room"  # too many requests wait for a connection


class Tally:
    """Counts of one load. What is measured lies between from_ns and until_ns, on the generator's clock; before is warm-up.

    Requests are counted if they were due in that time; the flow (answers per second, requests in flight) is whatever went on in it.
    """

    def __init__(self, from_ns: int, until_ns: int) -> None:
        self.from_ns = from_ns
        self.until_ns = until_ns
        self.counts = dict.fromkeys(("due", "sent", "waited", "repeated"), 0)
        self.statuses: Counter[int] = Counter()
        self.errors: Counter[Failure] = Counter()
        self.latency = Histogram()  # in microseconds; of good answers, and of timeouts as if they had come then
        self.lag = Histogram()
        self.in_time = 0
        self.busy_ns = 0

    def due(self, due_ns: int, now_ns: int) -> None:
        """The generator came to a request."""
        if due_ns >= self.from_ns:
            self.counts["due"] += 1
            self.lag.record((now_ns - due_ns) // 1000)

    def count(self, what: str, due_ns: int) -> None:
        """A request was sent, waited for a connection, or was repeated."""
        if due_ns >= self.from_ns:
            self.counts[what] += 1

    def answered(self, status: int, due_ns: int, sent_ns: int, now_ns: int) -> None:
        """An answer is whole."""
        good = is_good(status)
        self._busy(sent_ns, now_ns)
        if good and self.from_ns <= now_ns <= self.until_ns:
            self.in_time += 1
        if due_ns >= self.from_ns:
            self.statuses[status] += 1
            if good:
                self.latency.record((now_ns - due_ns) // 1000)

    def failed(self, failure: Failure, due_ns: int, sent_ns: int, now_ns: int) -> None:
        """There will be none. sent_ns: now_ns if it was not sent."""
        self._busy(sent_ns, now_ns)
        if due_ns >= self.from_ns:
            self.errors[failure] += 1
            if failure is Failure.TIMEOUT:
                self.latency.record((now_ns - due_ns) // 1000)

    def _busy(self, sent_ns: int, now_ns: int) -> None:
        """Add the time in flight that lies within what is measured."""
        begin = sent_ns if sent_ns > self.from_ns else self.from_ns
        end = now_ns if now_ns < self.until_ns else self.until_ns
        if end > begin:
            self.busy_ns += end - begin

    def end(self, now_ns: int) -> None:
        """It was cut short."""
        self.until_ns = max(self.from_ns + 1, min(self.until_ns, now_ns))

    def measured(self, cpu_share: float) -> "Measured":
        """What it comes to. cpu_share: how much of a core the generator used."""
        seconds = (self.until_ns - self.from_ns) / 1e9
        answered, due = self.statuses.total(), self.counts["due"]
        return Measured(
            seconds=seconds,
            **self.counts,
            answered=answered,
            good=sum(number for status, number in self.statuses.items() if is_good(status)),
            statuses={str(status): number for status, number in sorted(self.statuses.items())},
            errors={str(name): number for name, number in self.errors.items()},
            unfinished=due - answered - self.errors.total(),
            offered_rate=due / seconds,
            achieved_rate=self.in_time / seconds,
            in_flight=self.busy_ns / 1e9 / seconds,
            latency_s=spread(self.latency),
            lag_s=spread(self.lag),
            cpu_share=cpu_share,
        )


def is_good(status: int) -> bool:
    """2xx and 3xx."""
    return 200 <= status < 400


def spread(histogram: Histogram) -> dict[str, float | None]:
    """Mean, quantiles and extremes in seconds of a histogram of microseconds; None of nothing."""
    values: dict[str, float | None] = {"mean": histogram.mean, "min": histogram.lowest if histogram.total else None}
    values |= {name: histogram.quantile(share) for name, share in SHARES.items()}
    values["max"] = histogram.highest if histogram.total else None
    return {name: None if value is None else value / 1e6 for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one load came to.

    due: requests that should have been sent. sent: those that were put on a connection; waited: those that found none idle and none
    to open; repeated: those sent twice, since an idle connection had ended. good: answers 2xx and 3xx. unfinished: neither answered
    nor failed when the load was stopped. achieved_rate: good answers per second. in_flight: the mean number of requests sent and not
    answered. latency_s: from when a request was due. lag_s: how late the generator itself came to one.
    cpu_share: how much of a core the generator used.
    """

    seconds: float
    due: int
    sent: int
    waited: int
    repeated: int
    answered: int
    good: int
    statuses: dict[str, int]
    errors: dict[str, int]
    unfinished: int
    offered_rate: float
    achieved_rate: float
    in_flight: float
    latency_s: dict[str, float | None]
    lag_s: dict[str, float | None]
    cpu_share: float

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
        return (self.lag_s["p50"] or 0.0) > BEHIND_S or self.cpu_share > BUSY_SHARE

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self) | {"bad": self.bad, "fell_behind": self.fell_behind}
