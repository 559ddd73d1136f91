"""A Control with made-up replicas: the admin API and the command line are tested on it for what no real part shows on demand."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from autoscaler.cluster.engine import Usage
from autoscaler.decision import Decision, Recommendation, Stage
from autoscaler.explanation import as_json
from autoscaler.rules import MetricRule, MetricType, Pause
from balancer.hotpath import board
from balancer.hotpath.row import bucket
from balancer.scoreboard import ReplicaReading, ServiceReading, WorkerReading
from sidecar.views import (
    NotAProxy,
    NotKept,
    NotScalable,
    Overview,
    ProxyControl,
    ReplicaView,
    ServiceView,
    SignalView,
    UnknownName,
    WorkerView,
)

T = TypeVar("T")


def reading(ok: int = 0, failed: int = 0, latency_us: int = 5_000, in_flight: int = 0) -> ReplicaReading:
    """A replica that gave so many 2xx and 5xx answers, each after latency_us."""
    latency = [0] * board.BUCKETS
    latency[bucket(latency_us)] = ok + failed
    return ReplicaReading(
        in_flight=in_flight,
        busy_us=(ok + failed) * latency_us,
        status=(0, ok, 0, 0, failed),
        connect_errors=0,
        broken=failed,
        timeouts=0,
        bytes_in=100 * ok,
        bytes_out=10 * ok,
        latency_sum_us=(ok + failed) * latency_us,
        pooled=1,
        connects=1,
        latency=tuple(latency),
    )


def replica(
    name: str, cells: ReplicaReading | None = None, state: str = "ready", usage: Usage | None = None, cpu: float | None = None
) -> ReplicaView:
    return ReplicaView(name, state, "127.0.0.1:8001", 1, 12.0, 4711, 0, "", cells or reading(), usage, cpu)


def service(name: str = "shop", *replicas: ReplicaView, scalable: bool = True) -> ServiceView:
    return ServiceView(
        name=name,
        engine="processes" if scalable else "fixed",
        scalable=scalable,
        routes=("/",),
        current=len(replicas),
        ready=sum(one.state == "ready" for one in replicas),
        desired=len(replicas),
        min_replicas=1,
        max_replicas=8,
        override=None,
        dry_run=False,
        pause=Pause.NONE,
        load=3.5,
        rps=120.0,
        latency_p50_s=0.004,
        latency_p95_s=0.012,
        last_decision="keep 2: concurrency 1.8 of 10 per replica",
        conditions={},
        replicas=replicas,
        reading=ServiceReading(0, 0, 0, 0, 0, 2, 0, (0, 0, 0, 0, 0), 0),
    )


DECISION = Decision(
    now_s=100.0,
    service="shop",
    current=2,
    ready=2,
    previous=2,
    desired=3,
    recommended=(
        Recommendation(
            MetricRule(MetricType.CONCURRENCY, 10.0), 14.25, 10.0, 1.425, 3, "above_target", "28.5 requests for 2 replicas"
        ),
        Recommendation(MetricRule(MetricType.LATENCY, 0.3), 0.31, 0.3, 1.03, 2, "within_tolerance", "31 ms over is near enough"),
    ),
    stages=(
        Stage("recommend", 2, 3, "above_target", "28.5 requests at once, which is more than two replicas are meant to carry"),
        Stage(
            "limit",
            3,
            3,
            "none",
            "a long reason that says more of the policies than this line has room for in any case",
        ),
    ),
)


class Streamed(Generic[T]):
    """What followers get: `put` gives it to all of them, from the moment they first ask (as generators do)."""

    def __init__(self) -> None:
        self.queues: list[asyncio.Queue[T]] = []

    def put(self, item: T) -> None:
        for queue in self.queues:
            queue.put_nowait(item)

    async def follow(self) -> AsyncIterator[T]:
        queue: asyncio.Queue[T] = asyncio.Queue()
        self.queues.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self.queues.remove(queue)


class FakeControl:
    """What a test puts in is what is shown; what is asked for is written down in `asked`."""

    def __init__(self, *services: ServiceView) -> None:
        self.shown = {one.name: one for one in services}
        self.is_ready = True
        self.decision = DECISION
        self.decided_at = 1_000_000_000.0
        self.as_proxy: ProxyControl | None = None
        self.reload_errors: list[str] = []
        self.asked: list[tuple[Any, ...]] = []
        self.lines = ["shop-1 | started", "shop-1 | GET /"]
        self.past: list[dict[str, Any]] = []
        self.new_lines: Streamed[str] = Streamed()
        self.new_events: Streamed[dict[str, Any]] = Streamed()

    def happen(self, message: str, kind: str = "decision") -> None:
        event = {"id": len(self.past) + 1, "at": 1.0, "kind": kind, "service": "shop", "replica": "", "message": message}
        self.past.insert(0, event)
        self.new_events.put(event)

    def proxy(self) -> ProxyControl:
        if self.as_proxy is None:
            raise NotAProxy("this is no proxy of another autoscaler")
        return self.as_proxy

    def ready(self) -> bool:
        return self.is_ready

    def overview(self) -> Overview:
        worker = WorkerView(0, 100, 1, 7, WorkerReading(100, 7, 3, 50, 1, 2, 4, 5, 6))
        return Overview("0.1.0", "compiled", 99, 1000.0, "ecluse.yaml", 7, ("127.0.0.1:8080",), (worker,), 2, 1, "")

    def services(self) -> Sequence[ServiceView]:
        return list(self.shown.values())

    def service(self, name: str) -> ServiceView:
        if name not in self.shown:
            raise UnknownName(f"no service {name!r}; there are: {', '.join(self.shown)}")
        return self.shown[name]

    def explain(self, name: str) -> dict[str, Any]:
        self._scalable(name)
        return as_json(self.decision)

    async def snapshot(self, name: str) -> dict[str, Any]:
        self._scalable(name)
        return {"now_s": 1.0, "service": name, "desired": 2, "replicas": []}

    async def explain_at(self, name: str, at_s: float) -> dict[str, Any]:
        self._scalable(name)
        self.asked.append(("explain_at", name, at_s))
        if at_s < self.decided_at:
            raise NotKept(f"no decision of {name} from then is kept")
        return {"at": self.decided_at, "changed": True, **as_json(self.decision)}

    async def past_decisions(self, name: str, since_s: float, until_s: float, changes: bool, limit: int) -> list[dict[str, Any]]:
        self._scalable(name)
        self.asked.append(("past_decisions", name, since_s, until_s, changes, limit))
        return [{"at": self.decided_at, "changed": True, **as_json(self.decision)}]

    def decisions(self) -> dict[tuple[str, str], int]:
        return Counter({("shop", "within_tolerance"): 9, ("shop", "scale_up"): 2})

    def pause(self, name: str, what: Pause) -> None:
        self.service(name)
        self.asked.append(("pause", name, what.value))
        self.shown[name] = replace(self.shown[name], pause=what)

    def scale(self, name: str, replicas: int | None) -> None:
        shown = self._scalable(name)
        if replicas is not None and not shown.min_replicas <= replicas <= shown.max_replicas:
            raise ValueError(f"{replicas} is not between 1 and 8")
        self.asked.append(("scale", name, replicas))
        self.shown[name] = replace(shown, override=replicas)

    def push(self, name: str, signal: str, value: float) -> None:
        shown = self._scalable(name)
        if signal != "jobs":
            raise UnknownName(f"no signal {signal!r} is pushed to {name}; there are: jobs")
        self.asked.append(("push", name, signal, value))
        self.shown[name] = replace(shown, signals=(SignalView("jobs", "external", value, 0.0, "", 2),))

    def drain(self, name: str, replica: str) -> None:
        if replica not in [one.id for one in self.service(name).replicas]:
            raise UnknownName(f"{name} has no replica {replica!r}")
        self.asked.append(("drain", name, replica))

    async def reload(self) -> list[str]:
        self.asked.append(("reload",))
        return self.reload_errors

    def logs(self, name: str, lines: int) -> Sequence[str]:
        return self.lines[-lines:] if lines else []

    def follow_logs(self, name: str) -> AsyncIterator[str]:
        return self.new_lines.follow()

    def events(self, limit: int) -> Sequence[dict[str, Any]]:
        return self.past[:limit]

    def follow_events(self) -> AsyncIterator[dict[str, Any]]:
        return self.new_events.follow()

    def _scalable(self, name: str) -> ServiceView:
        shown = self.service(name)
        if not shown.scalable:
            raise NotScalable(f"the replicas of {name} are fixed endpoints")
        return shown
