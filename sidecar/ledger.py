"""What a service's replicas have counted in all, those that are gone included, so that its totals never go down.

The views forget a replica once it is gone, so the ledger has to have seen it: whoever owns one calls `observe` about once a
second. What a replica counted after it was last seen is missing from the totals, which is at most that second.
"""

from collections.abc import Sequence
from typing import Final

from balancer.hotpath import board
from balancer.scoreboard import ReplicaReading
from sidecar.views import ServiceView

NOTHING: Final = ReplicaReading(0, 0, (0,) * 5, 0, 0, 0, 0, 0, 0, 0, 0, (0,) * board.BUCKETS)


def add(one: ReplicaReading, other: ReplicaReading) -> ReplicaReading:
    """The sum, cell by cell."""
    return ReplicaReading(
        in_flight=one.in_flight + other.in_flight,
        busy_us=one.busy_us + other.busy_us,
        status=_five(one.status, other.status),
        connect_errors=one.connect_errors + other.connect_errors,
        broken=one.broken + other.broken,
        timeouts=one.timeouts + other.timeouts,
        bytes_in=one.bytes_in + other.bytes_in,
        bytes_out=one.bytes_out + other.bytes_out,
        latency_sum_us=one.latency_sum_us + other.latency_sum_us,
        pooled=one.pooled + other.pooled,
        connects=one.connects + other.connects,
        latency=tuple(a + b for a, b in zip(one.latency, other.latency, strict=True)),
    )


def _five(one: Sequence[int], other: Sequence[int]) -> tuple[int, int, int, int, int]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3], one[4] + other[4]


class Ledger:
    """Remembers what replicas had counted when they went, so that a service's totals never go down."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, ReplicaReading]] = {}
        self._gone: dict[str, ReplicaReading] = {}

    def observe(self, services: Sequence[ServiceView]) -> None:
        """Look at all services. What was seen before and is not there any more is gone, and so is a service's past with it."""
        for service in services:
            self._observe(service)
        names = {service.name for service in services}
        for forgotten in self._seen.keys() - names:
            del self._seen[forgotten], self._gone[forgotten]

    def _observe(self, service: ServiceView) -> None:
        before = self._seen.get(service.name, {})
        now = {replica.id: replica.reading for replica in service.replicas}
        gone = self._gone.get(service.name, NOTHING)
        for replica, last in before.items():
            if replica not in now or _began_again(last, now[replica]):
                gone = add(gone, _counters(last))
        self._seen[service.name], self._gone[service.name] = now, gone

    def total(self, service: str) -> ReplicaReading:
        """Everything the service's replicas have counted, the gone ones included; gauges are those of the living."""
        total = self._gone.get(service, NOTHING)
        for reading in self._seen.get(service, {}).values():
            total = add(total, reading)
        return total


def _began_again(last: ReplicaReading, now: ReplicaReading) -> bool:
    """The same name, but a new replica: its counters are below what they were."""
    return now.requests < last.requests or now.connects < last.connects


def _counters(reading: ReplicaReading) -> ReplicaReading:
    return ReplicaReading(
        **{name: getattr(reading, name) for name in ReplicaReading.__slots__ if name not in {"in_flight", "pooled"}},
        in_flight=0,
        pooled=0,
    )
