"""One configured service as it runs: its fleet, what is sampled of it, and its autoscaler where it has rules."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from autoscaler import schedule
from autoscaler.budget import Claim
from autoscaler.cluster.engine import Engine, EngineError, Usage
from autoscaler.conditions import Condition, conditions, followed
from autoscaler.decision import Decision, differs
from autoscaler.fleet import Fleet
from autoscaler.registry import FleetSettings, Surroundings, Tell
from autoscaler.replica import Replica
from autoscaler.rules import Rules
from autoscaler.sampling import ReplicaStatus, Sampler
from autoscaler.scaler import Scaler
from autoscaler.signalled import Readings
from autoscaler.snapshot import Allowance
from balancer.scoreboard import ReplicaReading, ServiceReading
from balancer.table import Affinity, By, ReplicaState, RouteEntry, ServiceEntry
from probes.outliers import Ejection, Outliers
from probes.signals.signals import Signals
from probes.signals.spec import SignalSpec
from probes.spec import ProbeSpec
from probes.verdict import Outcome
from sidecar import secrets
from sidecar.config import Service
from sidecar.data_path import DataPath
from sidecar.inheritance import Inheritance
from sidecar.readings import since

SERVING = frozenset({ReplicaState.READY, ReplicaState.DRAINING})
PROVEN = frozenset({ReplicaState.READY, ReplicaState.EJECTED})


class Running:
    """`tell(kind, replica, message)` as in a fleet. former: its entry in the table that is in use already, where there is one.
    `decided(service, decision)` hears of every decision. signals: keeps what others tell of it, where it has rules.
    allowance: what a budget allows it, None where nothing is shared. secret: what keys are made from.

    ready_in: the first routing table with its minimum of READY replicas. scaling: the last decision in the HPA's words.
    """

    def __init__(
        self,
        config: Service,
        slot: int,
        engine: Engine,
        around: Surroundings,
        path: DataPath,
        tell: Tell,
        former: ServiceEntry | None = None,
        decided: Callable[[str, Decision], None] = lambda service, decision: None,
        signals: Signals | None = None,
        allowance: Callable[["Running"], Allowance | None] = lambda running: None,
        secret: bytes = b"",
    ) -> None:
        self.config = config
        self.slot = slot
        self._inheritance = Inheritance(former, around.clock())
        since = self._inheritance.ready_at_s
        self.fleet = Fleet(fleet_settings(config), engine, around, tell, self._taken_over, since)
        self.sampler = Sampler(config.rules or Rules())
        self.scaler = Scaler(config.name, config.rules, self.sampler) if config.rules else None
        self.outliers = Outliers(config.ejection)
        self.ready_in: int | None = None
        self.scaling: tuple[Condition, ...] = ()
        self._unresolved = False
        self._usages: Mapping[str, Usage | None] = {}
        self._workers = around.workers
        self._path = path
        self._clock: Callable[[], float] = around.clock
        self._wall: Callable[[], float] = around.wall
        self._tell = tell
        self._decided = decided
        self._allowance = allowance
        self._signals = signals if config.rules else None
        self._secret = secret

    @property
    def replicas(self) -> list[Replica]:
        """All that are there, the draining ones included."""
        return list(self.fleet.registry.replicas.values())

    @property
    def in_charge(self) -> bool:
        """Whether no other autoscaler decides."""
        return self._path.in_charge

    @property
    def ready(self) -> int:
        return sum(replica.state is ReplicaState.READY for replica in self.replicas)

    def open(self) -> None:
        """Begin. What is there from before is taken over as soon as the engine tells."""
        self.fleet.open()
        self._declare_signals()

    def change(self, config: Service) -> None:
        """Run by another configuration of the same kind, in place as far as that goes."""
        self.config = config
        self.outliers.spec = config.ejection
        if self.scaler and config.rules:
            self.scaler.change(config.rules)
            if self.fleet.desired is not None:
                self.fleet.desired = self.scaler.wanted
        self.fleet.change(fleet_settings(config))
        self._declare_signals()

    def verdict(self, replica: str, ready: bool, reason: str) -> None:
        """The probes' verdict on a replica has changed."""
        self.fleet.verdict(replica, ready, reason)
        self._note_readiness()

    def life_verdict(self, replica: str, alive: bool, reason: str) -> None:
        """The liveness probes' verdict on a replica has changed."""
        if not alive and self.in_charge:
            self.fleet.lifeless(replica, reason)

    async def execute(self, replica: str, spec: ProbeSpec) -> Outcome:
        """An exec probe."""
        try:
            status, line = await self.fleet.engine.execute(replica, spec.command, spec.timeout_s)
        except EngineError as error:
            return Outcome(False, str(error))
        said = f": {line}" if line else ""
        return Outcome(status == 0, f"{spec.command[0]} exited with status {status}{said}")

    def tick(self, trouble: str = "") -> None:
        """Sample, decide, act: about once a second, and at once when there is reason to.

        trouble: what is wrong with where its replicas come from, in words.
        """
        now_s = self._clock()
        self._note_readiness()
        self._note_trouble(trouble)
        self.fleet.tick()
        if self._inheritance.ended(self.fleet.known, now_s):
            self._workers.publish()
        if self._path.fresh:
            self._observe(now_s)
            self._judge(now_s)
        self._leave_it_to_another()
        if self.scaler and self.fleet.desired is not None:
            self._decide(self.scaler, now_s)

    def failing(self, replica: str, failures: int) -> None:
        """A worker saw so many attempts in a row fail at a replica."""
        ready, proven = self._standings()
        self.fleet.registry.eject(self.outliers.in_a_row(replica, failures, ready, proven, self._clock()))

    def claim(self) -> Claim:
        """What it asks for of a budget. Replicas that were asked for count before they are to be seen."""
        active, (cpus, memory) = len(self.fleet.registry.active()), self.config.cost
        held, leaving = max(active, self.fleet.desired or 0), len(self.replicas) - active
        if not self.scaler:
            return Claim(self.config.name, held=held, leaving=leaving, cpus=cpus, memory=memory)
        rules, decision = schedule.apply(self.scaler.rules, self._wall()), self.scaler.decision
        wanted = decision.wanted if decision else self.scaler.wanted
        return Claim(self.config.name, rules.priority, rules.min_replicas, wanted, held, leaving, cpus, memory)

    def reading(self) -> ServiceReading:
        """The service's own cells."""
        return self._path.service(self.slot)

    def replica_reading(self, replica: Replica) -> ReplicaReading:
        """A replica's cells, without what its slot had counted for others."""
        return since(self._path.replica(replica.slot), replica.baseline)

    def routes(self) -> tuple[RouteEntry, ...]:
        """Its lines in the routing table."""
        return tuple(
            RouteEntry(route.host, route.path, self.config.name, route.priority, route.body, route.rates)
            for route in self.config.routes
        )

    def entry(self) -> ServiceEntry:
        """Its place in the routing table."""
        config = self.config
        return ServiceEntry(
            name=config.name,
            slot=self.slot,
            policy=config.policy,
            max_concurrency=config.max_concurrency,
            queue=config.queue,
            queue_timeout_s=config.queue_timeout_s,
            hold=bool(config.rules and config.rules.scale_to_zero),
            hold_timeout_s=config.hold_timeout_s,
            max_held=config.max_held,
            adaptive=config.adaptive,
            total_s=config.total_s,
            hedge_s=config.hedge_s,
            slow_start_s=config.slow_start_s,
            failures=config.ejection.failures if config.ejection else 0,
            retries=config.retries,
            affinity=self._affinity(),
            rates=config.rates,
            replicas=self._inheritance.shown(
                [replica.entry() for replica in self.replicas if replica.instance.address], self.fleet.known
            ),
        )

    def _affinity(self) -> Affinity:
        """A session's cookie is signed with the configured key, or else with one of our own."""
        affinity = self.config.affinity
        if affinity.by is not By.SESSION or affinity.key:
            return affinity
        return replace(affinity, key=secrets.key_for(self._secret, self.config.name))

    def readings(self) -> Readings:
        """What its signals say now, as `signalled.add` takes it."""
        return self._signals.readings(self.config.name, self._clock()) if self._signals else {}

    @property
    def signals(self) -> tuple[SignalSpec, ...]:
        """What is asked of others, or waited for: nothing where no rule could use it."""
        return self.config.signals if self._signals else ()

    def failures(self, signal: str) -> int:
        """How often there was no value of a signal to be had."""
        return self._signals.failures(self.config.name, signal) if self._signals else 0

    def usage(self, replica: Replica) -> Usage | None:
        """What a replica had used at the last tick. Known only where a rule asks: to be asked costs an engine a connection."""
        return self._usages.get(replica.id)

    def cpu(self, replica: Replica) -> float | None:
        """The share of the cpu that it may use, over the last few seconds; None: unknown."""
        used = self.sampler.usage(replica.id)
        return used.cpu if used else None

    def _measured(self) -> dict[str, Usage | None]:
        """Of the replicas that serve: what one uses while it starts, or while it is sick, is not load."""
        return {each.id: self.fleet.engine.usage(each.id) for each in self.replicas if each.state in SERVING}

    def _observe(self, now_s: float) -> None:
        cells = {replica.id: self._path.cells(replica.slot) for replica in self.replicas}
        self._usages = self._measured() if self.sampler.needs_usage else {}
        needed = {name: used and used.against(*self.config.request) for name, used in self._usages.items()}
        self.sampler.take(now_s, self.reading(), cells, needed)

    def _judge(self, now_s: float) -> None:
        """Take out who does far worse than the others, and back in who is better than none."""
        ready, proven = self._standings()
        cells = {replica.id: self._path.cells(replica.slot) for replica in self.replicas} if self.outliers.due(now_s) else {}
        ejections: list[Ejection] = self.outliers.judge(cells, ready, proven, now_s)
        self.fleet.registry.eject(ejections)
        ready, proven = self._standings()
        self.fleet.registry.pardon(self.outliers.pardoned(len(ready), proven, now_s))

    def _standings(self) -> tuple[set[str], int]:
        """Who is READY, and how many are so or were."""
        ready = {each.id for each in self.replicas if each.state is ReplicaState.READY}
        return ready, sum(each.state in PROVEN for each in self.replicas)

    def _declare_signals(self) -> None:
        if self._signals:
            self._signals.declare(self.config.name, self.config.signals)

    def _read_signals(self) -> Readings:
        """Those of the replicas, too: only who is READY is asked."""
        if not self._signals or not self.config.signals:
            return {}
        ready = {each.id: each.instance.address for each in self.replicas if each.state is ReplicaState.READY}
        self._signals.follow(self.config.name, ready)
        return self.readings()

    def _leave_it_to_another(self) -> None:
        """While another autoscaler is in charge its replicas are not ours to start or stop; afterwards we take over what is there."""
        if not self.in_charge:
            self.fleet.desired = None
        elif self.fleet.desired is None and self.fleet.known:
            self._taken_over(len(self.fleet.registry.active()))

    def _taken_over(self, count: int) -> None:
        if self.scaler and self.in_charge:
            self.scaler.starts.found(replica.id for replica in self.replicas)
            allowance = self._allowance(self)
            self.scaler.take_over(count, allowance.most if allowance else None)
            self.fleet.scale_to(self.scaler.wanted)

    def _note_readiness(self) -> None:
        least = self.config.rules.min_replicas if self.config.rules else 1
        if self.ready_in is None and self.ready >= least:
            self.ready_in = self._workers.publish()

    def _note_trouble(self, trouble: str) -> None:
        """Once when it begins and once when it is over. An end without replicas is none: another name was just configured."""
        name = self.config.dns
        if trouble and not self._unresolved:
            self._tell("resolve_failed" if name else "trouble", "", f"{name}: {trouble}" if name else trouble)
        elif self._unresolved and not trouble and self.replicas:
            self._tell(
                "resolved" if name else "trouble_over", "", f"{name} has addresses again" if name else "nothing is amiss any more"
            )
        self._unresolved = bool(trouble) or (self._unresolved and not self.replicas)

    def _decide(self, scaler: Scaler, now_s: float) -> None:
        before = scaler.decision
        statuses = [ReplicaStatus(replica.id, replica.state, replica.started_s, replica.took_s) for replica in self.replicas]
        full, readings = self.fleet.engine.full(self.config.name), self._read_signals()
        decision = scaler.step(now_s, statuses, full, self._wall(), readings, self._allowance(self))
        if before is None or differs(before, decision):
            self.scaling = followed(conditions(decision), self.scaling, self._wall())
        news = decision.desired != before.desired if before and decision.dry_run else decision.desired != decision.previous
        if news:
            self._tell("decision", "", decision.sentence)
        self.fleet.scale_to(scaler.wanted)
        self._decided(self.config.name, decision)


def fleet_settings(config: Service) -> FleetSettings:
    """What of a service's configuration concerns its replicas."""
    return FleetSettings(config.spec, config.readiness, config.drain_timeout_s, config.startup, config.liveness)
