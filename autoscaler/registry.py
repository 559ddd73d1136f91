"""The replicas of one service as they are: what the engine lists and what the probes say, brought into states.

Invariants: the state of a replica changes only here, along `balancer.table.TRANSITIONS`, and each change is told and published; a
replica is probed exactly while the engine says that it runs and it is not draining. How many there should be is not known here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autoscaler.cluster.engine import Engine, Instance, InstanceSpec, InstanceStatus
from autoscaler.drain import Workers
from autoscaler.replica import Replica
from autoscaler.slots import Slots, SlotsFull
from balancer.table import ReplicaState
from probes.outliers import Ejection
from probes.prober import Prober
from probes.spec import ProbeSpec

Tell = Callable[[str, str, str], None]

PATIENCE_S = 5.0  # after which it is said why a replica is not READY yet; most are within a second or two


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """What holds for every replica of a service. drain_timeout_s: how long requests in flight may take to end.

    startup: while it has not passed, nothing else is asked. liveness: who fails it is restarted.
    """

    spec: InstanceSpec
    readiness: ProbeSpec
    drain_timeout_s: float = 30.0
    startup: ProbeSpec | None = None
    liveness: ProbeSpec | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the replicas of all services share. clock: CLOCK_MONOTONIC seconds; wall: seconds since the epoch. vital: asks whether
    replicas are alive."""

    prober: Prober
    workers: Workers
    slots: Slots
    clock: Callable[[], float]
    wall: Callable[[], float]
    vital: Prober | None = None


class Registry:
    """`tell(kind, replica, message)` is called for everything that happens to a replica. ready_before: of replicas that were READY in an
    earlier life, since when (seconds since the epoch)."""

    def __init__(
        self, settings: FleetSettings, engine: Engine, around: Surroundings, tell: Tell, ready_before: Mapping[str, float]
    ) -> None:
        self.replicas: dict[str, Replica] = {}
        self.settings = settings
        self._service = settings.spec.service
        self._engine = engine
        self._around = around
        self._tell = tell
        self._ready_before = dict(ready_before)

    def active(self) -> list[Replica]:
        """Those that count as wanted ones: neither draining nor gone."""
        return [replica for replica in self.replicas.values() if replica.active]

    def change(self, settings: FleetSettings) -> None:
        """Probe differently from now on; what is known of the replicas stays."""
        self.settings = settings
        for replica in self.replicas.values():
            starting = settings.startup if not replica.started_up else None
            self._around.prober.change(self._service, replica.id, starting or settings.readiness)
            if self._around.vital and settings.liveness:
                self._around.vital.change(self._service, replica.id, settings.liveness)

    def see(self, instances: Sequence[Instance]) -> None:
        """Follow the engine's list."""
        there = {instance.id: instance for instance in instances if instance.status is not InstanceStatus.EXITED}
        for instance in instances:
            if instance.id in there and instance.id in self.replicas:
                self._update(self.replicas[instance.id], instance)
            elif instance.status in {InstanceStatus.PENDING, InstanceStatus.RUNNING, InstanceStatus.BACKOFF}:
                self.admit(instance, self.settings.spec.version)
        ended = {instance.id: instance.detail for instance in instances}
        for replica_id in [replica_id for replica_id in self.replicas if replica_id not in there]:
            draining = not self.replicas[replica_id].active
            self.gone(replica_id, "has stopped" if draining else ended.get(replica_id) or "is no longer there")

    def admit(self, instance: Instance, version: str) -> None:
        """A new replica, known from its start or from the list, whichever comes first; the start knows the version better."""
        if instance.id in self.replicas:
            self.replicas[instance.id].version = version
            return
        try:
            slot = self._around.slots.take(f"{self._service}/{instance.id}")
        except SlotsFull as full:
            self._tell("ignored", instance.id, str(full))
            return
        now_s = self._around.clock()
        baseline = self._around.workers.counted(slot)
        replica = self.replicas[instance.id] = Replica(instance, slot, version, now_s, now_s, baseline)
        self._tell("starting" if self._engine.can_scale else "found", instance.id, _place(instance))
        self._watch(replica)
        self._around.workers.publish()

    def verdict(self, replica_id: str, ready: bool, reason: str) -> None:
        """The probes' verdict on a replica has changed."""
        replica = self.replicas.get(replica_id)
        if replica and replica.active and ready and not replica.started_up:
            self._has_started_up(replica, reason)
        elif replica and replica.active:
            self._move(replica, ReplicaState.READY if ready else ReplicaState.EJECTED, reason)

    def eject(self, ejections: Sequence[Ejection]) -> None:
        """Take replicas out for what their answers were."""
        for ejection in ejections:
            self._around.prober.distrust(self._service, ejection.replica, ejection.until_s, ejection.reason)

    def pardon(self, replicas: Sequence[str]) -> None:
        """Take such replicas back before their time."""
        for replica_id in replicas:
            self._around.prober.pardon(self._service, replica_id)

    def complain(self) -> None:
        """Tell why replicas are not READY yet, once, and again only when there is another reason. To be called now and then."""
        now_s = self._around.clock()
        for replica in self.replicas.values():
            reason = self._around.prober.reason(self._service, replica.id)
            patient = now_s - max(replica.started_s, replica.complained_s) < PATIENCE_S
            if replica.expected and not patient and reason != replica.complaint:
                replica.complaint, replica.complained_s = reason, now_s
                self._tell("not_ready", replica.id, f"is not ready yet: {reason}")

    def drain(self, replica_id: str, why: str) -> Replica | None:
        """Mark a replica as draining. None: it is so already, or gone."""
        replica = self.replicas.get(replica_id)
        if not replica or not replica.active:
            return None
        self._forget(replica_id)
        self._move(replica, ReplicaState.DRAINING, why)
        return replica

    def gone(self, replica_id: str, why: str) -> None:
        """A replica is no longer there. Its slot rests until nothing counts in it any more."""
        if replica := self.replicas.pop(replica_id, None):
            self._forget(replica_id)
            self._move(replica, ReplicaState.GONE, why)
            self._around.slots.give_back(replica.slot)

    def _has_started_up(self, replica: Replica, reason: str) -> None:
        """From now on it counts whether it is alive, and whether it is ready."""
        replica.started_up = True
        settings, vital, (name, address) = self.settings, self._around.vital, (replica.id, replica.instance.address)
        if settings.liveness and vital:
            vital.watch(self._service, name, address, settings.liveness, good=True)
        if settings.startup:
            replica.up_s = self._around.clock()
            self._around.prober.watch(self._service, name, address, settings.readiness)
        else:
            self._move(replica, ReplicaState.READY, reason)

    def _forget(self, replica_id: str) -> None:
        self._around.prober.forget(self._service, replica_id)
        if self._around.vital:
            self._around.vital.forget(self._service, replica_id)

    def retreat(self, replica_id: str, why: str) -> Replica | None:
        """Take a replica that is about to be restarted out of the table, and ask it nothing. None: it is gone, or going."""
        replica = self.replicas.get(replica_id)
        if not replica or not replica.active:
            return None
        self._forget(replica_id)
        if replica.state is ReplicaState.READY:
            self._move(replica, ReplicaState.EJECTED, why)
        replica.detail = why
        return replica

    def resume(self, replica: Replica) -> None:
        """Ask a replica again that was to be restarted, if it is there and nothing has asked it since."""
        if replica.active and replica.id in self.replicas and replica.state is ReplicaState.EJECTED:
            self._watch(replica)

    def _update(self, replica: Replica, instance: Instance) -> None:
        entry, before, replica.instance = replica.entry(), replica.instance, instance
        if before == instance or not replica.active:
            return
        if instance.status is InstanceStatus.BACKOFF:
            self._crashed(replica, before)
        elif instance.status is InstanceStatus.STOPPING:
            self.drain(replica.id, "is being stopped from outside")
        elif _life(before) != _life(instance):
            self._started_again(replica)
        if replica.entry() != entry:
            self._around.workers.publish()

    def _crashed(self, replica: Replica, before: Instance) -> None:
        """Out of READY at once: no probe has to find out what the engine knows."""
        self._forget(replica.id)
        if before.status is not InstanceStatus.BACKOFF and not replica.reviving:
            self._tell("crashed", replica.id, replica.instance.detail)
        if replica.state is ReplicaState.READY:
            self._move(replica, ReplicaState.EJECTED, replica.instance.detail)
        replica.detail, replica.proven = replica.instance.detail, False
        if replica.instance.crash_looping and not before.crash_looping:
            self._tell("crash_loop", replica.id, "crashes again and again; see its log")

    def _started_again(self, replica: Replica) -> None:
        if replica.state is ReplicaState.READY:
            self._move(replica, ReplicaState.EJECTED, "was started again")
        replica.started_s, replica.proven, replica.complaint = self._around.clock(), False, ""
        self._forget(replica.id)
        self._watch(replica)

    def _watch(self, replica: Replica) -> None:
        def objection() -> str:
            return "" if self._engine.owns_listener(replica.id) else "another program answers at its address"

        if replica.instance.status is InstanceStatus.RUNNING:
            spec, address = self.settings.startup or self.settings.readiness, replica.instance.address
            replica.started_up = False
            self._around.prober.watch(self._service, replica.id, address, spec, objection)

    def _move(self, replica: Replica, state: ReplicaState, why: str) -> None:
        replica.move(state, self._around.clock(), why)
        if state is ReplicaState.READY:
            replica.ready_at_s = self._ready_before.pop(replica.id, self._around.wall())
        self._tell(state.value, replica.id, why)
        self._around.workers.publish()


def _place(instance: Instance) -> str:
    return f"at {instance.address}" if instance.address else instance.detail or "has no address yet"


def _life(instance: Instance) -> tuple[InstanceStatus, int, str, int]:
    """What is different after an instance was started again."""
    return instance.status, instance.restarts, instance.address, instance.pid
