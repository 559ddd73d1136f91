"""What a simulation assumes of the application and of what it runs on. Plain data, with the defaults that a report shows."""

from dataclasses import dataclass
from typing import Final

from sidecar.simulation.latencies import Shape

HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Objective:
    """This percentile (0 to 100) of the latency is to be at most limit_s in each minute."""

    percentile: float = 95.0
    limit_s: float = 0.3

    @property
    def allowed(self) -> float:
        """The share of the requests that may be slower, or lost."""
        return 1.0 - self.percentile / 100

    def __str__(self) -> str:
        return f"p{self.percentile:g} at most {self.limit_s * 1000:g} ms"


@dataclass(frozen=True, slots=True)
class Application:
    """service_s, cv, shape: of the time that a request takes when it need not wait. concurrency: requests at once per replica; more wait
    inside it. start_s: until a new replica is READY, up to `jitter` (a share) shorter or longer. start_failure: the probability that
    a start fails and has to be made again. crashes_per_hour: of each replica, on average. max_wait_s: who waits longer goes away.
    cpu_full: the share of the cpu it may use that a replica uses with `concurrency` requests at once. cpu_lag_s: how old the cpu
    samples are. hold_timeout_s, max_held: of requests that come while no replica is READY, where a service may scale to zero.
    """

    service_s: float = 0.1
    cv: float = 0.5
    shape: Shape = Shape.LOGNORMAL
    concurrency: int = 20
    start_s: float = 10.0
    jitter: float = 0.2
    start_failure: float = 0.0
    crashes_per_hour: float = 0.0
    max_wait_s: float = 10.0
    cpu_full: float = 1.0
    cpu_lag_s: float = 0.0
    hold_timeout_s: float = 30.0
    max_held: int = 500

    @property
    def spread(self) -> float:
        """The coefficient of variation that the shape has."""
        return {Shape.FIXED: 0.0, Shape.EXPONENTIAL: 1.0}.get(self.shape, self.cv)
