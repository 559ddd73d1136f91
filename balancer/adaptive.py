"""A cap on the requests in flight in a replica that is learned from its latency: the gradient of Netflix's concurrency-limits.

What an unhurried replica needs is the least mean latency of an attempt that was seen, slowly forgotten; what it needs now, over that,
is the gradient. A cap shrinks with the gradient, at most to a half at once, and grows by its square root, which is the room that a
queue in front of it needs. Latency counts from the pick of a replica, so that the line in front of a cap does not make it smaller.

Pure: samples in, a cap out. Each worker learns for itself from what it carries; in flight are those of all workers.
"""

import math
from dataclasses import dataclass, replace

INTERVAL_US = 500_000  # of a sample
SAMPLES_LEAST = 10  # answers in it
TOLERANCE = 1.5  # of the unhurried latency, which is no reason to shrink
SHRINK_MOST = 0.5
SMOOTHING = 0.3  # of a new cap in the one that is used
CAP_LEAST = 2
CAP_FIRST = 4  # so that it is seen what a replica needs that is in no hurry
RISE = 1.5  # with each sample until latency rises for the first time
CAP_MOST = 1_000
# By which the unhurried latency is raised with each sample: it doubles in some twelve minutes of nothing but hurry.
FORGETTING = 0.0005


@dataclass(frozen=True, slots=True)
class Learned:
    """cap: requests in flight in one replica. unhurried_us: the least latency; 0: none was seen. answers, sum_us: read last, at at_us.
    rising: it has grown by steps so far, as no latency rose."""

    cap: float = CAP_FIRST
    unhurried_us: float = 0.0
    answers: int = 0
    sum_us: int = 0
    at_us: int = 0
    rising: bool = True


def learn(learned: Learned, answers: int, sum_us: int, peak: int, now_us: int) -> Learned:
    """What is known after one more look. answers, sum_us: counted so far; peak: the most in flight in one replica now.

    A look after less than INTERVAL_US, or with too few answers, teaches nothing. A cap that nothing reaches does not grow.
    """
    if answers < learned.answers or not learned.at_us:
        return replace(learned, answers=answers, sum_us=sum_us, at_us=now_us)
    count = answers - learned.answers
    if now_us - learned.at_us < INTERVAL_US or count < SAMPLES_LEAST:
        return learned
    latency_us = (sum_us - learned.sum_us) / count
    least_us = min(latency_us, learned.unhurried_us * (1 + FORGETTING)) if learned.unhurried_us else latency_us
    slope = gradient(least_us, latency_us)
    rising = learned.rising and slope == 1.0
    return Learned(next_cap(learned.cap, slope, peak, rising), least_us, answers, sum_us, now_us, rising)


def gradient(least_us: float, latency_us: float) -> float:
    """How much of a cap is left: 1 while latency is about what it is without hurry."""
    return max(SHRINK_MOST, min(1.0, TOLERANCE * least_us / latency_us)) if latency_us else 1.0


def next_cap(cap: float, slope: float, peak: int, rising: bool) -> float:
    """The cap that follows. rising: latency has not risen yet since the beginning."""
    if slope == 1.0 and peak < cap / 2:
        return cap
    wanted = cap * RISE if rising else cap + SMOOTHING * (cap * slope + math.sqrt(cap) - cap)
    return min(CAP_MOST, max(CAP_LEAST, wanted))
