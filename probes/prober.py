"""Keeps asking every replica how it is, each in a task of its own, and tells when a verdict changes.

Invariants: at most one probe of a replica is under way, at most `concurrency` over all; the next one is due an interval after
the last was due, not after it ended, so that slow answers cause no drift; a replica that is forgotten gives no verdict any more.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from probes.grpc import probe_grpc
from probes.http import HttpProbe
from probes.spec import Kind, ProbeSpec
from probes.tcp import probe_tcp
from probes.verdict import Health, Outcome, judge

Ask = Callable[[str, ProbeSpec], Awaitable[Outcome]]
Execute = Callable[[str, str, ProbeSpec], Awaitable[Outcome]]
Verdict = Callable[[str, str, bool, str], None]
Objection = Callable[[], str]

CONCURRENCY = 256
JITTER = 0.1  # share of the interval, either way: replicas started together shall not be probed together for ever
EAGER_S = 0.1  # between probes of a replica that was never ready
PATIENT_S = 0.25  # the same, once it has taken longer than EAGER_PROBES of them
EAGER_PROBES = 30
LATE_S = 0.25  # beyond a probe's deadline: then this process was stopped or overloaded, and the failure may be our own
GAP_S = 0.05  # between any two probes of one replica, however often `probe_now` is called


@dataclass(slots=True)
class _Watched:
    service: str
    replica: str
    address: str
    spec: ProbeSpec
    objection: Objection
    health: Health = field(default_factory=Health)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    distrusted_until_s: float = 0.0
    asked: int = 0


class Prober:
    """Watches replicas. `on_verdict(service, replica, ready, reason)` is called on the event loop, only when ready changes.

    execute(service, replica, spec): runs an exec probe's command in a replica.
    """

    def __init__(
        self,
        on_verdict: Verdict,
        rng: random.Random,
        concurrency: int = CONCURRENCY,
        http: Ask | None = None,
        execute: Execute | None = None,
    ) -> None:
        self._on_verdict = on_verdict
        self._rng = rng
        self._places = asyncio.Semaphore(concurrency)
        self._probe = HttpProbe()
        self._http = http or self._probe.ask
        self._execute = execute or _not_here
        self._watched: dict[tuple[str, str], tuple[_Watched, asyncio.Task[None]]] = {}
        self._closed = False

    def watch(
        self, service: str, replica: str, address: str, spec: ProbeSpec, objection: Objection = str, good: bool = False
    ) -> None:
        """Begin to probe, at once. What was known of the replica before is forgotten. good: it is ready until failures say otherwise.

        objection: asked when a probe would make the replica ready for the first time; not "" says in words why it must not (a
        stranger answers on its port), and counts as a failure.
        """
        self.forget(service, replica)
        if self._closed:
            return
        watched = _Watched(service, replica, address, spec, objection)
        watched.health = Health(ready=True) if good else watched.health
        task = asyncio.create_task(self._keep_asking(watched), name=f"probe {service}/{replica}")
        self._watched[service, replica] = (watched, task)

    def forget(self, service: str, replica: str) -> None:
        """No more probes of it, and no more verdicts."""
        _, task = self._watched.pop((service, replica), (None, None))
        if task:
            task.cancel()

    def change(self, service: str, replica: str, spec: ProbeSpec) -> None:
        """Ask differently from the next probe on. What is known of the replica stays."""
        watched, _ = self._watched.get((service, replica), (None, None))
        if watched:
            watched.spec = spec

    def probe_now(self, service: str, replica: str) -> None:
        """Somebody has reason to doubt the replica: do not wait for the interval."""
        watched, _ = self._watched.get((service, replica), (None, None))
        if watched:
            watched.hurry.set()

    def distrust(self, service: str, replica: str, until_s: float, reason: str) -> None:
        """Its answers were no good, whatever the probes say: unready at once, and until then (CLOCK_MONOTONIC). Afterwards it needs as
        many passes as after failed probes."""
        watched, _ = self._watched.get((service, replica), (None, None))
        if watched and watched.health.ready:
            watched.distrusted_until_s = until_s
            watched.health = Health(False, watched.health.passing, 0, reason)
            self._on_verdict(service, replica, False, reason)

    def pardon(self, service: str, replica: str) -> None:
        """What its answers were is forgotten: ready at once, if the last probe of it passed."""
        watched, _ = self._watched.get((service, replica), (None, None))
        if watched and watched.distrusted_until_s > asyncio.get_running_loop().time():
            watched.distrusted_until_s = 0.0
            if watched.health.passing:
                reason = "is better than none: too few others are ready"
                watched.health = Health(True, True, 0, reason)
                self._on_verdict(service, replica, True, reason)

    def reason(self, service: str, replica: str) -> str:
        """What the last probe found, in words."""
        watched, _ = self._watched.get((service, replica), (None, None))
        return watched.health.reason if watched else "not probed"

    async def close(self) -> None:
        """Forget everything, and watch nothing any more."""
        self._closed = True
        tasks = [task for _, task in self._watched.values()]
        for service, replica in list(self._watched):
            self.forget(service, replica)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._probe.close()

    async def _keep_asking(self, watched: _Watched) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            began = loop.time()
            watched.hurry.clear()
            self._learn(watched, await self._ask(watched))
            due = max(due + self._pause_s(watched), loop.time())
            await _until(due, watched.hurry)
            due = min(due, loop.time())
            await asyncio.sleep(began + GAP_S - loop.time())

    async def _ask(self, watched: _Watched) -> Outcome:
        async with self._places:
            outcome = await self._ask_fairly(watched)
        first = outcome.passed and watched.health.ready is None
        return Outcome(False, reason) if first and (reason := watched.objection()) else outcome

    async def _ask_fairly(self, watched: _Watched) -> Outcome:
        """Asks once more where the deadline passed while this process did not run: that says nothing about the replica."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        outcome = await self._ask_once(watched)
        late = loop.time() - began > watched.spec.timeout_s + LATE_S
        return await self._ask_once(watched) if late and not outcome.passed else outcome

    async def _ask_once(self, watched: _Watched) -> Outcome:
        watched.asked += 1
        spec, address = watched.spec, watched.spec.address(watched.address)
        match spec.kind:
            case Kind.HTTP:
                return await self._http(address, spec)
            case Kind.GRPC:
                return await probe_grpc(address, spec)
            case Kind.EXEC:
                return await self._execute(watched.service, watched.replica, spec)
        return await probe_tcp(address, spec.timeout_s)

    def _learn(self, watched: _Watched, outcome: Outcome) -> None:
        before = watched.health.ready
        if asyncio.get_running_loop().time() < watched.distrusted_until_s:
            watched.health = Health(before, outcome.passed, 0, watched.health.reason)
            return
        watched.health = judge(watched.health, outcome, watched.spec)
        if watched.health.ready is not None and watched.health.ready != before:
            self._on_verdict(watched.service, watched.replica, watched.health.ready, watched.health.reason)

    def _pause_s(self, watched: _Watched) -> float:
        interval_s = watched.spec.interval_s
        if watched.health.ready is None:
            return min(interval_s, EAGER_S if watched.asked < EAGER_PROBES else PATIENT_S)
        return interval_s * self._rng.uniform(1 - JITTER, 1 + JITTER)


async def _not_here(service: str, replica: str, spec: ProbeSpec) -> Outcome:
    return Outcome(False, "commands cannot be run in replicas here")


async def _until(due: float, hurry: asyncio.Event) -> None:
    try:
        async with asyncio.timeout_at(due):
            await hurry.wait()
    except TimeoutError:
        return
