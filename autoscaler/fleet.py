"""Makes it so: starts, drains and stops replicas of one service until what is there is what is wanted.

Invariants: nothing is started or stopped before the engine has said once what is there (it may be from an earlier life); no replica
is stopped before its drain has ended; a draining one is never taken back (its workers may have begun to close what they kept open: a
new one is started instead); what is wanted is compared with what is there whenever either changes, so that nothing depends on an
event that might be missed.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from autoscaler.cluster.engine import Engine, EngineError, Instance, NotHeardYet
from autoscaler.drain import until_idle
from autoscaler.reconcile import Standing, steps
from autoscaler.registry import FleetSettings, Registry, Surroundings, Tell
from autoscaler.replica import Replica
from autoscaler.tasks import Tasks

REVIVED_SHARE = 0.25  # of the replicas that may be restarted at once since they are not alive, but always one
REVIVE_DELAY_S = 10.0  # before a replica is restarted so a second time; doubles up to REVIVE_DELAY_MAX_S
REVIVE_DELAY_MAX_S = 300.0
REVIVE_DRAIN_S = 5.0  # for what is in flight on a replica that is not alive: it may be slow and not dead
STARTS_AT_ONCE = 8  # per service: an application's first seconds are its most expensive ones
RETRY_S = 1.0  # after the engine failed; doubles up to RETRY_MAX_S
RETRY_MAX_S = 30.0
NOBODY: Mapping[str, float] = {}


class Fleet:
    """The replicas of one service. `desired` is None until `scale_to`, and for replicas that are only found, never started.

    `taken_over(count)` is called once: so many replicas were there when the engine was first heard of. ready_before: as in a registry.
    """

    def __init__(
        self,
        settings: FleetSettings,
        engine: Engine,
        around: Surroundings,
        tell: Tell,
        taken_over: Callable[[int], None] = lambda count: None,
        ready_before: Mapping[str, float] = NOBODY,
    ) -> None:
        self.service = settings.spec.service
        self.registry = Registry(settings, engine, around, tell, ready_before)
        self.engine = engine
        self.desired: int | None = None
        self.trouble = ""  # why the last start failed, in words, until one succeeds
        self._around = around
        self._tell = tell
        self._tasks = Tasks()
        self._stale = asyncio.Event()
        self._changed = asyncio.Event()
        self._places = asyncio.Semaphore(STARTS_AT_ONCE)
        self._starting = 0
        self._failures = 0
        self._retry_at_s = 0.0
        self._known = False
        self._leaving = False
        self._taken_over = taken_over
        self._lifeless: dict[str, str] = {}  # who is to be restarted, and why
        self._revive_at_s: dict[str, float] = {}  # when at the earliest

    @property
    def known(self) -> bool:
        """Whether the engine has said once what is there."""
        return self._known

    def open(self) -> None:
        """Begin to follow the engine."""
        self._tasks.spawn(self._follow(), f"fleet {self.service}")
        self.look_again()

    def look_again(self) -> None:
        """The engine says that its list has changed."""
        self._stale.set()

    def tick(self) -> None:
        """Say what only the passing of time shows. About once a second."""
        self.registry.complain()
        self._revive_some()
        if any(replica.instance.detail for replica in self.registry.active()):
            self.look_again()  # such words age: "starts again in 4 s"

    def scale_to(self, desired: int) -> None:
        """Want so many replicas. Returns at once. Called again with the same number, it checks for replicas that are late."""
        self.desired = desired
        self._reconcile()

    def change(self, settings: FleetSettings) -> None:
        """Other settings: replicas of another command or environment are replaced one by one, the rest applies in place."""
        self.registry.change(settings)
        self._reconcile()

    def verdict(self, replica_id: str, ready: bool, reason: str) -> None:
        """The probes' verdict on a replica has changed."""
        self.registry.verdict(replica_id, ready, reason)
        self._reconcile()

    def lifeless(self, replica_id: str, reason: str) -> None:
        """The liveness probes' verdict: it is to be restarted, as soon as that is its turn."""
        replica = self.registry.replicas.get(replica_id)
        if not replica or not replica.active or replica_id in self._lifeless:
            return
        if not self._ours(replica):
            self._tell("not_alive", replica_id, f"{reason}; it is not restarted, since it was not started here")
            return
        self._tell("not_alive", replica_id, reason)
        self._lifeless[replica_id] = reason
        self._revive_some()

    def _revive_some(self) -> None:
        """Restart who is not alive: a part of them at a time, and each one less and less often."""
        active = self.registry.active()
        room = max(1, int(len(active) * REVIVED_SHARE)) - sum(replica.reviving for replica in active)
        for replica in active:
            reason = self._lifeless.get(replica.id)
            if room > 0 and reason and not replica.reviving and self._around.clock() >= self._revive_at_s.get(replica.id, 0.0):
                room -= 1
                replica.reviving = True
                self._tasks.spawn(self._revive(replica, reason), f"revive {replica.id}")

    async def _revive(self, replica: Replica, reason: str) -> None:
        """Out of the table, a moment for what is in flight, and a new life under the same id."""
        self.registry.retreat(replica.id, f"is restarted: {reason}")
        try:
            limit_s = min(REVIVE_DRAIN_S, self.registry.settings.drain_timeout_s)
            await until_idle(self._around.workers, replica.slot, self._around.workers.publish(), limit_s, self._around.clock)
            await self.engine.restart(replica.id)
        except EngineError as error:
            self._tell("restart_failed", replica.id, str(error))
        else:
            self._tell("restarted", replica.id, f"was not alive: {reason}")
        finally:
            delay_s = min(REVIVE_DELAY_S * 2.0**replica.revived, REVIVE_DELAY_MAX_S)
            replica.revived += 1
            self._revive_at_s[replica.id] = self._around.clock() + delay_s
            replica.reviving = False
            self._lifeless.pop(replica.id, None)
            self.registry.resume(replica)
            self._reconcile()

    def detail(self, replica: Replica) -> str:
        """Why a replica is as it is, in words: while it is not READY, what the last probe found says more than its last change, and
        how the engine fares with one that crashes again and again says more than that."""
        if replica.crash_looping:
            return f"crash loop: {replica.instance.detail}"
        return self._around.prober.reason(self.service, replica.id) if replica.expected else replica.detail

    def doubt(self, replica_id: str) -> None:
        """A worker could not connect to the replica."""
        self._around.prober.probe_now(self.service, replica_id)
        self.engine.hurry(self.service)

    def drain(self, replica_id: str, why: str) -> None:
        """Drain a replica and stop it. Draining already, or gone: nothing to do."""
        self._begin_drain(replica_id, why)
        self._reconcile()

    async def empty(self) -> None:
        """The service goes away: give up what belongs to others, drain and stop what was started. Returns when none is left."""
        self.desired, self._known, self._leaving = 0, True, True
        for replica in self.registry.active():
            if self._ours(replica):
                self._begin_drain(replica.id, "the service was removed")
            else:
                self.registry.gone(replica.id, "the service was removed")
        while self.registry.replicas or self._starting:
            self._changed.clear()
            await self._changed.wait()
        await self.close()

    async def stop(self, grace_s: float) -> None:
        """Stop what was started and does not outlive this program, without draining: the workers have ended."""
        await self.close()
        names = [] if self.engine.outlives else [name for name, replica in self.registry.replicas.items() if self._ours(replica)]
        results = await asyncio.gather(*(self.engine.stop(name, grace_s) for name in names), return_exceptions=True)
        for name, result in zip(names, results, strict=True):
            if isinstance(result, BaseException):
                self._tell("stop_failed", name, str(result))

    async def close(self) -> None:
        """Do nothing any more; the replicas stay as they are."""
        await self._tasks.close()
        for replica_id in self.registry.replicas:
            self._around.prober.forget(self.service, replica_id)

    async def _follow(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                self.registry.see(self._relevant(await self.engine.list(self.service)))
            except NotHeardYet:
                continue
            except EngineError as error:
                self._tell("engine_failed", "", f"{error}; the replicas known are kept as they are")
            else:
                self._note_that_it_is_known()
            self._reconcile()

    def _relevant(self, listed: Sequence[Instance]) -> Sequence[Instance]:
        """A service that goes away takes nothing up any more."""
        return [instance for instance in listed if instance.id in self.registry.replicas] if self._leaving else listed

    def _note_that_it_is_known(self) -> None:
        if not self._known:
            self._known = True
            self._taken_over(len(self.registry.active()))

    def _ours(self, replica: Replica) -> bool:
        """Whether it is there because of us, and so may be stopped when nobody wants it."""
        return self.engine.can_scale and not replica.instance.foreign

    def _reconcile(self) -> None:
        self._changed.set()
        if self.desired is None or not self.engine.can_scale or not self._known:
            return
        order = self.engine.removal_order(self.service)
        if self._leaving and order is not None:
            return
        standings = [self._standing(replica) for replica in self.registry.active()]
        wanted = steps(self.desired, standings, self._starting, order)
        if self._around.clock() >= self._retry_at_s:
            self._start(wanted.start)
        for replica_id, why in wanted.drain:
            self._begin_drain(replica_id, why)

    def _standing(self, replica: Replica) -> Standing:
        return Standing(
            id=replica.id,
            state=replica.state,
            in_flight=self._around.workers.in_flight(replica.slot),
            since_s=replica.started_s,
            outdated=replica.instance.outdated or replica.version != self.registry.settings.spec.version,
            late=self._late(replica),
            foreign=replica.instance.foreign,
        )

    def _late(self, replica: Replica) -> str:
        """One that crashed is not late: the engine starts it again, with growing delays."""
        settings = self.registry.settings
        spec = settings.readiness if replica.started_up or not settings.startup else settings.startup
        limit_s, since_s = spec.start_timeout_s, max(replica.started_s, replica.up_s)
        if not replica.expected or replica.reviving or self._around.clock() - since_s < limit_s:
            return ""
        if spec is settings.startup:
            return f"has not started within {limit_s:g} s: {self._around.prober.reason(self.service, replica.id)}"
        return f"was not ready within {limit_s:g} s: {self._around.prober.reason(self.service, replica.id)}"

    def _start(self, count: int) -> None:
        self._starting += count
        for _ in range(count):
            self._tasks.spawn(self._start_one(), f"start {self.service}")

    async def _start_one(self) -> None:
        spec = self.registry.settings.spec
        try:
            async with self._places:
                instance = await self.engine.start(spec)
        except EngineError as error:
            self._start_failed(error)
        else:
            self._failures, self.trouble = 0, ""
            self.registry.admit(instance, spec.version)
        finally:
            self._starting -= 1
            self._changed.set()

    def _start_failed(self, error: EngineError) -> None:
        delay_s = min(RETRY_S * 2**self._failures, RETRY_MAX_S)
        self._failures += 1
        self._retry_at_s = self._around.clock() + delay_s
        self.trouble = str(error)
        self._tell("start_failed", "", f"{error}; tried again in {delay_s:g} s")

    def _begin_drain(self, replica_id: str, why: str) -> None:
        if replica := self.registry.drain(replica_id, why):
            self._tasks.spawn(self._drain(replica), f"drain {replica_id}")

    async def _drain(self, replica: Replica) -> None:
        began_s = self._around.clock()
        generation = self._around.workers.publish()
        timeout_s = self.registry.settings.drain_timeout_s
        left = await until_idle(self._around.workers, replica.slot, generation, timeout_s, self._around.clock)
        if left:
            self._tell("drain_timeout", replica.id, f"{left} requests still in flight after {timeout_s:g} s are cut")
        else:
            self._tell("drained", replica.id, f"nothing in flight any more after {self._around.clock() - began_s:.2f} s")
        await self._stop(replica)
        self.registry.gone(replica.id, "has stopped")
        self._reconcile()

    async def _stop(self, replica: Replica) -> None:
        """Until the engine has done it: a replica that nobody wants must not stay for ever."""
        delay_s = RETRY_S
        while True:
            try:
                return await self.engine.stop(replica.id, self.registry.settings.spec.stop_grace_s)
            except EngineError as error:
                self._tell("stop_failed", replica.id, f"{error}; tried again in {delay_s:g} s")
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RETRY_MAX_S)
