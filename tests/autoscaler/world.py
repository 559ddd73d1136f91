"""A service in virtual time: load goes in, replicas come and go as decided, and every tick is sampled and decided as in earnest.

The load is a fluid: so many requests at once, shared evenly by the READY replicas; what they cannot take waits. Each keeps a tenth
of a core busy, as far as there is one, and a replica that starts all that it may use. Everything from the scoreboard's readings to
the decision is the real thing; only time, the requests and what the engine tells are not.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from autoscaler.cluster.engine import Usage
from autoscaler.decide import decide
from autoscaler.decision import Decision
from autoscaler.memory import Memory
from autoscaler.portable import from_json, shifted, to_json
from autoscaler.rules import Behavior, MetricRule, MetricType, PolicyType, Rules, ScalingPolicy, ScalingRules
from autoscaler.sampling import ReplicaStatus, Sampler
from balancer.hotpath import board
from balancer.hotpath.row import bucket
from balancer.scoreboard import ReplicaReading, ServiceReading
from balancer.table import ReplicaState

CPUS = 2.0
CPU_PER_REQUEST = 0.1  # cores
MEMORY = 1_000_000


def concurrency(target: float = 10.0, **more: object) -> Rules:
    """Rules on concurrency alone, 1 to 100 replicas, with the project's defaults."""
    return replace(Rules(1, 100, (MetricRule(MetricType.CONCURRENCY, target),)), **more)  # type: ignore[arg-type]


def usage(metric: MetricType, target: float, **more: object) -> Rules:
    """Rules on cpu or memory alone; a target of 0.7 for cpu is 14 requests at once."""
    return replace(Rules(1, 100, (MetricRule(metric, target),)), **more)  # type: ignore[arg-type]


def scale_down_after(window_s: float) -> Behavior:
    """The default behaviour with another window for going down."""
    return Behavior(scale_down=ScalingRules(window_s, (ScalingPolicy(PolicyType.PERCENT, 100, 15.0),)))


@dataclass
class Counters:
    """What one replica has counted."""

    started_s: float
    share: float = 0.0
    busy_s: float = 0.0
    answers: float = 0.0
    failures: float = 0.0
    latency: list[float] = field(default_factory=lambda: [0.0] * board.BUCKETS)
    cpu_s: float = 0.0
    memory: float = 0.0  # a share

    def reading(self) -> ReplicaReading:
        """As the scoreboard tells it."""
        return ReplicaReading(
            in_flight=round(self.share),
            busy_us=round(self.busy_s * 1e6),
            status=(0, int(self.answers), 0, 0, int(self.failures)),
            connect_errors=0,
            broken=0,
            timeouts=0,
            bytes_in=0,
            bytes_out=0,
            latency_sum_us=0,
            pooled=0,
            connects=0,
            latency=tuple(int(count) for count in self.latency),
        )


class World:
    """One service. start_s: how long a replica takes to be READY. cap: requests at once per replica. service_s: of a request."""

    def __init__(
        self,
        rules: Rules,
        replicas: int = 1,
        start_s: float = 1.0,
        service_s: float = 0.1,
        cap: float = float("inf"),
        tick_s: float = 1.0,
    ) -> None:
        self.rules, self.start_s, self.service_s, self.cap, self.tick_s = rules, start_s, service_s, cap, tick_s
        self.now_s = 0.0
        self.desired = replicas
        self.override: int | None = None
        self.failing = 0.0  # share of the answers that are 5xx
        self.measured = True  # whether the engine tells what replicas use
        self.stored = 1.0  # memory in use over all READY replicas, in shares of one
        self.waiting = self.waited_s = 0.0
        self.replicas = {f"r{number}": Counters(-1e9) for number in range(replicas)}
        self.path: list[tuple[float, int]] = []  # (when, the new count)
        self.decisions: list[Decision] = []
        self.memory = Memory()
        self.sampler = Sampler(rules)
        self._next_tick_s = tick_s
        self._made = replicas
        self.sampler.observe(0.0, self._service(), self._readings(), self._usages())

    def run(self, load: float, seconds: float, *, ticks: bool = True) -> "World":
        """So many requests at once for so long. ticks=False: the controller is away."""
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            until_s = min(self._next_tick_s, end_s)
            self._pass(load, until_s - self.now_s)
            self.now_s = until_s
            if self.now_s >= self._next_tick_s - 1e-9:
                self._next_tick_s += self.tick_s
                if ticks:
                    self.tick()
        return self

    def tick(self) -> Decision:
        """Observe and decide now, and make it so."""
        self.sampler.observe(self.now_s, self._service(), self._readings(), self._usages())
        return self.decide()

    def decide(self) -> Decision:
        """Decide on what was observed last, and make it so."""
        snapshot = self.sampler.snapshot(self.now_s, "shop", self._statuses(), self.desired, self.override)
        decision, self.memory = decide(snapshot, self.rules, self.memory)
        self.decisions.append(decision)
        if decision.desired != self.desired and not decision.dry_run:
            self.path.append((self.now_s, decision.desired))
            self._scale(decision.desired)
        return decision

    def restart(self, replicas_end: bool = False) -> "World":
        """The program ends and comes back: it knows what it kept, through JSON and the wall clock; what it sampled is lost.
        replicas_end: those of this machine go with it, and as many start."""
        self.remember()
        self.sampler = Sampler(self.rules)
        if replicas_end:
            self.replicas.clear()
            self._scale(self.desired)
        return self

    def remember(self) -> None:
        """Keep what is remembered, and bring it back."""
        kept = json.loads(json.dumps(to_json(shifted(self.memory, 1e6))))
        self.memory = shifted(from_json(Memory, kept), -1e6)

    @property
    def last(self) -> Decision:
        """The newest decision."""
        return self.decisions[-1]

    def ready(self) -> list[Counters]:
        """The replicas that take requests."""
        return [counters for counters in self.replicas.values() if self._is_ready(counters)]

    def _is_ready(self, counters: Counters) -> bool:
        return self.now_s - counters.started_s >= self.start_s

    def _scale(self, desired: int) -> None:
        self.desired = desired
        while len(self.replicas) > desired:
            self.replicas.popitem()
        while len(self.replicas) < desired:
            self.replicas[f"r{self._made}"] = Counters(self.now_s)
            self._made += 1

    def _pass(self, load: float, seconds: float) -> None:
        ready = self.ready()
        running = min(load, self.cap * len(ready)) if ready else 0.0
        self.waiting = load - running
        self.waited_s += self.waiting * seconds
        for counters in self.replicas.values():
            counters.share = running / len(ready) if counters in ready else 0.0
            counters.busy_s += counters.share * seconds
            ended = counters.share * seconds / self.service_s
            counters.answers += ended * (1 - self.failing)
            counters.failures += ended * self.failing
            counters.latency[bucket(round(self.service_s * 1e6))] += ended
            counters.cpu_s += seconds * (min(CPUS, counters.share * CPU_PER_REQUEST) if counters in ready else CPUS)
            counters.memory = self.stored / len(ready) if counters in ready else 0.1

    def _service(self) -> ServiceReading:
        return ServiceReading(round(self.waiting), round(self.waited_s * 1e6), 0, 0, 0, 0, 0, (0, 0, 0, 0, 0), 0)

    def _readings(self) -> dict[str, ReplicaReading]:
        return {name: counters.reading() for name, counters in self.replicas.items()}

    def _usages(self) -> dict[str, Usage | None]:
        return {
            name: Usage(self.now_s, each.cpu_s, CPUS, int(each.memory * MEMORY), MEMORY) if self.measured else None
            for name, each in self.replicas.items()
            if self._is_ready(each)
        }

    def _statuses(self) -> Sequence[ReplicaStatus]:
        return [
            ReplicaStatus(name, ReplicaState.READY if self._is_ready(counters) else ReplicaState.STARTING, counters.started_s)
            for name, counters in self.replicas.items()
        ]


def play(story: str, world: World) -> dict[int, int]:
    """Run a story, "20 for 60, 40 for 30" (requests at once for seconds), and tell the desired count after each whole second."""
    counts = {}
    for part in story.split(","):
        load, seconds = part.split(" for ")
        for _ in range(int(seconds)):
            world.run(float(load), 1.0)
            counts[round(world.now_s)] = world.desired
    return counts
