"""Steps made by hand, and an application as a formula: what the pure parts of a bench are tested on."""

from sidecar.bench.step import Step
from sidecar.load.tally import Measured

SECONDS = 10.0


def step(
    rate: float,
    latency_s: float | None = 0.01,
    *,
    answered_rate: float | None = None,
    replicas: int = 1,
    failed: int = 0,
    waited: int = 0,
    cpu_share: float = 0.1,
    lag_s: float = 0.0,
    cut_short: bool = False,
) -> Step:
    """p95 is twice, p99 three times the mean latency. answered_rate: None is all. failed: answers 503."""
    due = round(rate * SECONDS)
    rate_s = rate if answered_rate is None else answered_rate
    shares = {"mean": 1.0, "min": 0.5, "p50": 1.0, "p90": 1.5, "p95": 2.0, "p99": 3.0, "p99.9": 4.0, "max": 5.0}
    measured = Measured(
        seconds=SECONDS,
        due=due,
        sent=due,
        waited=waited,
        repeated=0,
        answered=due,
        good=due - failed,
        statuses={"200": due - failed, **({"503": failed} if failed else {})},
        errors={},
        unfinished=0,
        offered_rate=rate,
        achieved_rate=rate_s,
        in_flight=rate_s * (latency_s or 0.0),
        latency_s={name: None if latency_s is None else share * latency_s for name, share in shares.items()},
        lag_s={"p50": lag_s, "p99": lag_s},
        cpu_share=cpu_share,
    )
    return Step(rate, replicas, measured, cut_short)


def application(rate: float, workers: int, service_s: float) -> Step:
    """So many workers, each of which takes service_s for a request: latency grows without end as they fill up.

    An approximation of the M/M/c queue that is exact for one worker; its power is greatest at a load of (1 / (c + 1)) ** (1 / c).
    """
    most = workers / service_s
    if rate >= most:
        return step(rate, 20.0, answered_rate=most)
    return step(rate, service_s / (1 - (rate / most) ** workers))


def knee_of(workers: int, service_s: float) -> float:
    """Where that is, in requests per second."""
    return workers / service_s * (1 / (workers + 1)) ** (1 / workers)
