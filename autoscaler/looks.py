"""The last few seconds of a load, each time beside what was usual before them: what a step is judged by (`burst`).

Numbers out of the history, nothing remembered; whether a look stands out is not decided here.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from autoscaler.history import History, Window
from autoscaler.rules import MetricType
from autoscaler.snapshot import Look
from autoscaler.usual import usual

LOOKS_S: Final = (1.0, 2.0, 4.0, 8.0)  # each is held against what was usual before it, so that a rise does not hide itself, ...
GAP_S: Final = 1.0  # ... not counting the second in which the rise began
USUAL_S: Final = 60.0  # over which that is judged, whatever the stable window
FARTHEST_S: Final = USUAL_S + GAP_S + LOOKS_S[-1]  # so much of the past is looked at
ROUNDING_S: Final = 1e-6  # of differences of times
MEASURES: Final[Mapping[MetricType, Callable[[Window], float]]] = {
    MetricType.CONCURRENCY: lambda window: window.load,
    MetricType.RPS: lambda window: window.rate,
}


def looks(history: History, metrics: Collection[MetricType]) -> dict[str, tuple[Look, ...]]:
    """Of those of the metrics that can step."""
    steps = list(history.steps())
    return {metric: tuple(_looks(metric, history, steps)) for metric in MEASURES if metric in metrics} if steps else {}


def _looks(metric: MetricType, history: History, steps: Sequence[Window]) -> Iterator[Look]:
    measure, service_s = MEASURES[metric], _service_s(steps) if metric is MetricType.CONCURRENCY else 0.0
    values = [(step.end.at_s, (step.length_s, measure(step))) for step in steps]
    for window in filter(None, map(history.window, LOOKS_S)):
        until_s = window.start.at_s - GAP_S
        known = usual([value for at_s, value in values if until_s - USUAL_S < at_s <= until_s + ROUNDING_S], service_s)
        if known is not None:
            yield Look(window.length_s, measure(window), known.level, known.noise(window.length_s, service_s))


def _service_s(steps: Sequence[Window]) -> float:
    """How long requests take (Little: load / rate); for ever while none is answered."""
    whole = Window(steps[0].start, steps[-1].end)
    return whole.load / whole.rate if whole.rate else math.inf
