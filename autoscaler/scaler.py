"""The autoscaler of one service between two decisions: what it has sampled, remembers, was told by hand, and asked for last.

Invariant: deciding is `decide`'s business and acting the fleet's. Here a decision only becomes a wanted count, and under `dry_run` not
even that: then the count stays what it was, inside min and max, unless somebody sets it by hand.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from autoscaler import signalled
from autoscaler.decide import decide
from autoscaler.decision import Decision
from autoscaler.forecasts import Forecasts
from autoscaler.memory import Learned, Memory
from autoscaler.portable import Moment
from autoscaler.rules import Pause, Rules
from autoscaler.sampling import ReplicaStatus, Sampler
from autoscaler.signalled import Readings
from autoscaler.snapshot import Allowance, Snapshot
from autoscaler.starts import Starts

Watcher = Callable[[Snapshot, Memory], None]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a restart does not forget, as it was at at_s."""

    at_s: Moment
    wanted: int
    override: int | None = None
    pause: Pause = Pause.NONE
    memory: Memory = field(default_factory=Memory)
    starts_s: tuple[float, ...] = ()


class Scaler:
    """wanted: the count asked for last. override: the count set by hand. pause: what is held by hand.
    decided: how many decisions, by reason."""

    def __init__(self, service: str, rules: Rules, sampler: Sampler) -> None:
        self.service = service
        self.rules = rules
        self.sampler = sampler
        self.wanted = self._bounded(self._initial)
        self.override: int | None = None
        self.pause = Pause.NONE
        self.decision: Decision | None = None
        self.watchers: list[Watcher] = []  # told once, what the next decision is made from
        self.decided: Counter[str] = Counter()
        self.forecasts = Forecasts()
        self.starts = Starts()
        self._memory = Memory()
        self._former: int | None = None  # the count wanted in the last life

    @property
    def learned(self) -> Learned:
        """What was learned of the objective, where there is one."""
        return self._memory.learned or Learned()

    def kept(self, now_s: float) -> Kept:
        """What is to be kept over a restart."""
        return Kept(now_s, self.wanted, self.override, self.pause, self._memory, self.starts.times_s)

    def restore(self, kept: Kept, now_s: float) -> None:
        """Go on from what was kept, before `take_over`. After a gap in which the window for going down has run out, the count is a
        new sight: nothing is known of the load in between, and a restart never scales down at once."""
        self._former, self._memory, self.pause = kept.wanted, kept.memory, kept.pause
        self.starts = Starts(kept.starts_s)
        if now_s - kept.at_s > self.rules.behavior.scale_down.stabilization_window_s:
            self._memory = replace(kept.memory, since_s=None, blind_since_s=None)
        if kept.override is not None:
            self.override = self._bounded(kept.override)

    def take_over(self, replicas: int, most: int | None = None) -> None:
        """So many were there before this program came. Where none was, the count wanted in the last life, since its load is still
        there; a first start begins with the rules' `initial_replicas`. most: what a budget allows; None: nothing is shared."""
        former = self._initial if self._former is None else self._former
        wanted = self._bounded(replicas or former)
        self.wanted = wanted if most is None else min(wanted, max(replicas, most))

    def change(self, rules: Rules) -> None:
        """Decide by other rules from now on. What was sampled and remembered stays."""
        self.rules = self.sampler.rules = rules
        self.wanted = self._bounded(self.wanted)

    def set_by_hand(self, replicas: int | None) -> None:
        """Hold the count at `replicas`; None: automatic again. Raises ValueError out of bounds."""
        least, most = self.rules.min_replicas, self.rules.max_replicas
        if replicas is not None and not least <= replicas <= most:
            raise ValueError(f"{self.service} has from {least} to {most} replicas, so not {replicas}; change its rules first")
        self.override = replicas

    def step(
        self,
        now_s: float,
        replicas: Sequence[ReplicaStatus],
        full: str = "",
        wall_s: float = 0.0,
        readings: Readings = MappingProxyType({}),
        allowance: Allowance | None = None,
    ) -> Decision:
        """Decide once more, and want what was decided. full: why the engine has no place for more, in words. wall_s: now in seconds
        since the epoch. readings: of signals, as `signalled.add` takes them. allowance: of the budget."""
        self.starts.observe(replicas)
        start_s = self.starts.usual_s
        snapshot = self.sampler.snapshot(
            now_s,
            self.service,
            replicas,
            self.wanted,
            self.override,
            full=full,
            wall_s=wall_s,
            start_s=start_s,
            pause=self.pause,
            allowance=allowance,
            forecasts=self.forecasts.observe(wall_s, self.sampler.totals, self.rules, start_s),
        )
        snapshot = signalled.add(snapshot, readings)
        self._show(snapshot)
        self.decision, self._memory = decide(snapshot, self.rules, self._memory)
        self.decided[self.decision.reason] += 1
        if not self.rules.dry_run or self.override is not None:
            self.wanted = self.decision.desired
        return self.decision

    def _show(self, snapshot: Snapshot) -> None:
        """What is shown is not kept: a thousand snapshots take so much room that each tick is a tenth slower."""
        watchers, self.watchers = self.watchers, []
        for tell in watchers:
            tell(snapshot, self._memory)

    @property
    def _initial(self) -> int:
        return 1 if self.rules.initial_replicas is None else self.rules.initial_replicas

    def _bounded(self, count: int) -> int:
        return min(max(count, self.rules.min_replicas), self.rules.max_replicas)
