"""How a service's load has been, in bins of a few minutes: what a forecast is made from. Plain data; no clock and no rule."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bin:
    """The load over length_s seconds, by a metric's key. start_s: seconds since the epoch. load: the mean; peak: the highest."""

    metric: str
    start_s: float
    length_s: float
    load: float
    peak: float
