"""A running service in virtual time, whose engine tells what its replicas use: who is asked for, and what is shown of it."""

import asyncio
import random
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

import pytest

from autoscaler.cluster.engine import Usage
from autoscaler.registry import Surroundings
from autoscaler.rules import MetricRule, MetricType, Rules, TargetType
from autoscaler.slots import Slots
from balancer.hotpath import board
from balancer.scoreboard import ReplicaReading, ServiceReading
from balancer.table import ReplicaState
from probes.prober import Prober
from probes.spec import ProbeSpec
from probes.verdict import Outcome
from sidecar.config import Service
from sidecar.data_path import DataPath
from sidecar.running import Running
from sidecar.status import service_view
from tests.fleet.yard import YardEngine, YardWorkers
from tests.support import in_virtual_time

READY_AFTER_S = 20.0
BUSY = 0.8  # of what a replica may use, from its start on
CPU = MetricRule(MetricType.CPU, 0.7)
CALM = MetricRule(MetricType.CPU, 5.0)  # never asks for more
CORES = MetricRule(MetricType.CPU, 5.0, target_type=TargetType.AVERAGE_VALUE)


class MeasuringEngine(YardEngine):
    """Every replica uses as much from its first moment on. asked: for which, since the test last emptied it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.asked: set[str] = set()

    def usage(self, instance_id: str) -> Usage | None:
        self.asked.add(instance_id)
        used_s = self.clock() - self.instances[instance_id].since_s
        return Usage(self.clock(), 2.0 * BUSY * used_s, 2.0, 300_000_000, 1_000_000_000)


class Idle(YardWorkers):
    """A data path on which nothing happens."""

    fresh = True
    in_charge = True

    def counted(self, slot: int) -> ReplicaReading:
        return self.replica(slot)

    def service(self, slot: int) -> ServiceReading:
        return ServiceReading(0, 0, 0, 0, 0, 0, 0, (0,) * 5, 0)

    def cells(self, slot: int) -> "array[int]":
        return self.replica(slot).cells()

    def replica(self, slot: int) -> ReplicaReading:
        return ReplicaReading(0, 0, (0,) * 5, 0, 0, 0, 0, 0, 0, 0, 0, (0,) * board.BUCKETS)


class Measured:
    """The service "web" with two replicas, each READY a while after its start."""

    def __init__(self, *metrics: MetricRule) -> None:
        self.clock = asyncio.get_running_loop().time
        self.engine = MeasuringEngine(self.clock)
        self.prober = Prober(lambda _, *verdict: self.running.verdict(*verdict), random.Random(1), http=self._probe)
        idle = Idle()
        around = Surroundings(self.prober, idle, Slots("replicas", 9, lambda slot: False), self.clock, self.clock)
        readiness = ProbeSpec(path="/", start_timeout_s=60.0)
        config = Service("web", (), ("serve", "{port}"), rules=Rules(2, 9, metrics), readiness=readiness)
        self.running = Running(config, 0, self.engine, around, cast(DataPath, idle), lambda *told: None)

    async def passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.running.tick()
            await asyncio.sleep(1)

    def states(self) -> list[ReplicaState]:
        return [replica.state for replica in self.running.replicas]

    async def _probe(self, address: str, spec: ProbeSpec) -> Outcome:
        (instance,) = [each for each in self.engine.instances.values() if each.address == address]
        return Outcome(self.clock() - instance.since_s >= READY_AFTER_S, "asked")


def played(story: Callable[[Measured], Awaitable[None]], *metrics: MetricRule) -> None:
    async def play() -> None:
        measured = Measured(*metrics)
        await measured.engine.open(lambda service: measured.running.fleet.look_again())
        measured.running.open()
        await story(measured)
        await measured.running.fleet.close()
        await measured.prober.close()

    in_virtual_time(play)


def test_replicas_are_measured_from_when_they_are_ready() -> None:
    async def story(measured: Measured) -> None:
        await measured.passes(15)
        assert measured.states() == [ReplicaState.STARTING] * 2
        assert measured.engine.asked == set()
        await measured.passes(30)
        assert set(measured.engine.asked) == {replica.id for replica in measured.running.replicas}
        decision = measured.running.scaler and measured.running.scaler.decision
        assert decision
        assert decision.recommended[0].sample is not None

    played(story, CPU)


@pytest.mark.parametrize("metric", [MetricType.CONCURRENCY, MetricType.LATENCY])
def test_the_engine_is_not_asked_unless_a_rule_needs_it(metric: MetricType) -> None:
    async def story(measured: Measured) -> None:
        await measured.passes(40)
        assert measured.states() == [ReplicaState.READY] * 2
        assert measured.engine.asked == set()

    played(story, MetricRule(metric, 1.0))


def test_what_replicas_use_is_shown() -> None:
    async def story(measured: Measured) -> None:
        await measured.passes(50)
        replica = service_view(measured.running, measured.clock(), "").replicas[0]
        assert replica.cpu == pytest.approx(BUSY)
        assert replica.usage
        assert (replica.usage.cpus, replica.usage.memory) == (2.0, 300_000_000)

    played(story, CPU)


@pytest.mark.parametrize(
    ("request_cpus", "request_memory", "metric", "sample"),
    [
        pytest.param(1.0, 0, CALM, 1.6, id="1.6 cores of a request of 1, above the limit's 80%"),
        pytest.param(0.0, 0, CALM, 0.8, id="of the limit where there is none"),
        pytest.param(0.0, 400_000_000, MetricRule(MetricType.MEMORY, 0.5), 0.75, id="memory has a request of its own"),
        pytest.param(1.0, 0, CORES, 1.6, id="an average value is in cores, whatever was requested"),
    ],
)
def test_shares_are_of_the_request(request_cpus: float, request_memory: int, metric: MetricRule, sample: float) -> None:
    async def story(measured: Measured) -> None:
        measured.running.change(replace(measured.running.config, request=(request_cpus, request_memory)))
        await measured.passes(90)
        decision = measured.running.scaler and measured.running.scaler.decision
        assert decision
        assert decision.recommended[0].sample == pytest.approx(sample)
        replica = service_view(measured.running, measured.clock(), "").replicas[0]
        assert replica.usage
        assert (replica.usage.cpus, replica.usage.memory_limit) == (2.0, 1_000_000_000)

    played(story, metric)


def test_to_be_looked_at_is_no_reason_to_ask_the_engine() -> None:
    async def story(measured: Measured) -> None:
        await measured.passes(40)
        replica = service_view(measured.running, measured.clock(), "").replicas[0]
        assert (replica.usage, replica.cpu) == (None, None)
        assert measured.engine.asked == set()

    played(story, MetricRule(MetricType.CONCURRENCY, 10.0))
