"""What requests that come need, apart from those that only have to be caught up with.

Replicas that are overloaded let requests pile up, so that concurrency grows for as long as they are: after ten seconds at twice what
they can take it is many times what the arrivals need, and a rule that went by it would start replicas for requests that are long answered
when these are ready. By Little's law (J. D. C. Little, "A Proof for the Queuing Formula: L = lambda W", 1961) arrivals at a rate need
rate x the time that one takes where none waits. That time is learned while the replicas are within their targets. While they are not, the
load is no more than that, and what clears the backlog in as long as it took to pile up.

Requests that became heavier look the same at first. So while more come than are answered, the load is never taken to be less than what
the replicas would need to keep up; and once about as many are answered as come, what is there is the load, however much it is: such
requests, and clients that wait for an answer before they ask again, are no backlog.

Times and counts are those of the history. Concurrency only: all else that adds up is counted as it comes. Nothing is decided here.
"""

import math
from typing import Final

from autoscaler.history import History, Window
from autoscaler.rules import MetricRule

CATCH_UP_S: Final = 15.0  # at least
LATELY_S: Final = 5.0  # over which it is judged whether replicas are overloaded, and what a request takes while they are not
FORGETTING_S: Final = 60.0  # an application changes with every deployment: the time a request takes is a mean over about so long
LEAST_ENDED: Final = 5.0  # requests, of which a mean may be taken
DOUBLE: Final = 2.0
DEVIATIONS: Final = 3.0  # of Poisson arrivals: so much more or less than were answered may come by chance


class Demand:
    """Of one service. `observe` before `load`, at each snapshot."""

    def __init__(self) -> None:
        self._busy_s = 0.0  # request-seconds and requests, both fading alike
        self._ended = 0.0
        self._at_s: float | None = None
        self._within_s = -math.inf  # when the load was within the targets last
        self._usual = math.inf  # a load within the targets
        self._ready, self._changed_s = (
            0,
            -math.inf,
        )  # so many replicas are READY since then: what piles up turns with their number
        self._least = 0.0  # what the replicas need to keep up, 0 where they do

    @property
    def service_s(self) -> float | None:
        """How long a request takes where none waits; None while unknown."""
        return self._busy_s / self._ended if self._ended >= LEAST_ENDED else None

    def observe(self, history: History, rule: MetricRule, tolerance: float, ready: int) -> None:
        """See what the history says of the last seconds. rule: the one on concurrency. ready: replicas that are READY."""
        self._usual = rule.effective_target * ready * (1 + tolerance)
        self._least = 0.0
        lately = history.window(LATELY_S)
        if lately is None or not ready:
            return
        now_s = lately.end.at_s
        if ready != self._ready:
            self._ready, self._changed_s = ready, now_s
        if lately.load <= self._usual:
            self._within_s = now_s
            self._learn(lately)
        elif now_s - self._changed_s >= LATELY_S:
            self._least = rule.target * ready * _keeping_up(lately)

    def load(self, window: Window) -> float:
        """The mean load of the window without what is only to be caught up with."""
        load, service_s = window.load, self.service_s
        if service_s is None or load <= self._usual:
            return load
        needed = window.came / window.length_s * service_s
        behind = max(0.0, window.end.present - needed)
        catch_up_s = max(CATCH_UP_S, window.end.at_s - self._within_s)
        return min(load, max(self._least, needed + behind * service_s / catch_up_s))

    def _learn(self, window: Window) -> None:
        now_s = window.end.at_s
        passed_s = window.length_s if self._at_s is None else min(now_s - self._at_s, window.length_s)
        kept = math.exp(-passed_s / FORGETTING_S)
        self._busy_s = self._busy_s * kept + window.load * passed_s
        self._ended = self._ended * kept + window.attempts / window.length_s * passed_s
        self._at_s = now_s


def _keeping_up(window: Window) -> float:
    """So many times what they have is what overloaded replicas need to keep up, at least; 0 where they catch up."""
    if abs(window.swelled) <= DEVIATIONS * math.sqrt(window.came):
        return DOUBLE
    return window.came / max(1.0, window.attempts) if window.swelled > 0 else 0.0
