"""What one replica can carry within a latency objective, out of what was seen of it. Numbers in, numbers out.

By Little's law (L = λW) the throughput of a replica is its concurrency divided by the latency, X = c / W. Up to a knee the latency
is flat and throughput grows with concurrency; beyond it throughput does not, and latency grows in proportion to concurrency (L.
Kleinrock, "Power and Deterministic Rules of Thumb", ICC 1979; the asymptotes of operational analysis: Denning and Buzen, "The
Operational Analysis of Queueing Network Models", ACM Computing Surveys 10, 1978). Between these two ends, and as long as throughput
does not fall, latency is a straight line of concurrency:

- flat (slope 0) for an application that waits on something else,
- W = s (1 + c), slope c / (1 + c), for a processor that is shared by all its requests,
- through the origin (slope 1) once requests only queue.

So the slope at the highest concurrency that met the objective tells how much more concurrency meets it, and how much more throughput
that is. It is fitted over the observations, with a prior (that of a shared processor, at most PRIOR_SLOPE) that counts as much as one
observation at half the concurrency. From a concurrency that missed the objective, c x objective / latency is what meets it.

Not the gradient method (Netflix concurrency-limits, Gradient2; TCP Vegas, Brakmo and Peterson, 1995): it looks for the concurrency at
which latency begins to rise over what was usual, whatever the objective, which for one that is well above is far too many replicas;
and it needs to hold the concurrency at its limit, by refusing the rest, to learn anything.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from autoscaler.memory import Observation

STEP: Final = 1.25  # observations whose concurrency lies within such a step are one
AIM: Final = 0.8  # of the objective: a percentile over ten seconds varies by a tenth
GROWTH: Final = 4.0  # the most, of the highest concurrency that met the objective: then it is looked at again
RATE_GROWTH: Final = 2.2  # and of its throughput: two replicas may become one, but three not at once
LEAST_CUT: Final = 0.5  # the most that a miss takes away at a time
CAUTION: Final = 0.9  # of the throughput at which the objective was missed
PRIOR_SLOPE: Final = 0.4
PRIOR_WEIGHT: Final = 0.25
LEAST_SLOPE: Final = 0.02
FARTHEST: Final = 2.0  # relative distance in concurrency; what lies farther away says little of the slope here


class Capacity(NamedTuple):
    """Requests at once, and per second, on each replica."""

    concurrency: float
    rate: float


def capacity(met: Sequence[Observation], missed: Sequence[Observation], objective_s: float, least: float) -> Capacity | None:
    """What meets the objective, None where nothing is known. least: the concurrency that is never too much."""
    found = [_below(each, objective_s) for each in missed]
    if met:
        found.append(_beyond(max(met, key=lambda each: each.concurrency), met, objective_s, least))
    if not found:
        return None
    return Capacity(max(least, min(each.concurrency for each in found)), min(each.rate for each in found))


def step_of(concurrency: float) -> int:
    """Which observations are taken as one."""
    return math.floor(math.log(concurrency, STEP))


def slope(at: Observation, seen: Sequence[Observation]) -> float:
    """By what share latency rises with a rise of concurrency by a share, at that observation."""
    prior = min(PRIOR_SLOPE, at.concurrency / (1 + at.concurrency))
    above, below = PRIOR_WEIGHT * prior, PRIOR_WEIGHT
    for each in seen:
        more = min(FARTHEST, each.concurrency / at.concurrency - 1)
        above += more * (each.latency_s / at.latency_s - 1)
        below += more * more
    return min(1.0, max(LEAST_SLOPE, above / below))


def _beyond(top: Observation, met: Sequence[Observation], objective_s: float, least: float) -> Capacity:
    """Along the line through the highest concurrency that met the objective."""
    room, rise = AIM * objective_s / top.latency_s, slope(top, met)
    growth = min(GROWTH, (room - 1 + rise) / rise) if room > 1 else room
    growth = max(growth, least / top.concurrency)
    return Capacity(growth * top.concurrency, top.rate * min(RATE_GROWTH, growth / (1 - rise + rise * growth)))


def _below(missed: Observation, objective_s: float) -> Capacity:
    """Beneath one that missed it."""
    share = min(1.0, max(LEAST_CUT, AIM * objective_s / missed.latency_s))
    return Capacity(share * missed.concurrency, CAUTION * missed.rate)
