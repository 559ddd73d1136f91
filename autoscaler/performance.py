"""How a service does by its objective, over the shortest window that can tell (`slo` judges by it alone).

A percentile over few answers is noise, so a window tells only
- with LEAST_BEYOND answers expected beyond the percentile (200 answers for p95, 1,000 for p99): of latencies with an exponential
  tail the percentile is then right to a tenth, two times in three;
- or where far more are late than chance explains (DEVIATIONS of the binomial distribution): a plain miss needs few answers;
- or where requests must be late that have no answer yet: by Little's law requests take load / rate on average (J. D. C. Little, "A
  Proof for the Queuing Formula: L = λW", Operations Research 9, 1961).

A failure (5xx or no answer) is a request later than any answer: an application that refuses what is too much for it is not quick. In
which buckets failures were counted is not known, so the quickest are taken, which is where refusals are. Pure, and no rule but these.
"""

import math
from typing import Final

from autoscaler.history import History, Window
from autoscaler.rules import Slo
from autoscaler.snapshot import Performance
from balancer.hotpath.board import bucket_floor_us
from balancer.scoreboard import quantile_us

WINDOWS_S: Final = (10.0, 20.0, 40.0, 60.0)
LEAST_BEYOND: Final = 10
DEVIATIONS: Final = 3.0
ROUNDING_S: Final = 0.5  # a window of ten readings, a second apart each, may be this much shorter


def performance(history: History, slo: Slo | None) -> Performance | None:
    """None without an objective, and while no window tells."""
    if slo is None:
        return None
    for length_s in WINDOWS_S:
        window = history.window(length_s)
        if window is None or window.length_s < length_s - ROUNDING_S:
            return None
        if found := _told(window, slo):
            return found
    return None


def _told(window: Window, slo: Slo) -> Performance | None:
    """What the window shows; None where that says nothing."""
    counts = window.latencies
    answers, share = sum(counts), slo.percentile / 100
    failed = window.failures / window.attempts if window.failures > 0 else 0.0
    late = min(1.0, failed + _later(counts, slo.latency_s * 1e6) / max(1, answers))
    if _enough(answers, share) or _clearly_late(answers, late, share):
        return Performance(window.length_s, window.load, window.rate, answers, late, _latency_s(counts, share + failed))
    if window.load >= max(1.0, window.rate * slo.latency_s):
        return Performance(window.length_s, window.load, window.rate, answers, 1.0, _mean_s(window))
    return None


def _enough(answers: int, share: float) -> bool:
    return answers * (1 - share) >= LEAST_BEYOND - 1e-9


def _clearly_late(answers: int, late: float, share: float) -> bool:
    expected = answers * (1 - share)
    return answers * late > expected + DEVIATIONS * math.sqrt(expected * share) + 1


def _latency_s(counts: list[int], share: float) -> float | None:
    latency_us = quantile_us(tuple(counts), share) if share < 1 else None
    return None if latency_us is None else latency_us / 1e6


def _mean_s(window: Window) -> float | None:
    return window.load / window.rate if window.rate > 0 else None


def _later(counts: list[int], limit_us: float) -> float:
    """How many answers took longer, interpolated inside the bucket of the limit."""
    later = 0.0
    for index, count in enumerate(counts):
        low, high = bucket_floor_us(index), bucket_floor_us(index + 1)
        if count and high > limit_us:
            later += count * min(1.0, (high - limit_us) / (high - low))
    return later
