"""Where an application begins to suffer: the knee of its latency over its throughput. Pure functions over the steps.

The knee is the step of the greatest *power*, throughput divided by mean latency (L. Kleinrock, "Power and Deterministic Rules of Thumb
for Probabilistic Problems in Computer Communications", ICC 1979): the point at which a straight line from the origin touches the curve
from below. Before it, twice the load costs less than twice the latency; after it, more. Unlike Kneedle (Satopaa et al., 2011) it does not
depend on how far the measurement went, and there is nothing to tune.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.bench.objective import Objective
from sidecar.bench.step import Bounds, Step, objection


@dataclass(frozen=True, slots=True)
class Finding:
    """knee: of the greatest power. best: the highest rate that meets the objective, or the knee where there is none. None: no step was
    good enough. bounded: what lies above `best` was worse because of the application; if not, it may carry more than was tried."""

    knee: Step | None
    best: Step | None
    bounded: bool


def find(steps: Sequence[Step], bounds: Bounds, objective: Objective | None = None) -> Finding:
    """What the steps show."""
    good = good_steps(steps, bounds)
    if not good:
        return Finding(None, None, False)
    knee = max(good, key=lambda step: step.power)
    best = _within(good, objective) if objective else knee
    above = [step for step in steps if step.rate > (best or knee).rate and not step.cut_short]
    return Finding(knee, best, any(not step.measured.fell_behind for step in above))


def good_steps(steps: Sequence[Step], bounds: Bounds) -> list[Step]:
    """Those that nothing speaks against, from the lowest rate up to the first that something speaks against."""
    found = []
    for step in sorted(steps, key=lambda step: step.rate):
        if step.cut_short:
            continue
        if objection(step, bounds):
            break
        found.append(step)
    return found


def _within(good: Sequence[Step], objective: Objective) -> Step | None:
    """The last step before the first one that misses the objective."""
    best = None
    for step in good:
        if not objective.met_by(step):
            break
        best = step
    return best
