"""Learns the caps of the services that ask for it, on a worker's ticks. What is learned, and how, is known in `adaptive.py`."""

from balancer.adaptive import CAP_FIRST, Learned, learn
from balancer.hotpath import board
from balancer.hotpath.service import Service


class Caps:
    """For one worker, from the counters of all workers."""

    def __init__(self) -> None:
        self._learned: dict[Service, Learned] = {}

    def look(self, services: list[Service], now_us: int) -> None:
        """Learn, and set the caps."""
        for service in services:
            if service.adaptive:
                self._learned[service] = learned = self._learn(service, now_us)
                service.cap = bounded(int(learned.cap), service.cap_most)
                service.row.put_service(service.slot, board.CAP, service.cap)
        for service in [service for service in self._learned if not service.adaptive]:
            del self._learned[service]
            service.row.put_service(service.slot, board.CAP, 0)

    def _learn(self, service: Service, now_us: int) -> Learned:
        row, slots = service.row, [replica.slot for replica in service.ready]
        sum_us = row.sum_replicas(slots, board.ATTEMPT_SUM_US)
        peak = max((row.in_flight(slot) for slot in slots), default=0)
        before = self._learned.get(service, Learned(bounded(CAP_FIRST, service.cap_most)))
        return learn(before, row.answers_everywhere(slots), sum_us, peak, now_us)


def bounded(cap: int, most: int) -> int:
    """The cap, at most the configured one (0: there is none)."""
    return min(cap, most) if most else cap
