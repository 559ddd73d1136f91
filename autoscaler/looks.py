"""The last few seconds of a load, each time beside what was usual before them: what a step is judged by (`burst`).

Numbers out of the history, nothing remembered; whether a look stands out is not decided here.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from autoscaler.history import History, Window
from autoscaler.rules import MetricType
from autoscaler.snapshot import Look
from autoscaler.usual import usual

LONGEST_S: Final = 8.0
LOOKS_S: Final = (
    1.0,
    2.0,
    4.0,
    LONGEST_S,
)  # each is held against what was usual before it, so that a rise does not hide itself, ...
GAP_S: Final = 1.0  # ... not counting the second in which the rise began
USUAL_S: Final = 60.0  # over which that is judged, whatever the stable window
FARTHEST_S: Final = USUAL_S + GAP_S + LONGEST_S  # so much of the past is looked at
ROUNDING_S: Final = 1e-6  # of differences of times
MEASURES: Final[Mapping[str, Callable[[Window], float]]] = {
    MetricType.CONCURRENCY: lambda window: window.load,
    MetricType.RPS: lambda window: window.rate,
}


def looks(history: History, carried: Mapping[str, float], demand: Callable[[Window], float]) -> dict[str, tuple[Look, ...]]:
    """By metric, of those that can step and are in `carried`: the looks at more than that. Others could not ask for anything. demand:
    what measures the load of a look; what is usual is measured as it was, since what is usual is no backlog."""
    windows = [window for window in map(history.window, LOOKS_S) if window is not None]
    found = {}
    for metric, least in carried.items():
        measure = demand if metric == MetricType.CONCURRENCY else MEASURES[metric]
        high = [(window, value) for window in windows if (value := measure(window)) > least]
        found[metric] = tuple(_looks(metric, history, high)) if high else ()
    return found


def _looks(metric: str, history: History, high: Sequence[tuple[Window, float]]) -> Iterator[Look]:
    measure, service_s = MEASURES[metric], _service_s(history) if metric == MetricType.CONCURRENCY else 0.0
    values = [(step.end.at_s, (step.length_s, measure(step))) for step in history.steps()]
    for window, value in high:
        until_s = window.end.at_s - window.length_s - GAP_S
        known = usual([each for at_s, each in values if until_s - USUAL_S < at_s <= until_s + ROUNDING_S], service_s)
        if known is not None:
            yield Look(window.length_s, value, known.level, known.noise(window.length_s, service_s))


def _service_s(history: History) -> float:
    """How long requests take (Little: load / rate); for ever while none is answered."""
    whole = history.window(history.span_s)
    return whole.load / whole.rate if whole and whole.rate else math.inf
