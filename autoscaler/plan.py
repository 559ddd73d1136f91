"""From a count to actions: how many replicas to start, or which ones to drain. Pure; what to do about it is the caller's.

Victims: first those that carry nothing, as they are not READY: STARTING ones, then EJECTED ones; then READY ones, those with the
least in flight first. The newest goes first among equals, since the oldest has the warmest caches. DRAINING ones are gone already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from autoscaler.snapshot import LEAVING
from balancer.table import ReplicaState

_ORDER: Final = {ReplicaState.STARTING: 0, ReplicaState.EJECTED: 1, ReplicaState.READY: 2}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One replica. since_s: when it was started; any clock, the same one for all."""

    id: str
    state: ReplicaState
    in_flight: int
    since_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Start so many, and drain these, in this order. Never both."""

    start: int = 0
    drain: tuple[str, ...] = ()


def plan(desired: int, replicas: Sequence[Candidate]) -> Plan:
    """What makes the replicas that are not leaving as many as desired."""
    current = [replica for replica in replicas if replica.state not in LEAVING]
    if len(current) <= desired:
        return Plan(start=desired - len(current))
    victims = sorted(current, key=_worth)[: len(current) - desired]
    return Plan(drain=tuple(victim.id for victim in victims))


def _worth(replica: Candidate) -> tuple[int, int, float, str]:
    in_flight = replica.in_flight if replica.state is ReplicaState.READY else 0
    return _ORDER[replica.state], in_flight, -replica.since_s, replica.id
