"""Runs the loads of a bench one after the other: a first look, then steps, until the plan says that it is enough."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from sidecar.bench.objective import Objective
from sidecar.bench.plan import Plan, affordable, first_rate, next_rate
from sidecar.bench.step import Bounds, Step, objection, settled, troubles
from sidecar.load.arrivals import Spacing, arrivals
from sidecar.load.generator import Generator
from sidecar.load.quiet import quiet
from sidecar.load.tally import Measured

LOOK_REQUESTS, LOOK_S = 5, 1.0
WARM_UP_S = (0.5, 5.0)  # at least and at most; between them twice what nearly all requests take
FULL = 3  # requests in a step, at the least


class NoGoodAnswer(Exception):  # noqa: N818 - said in words, not a fault of the program
    """The first few requests brought no good answer; the message says what they brought."""


@dataclass(frozen=True, slots=True)
class Settings:
    """rate_from, rate_to: 0 is to be found. step_s: without warm-up."""

    rate_from: float = 0.0
    rate_to: float = 0.0
    steps: int = 12
    step_s: float = 5.0
    spacing: Spacing = Spacing.POISSON
    seed: int = 1
    objective: Objective | None = None
    bounds: Bounds = field(default_factory=Bounds)


class Runner:
    """`steps` grows while it runs; `ended`: why there were no more, where a bound on the whole ended it; `bounds`: as settled."""

    def __init__(
        self, generator: Generator, settings: Settings, replicas: Callable[[], int], tell: Callable[[Step, str], None]
    ) -> None:
        """replicas: how many are READY. tell: is called after each step, with what speaks against a higher rate."""
        self.steps: list[Step] = []
        self.ended = ""
        self.bounds = settings.bounds
        self._generator = generator
        self._settings = settings
        self._replicas = replicas
        self._tell = tell
        self._random = Random(settings.seed)
        self._sent = 0
        self._began_s = time.monotonic()

    def run(self) -> None:
        """All of it, or until the generator is stopped. Raises NoGoodAnswer."""
        look = self._load(LOOK_REQUESTS / LOOK_S, LOOK_S, 0.0)
        if self._generator.stopped:
            return
        _check(look)
        self.bounds = settled(self.bounds, look.latency_s["min"] or 0.0)
        plan = self._plan(look)
        warm_up_s = _warm_up_s(look)
        while (rate := next_rate(self.steps, plan, self.bounds)) is not None:
            if not self._step(rate, warm_up_s):
                return
            warm_up_s = _warm_up_s(self.steps[-1].measured)

    def _plan(self, look: Measured) -> Plan:
        settings, latency_s = self._settings, look.latency_s["min"] or 0.0
        first = settings.rate_from or first_rate(latency_s)
        first = min(first, settings.rate_to) if settings.rate_to else first
        both = bool(settings.rate_from and settings.rate_to)
        return Plan(first, settings.rate_to, settings.steps, both, settings.objective)

    def _step(self, rate: float, warm_up_s: float) -> bool:
        """One step; False: it was the last, or would have passed a bound on the whole."""
        spent_s = time.monotonic() - self._began_s
        seconds = warm_up_s + max(self._settings.step_s, FULL / rate)
        self.ended = affordable(seconds, rate, self._sent, spent_s, self.bounds)
        if self.ended:
            return False
        step = Step(rate, self._replicas(), self._load(rate, seconds, warm_up_s), self._generator.stopped)
        if step.measured.due:  # or it was stopped before it began
            self.steps.append(step)
            self._tell(step, objection(step, self.bounds))
        return not step.cut_short

    def _load(self, rate: float, seconds: float, warm_up_s: float) -> Measured:
        due = arrivals(rate, seconds, self._settings.spacing, self._random)
        self._sent += len(due)
        with quiet():
            return self._generator.run(due, seconds, warm_up_s)


def _warm_up_s(measured: Measured) -> float:
    least, most = WARM_UP_S
    return min(most, max(least, 2 * (measured.latency_s["p95"] or 0.0)))


def _check(look: Measured) -> None:
    """Raises NoGoodAnswer."""
    if not look.good:
        raise NoGoodAnswer(f"none of the first {look.due} requests got a good answer (2xx or 3xx): {troubles(look)}")
