"""Readings as lists of whole numbers: how they travel, and how they are added up.

A list begins with the gauge that the integral after it integrates (in_flight and busy_us, waiting and wait_busy_us); zeros at its end do
not travel. Pure.
"""

from collections.abc import Sequence
from typing import Any, Final

from balancer.hotpath import board
from balancer.scoreboard import ReplicaReading, ServiceReading

Cells = list[int]

GAUGE: Final = 0
INTEGRAL: Final = 1
CLASSES: Final = 5
REPLICA: Final = 10 + CLASSES + board.BUCKETS  # how many cells a replica has
SERVICE: Final = 14 + CLASSES
REPLICA_GAUGES: Final = (GAUGE, 13)  # in_flight, pooled
SERVICE_GAUGES: Final = (GAUGE, 8 + CLASSES)  # waiting, retrying


def of_replica(reading: ReplicaReading) -> Cells:
    """A replica's cells, the latency's buckets last."""
    r = reading
    counted = (r.connect_errors, r.broken, r.timeouts, r.bytes_in, r.bytes_out, r.latency_sum_us, r.pooled, r.connects)
    return [r.in_flight, r.busy_us, *r.status, *counted, *r.latency]


def to_replica(cells: Cells) -> ReplicaReading:
    """The reverse of `of_replica`."""
    in_flight, busy_us, c1, c2, c3, c4, c5, errors, broken, timeouts, read, written, sum_us, pooled, connects, *latency = cells
    return ReplicaReading(
        in_flight=in_flight,
        busy_us=busy_us,
        status=(c1, c2, c3, c4, c5),
        connect_errors=errors,
        broken=broken,
        timeouts=timeouts,
        bytes_in=read,
        bytes_out=written,
        latency_sum_us=sum_us,
        pooled=pooled,
        connects=connects,
        latency=tuple(latency),
    )


def of_service(reading: ServiceReading) -> Cells:
    """A service's own cells."""
    r = reading
    counted = (r.shed, r.wait_timeouts, r.unavailable, r.retries, r.aborted)
    further = (r.retrying, r.retries_denied, r.hedges, r.hedges_won, r.rate_limited, r.strayed)
    return [r.waiting, r.wait_busy_us, *counted, *r.own_answers, r.upgrades, *further]


def to_service(cells: Cells) -> ServiceReading:
    """The reverse of `of_service`. What a worker has learned of a cap does not travel: it adds up to nothing."""
    waiting, wait_busy_us, shed, timeouts, unavailable, retries, aborted, c1, c2, c3, c4, c5, *further = cells
    own = (c1, c2, c3, c4, c5)
    return ServiceReading(waiting, wait_busy_us, shed, timeouts, unavailable, retries, aborted, own, *further)


def to_wire(cells: Cells) -> Cells:
    """Without the zeros at its end."""
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def from_wire(data: Any, size: int) -> Cells:
    """As many cells as there should be. Raises ValueError for anything but at most so many whole numbers."""
    if not isinstance(data, Sequence) or len(data) > size or not all(type(cell) is int for cell in data):
        raise ValueError(f"a reading is not a list of at most {size} whole numbers")
    return [*data, *[0] * (size - len(data))]
