"""From how many replicas there should be and what is there to the next steps: start so many, drain these.

Pure, and without memory: asked again after each change it leads to the wanted count in the wanted version, one replica of an old
version at a time, with never fewer READY ones than before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from autoscaler.plan import Candidate, plan
from balancer.table import ReplicaState


@dataclass(frozen=True, slots=True)
class Standing:
    """An active replica. outdated: it runs another command or environment than the configured one. foreign: never to be stopped.

    late: why it is given up, in words ("was not ready within 60 s"), "" if it is not.
    """

    id: str
    state: ReplicaState
    in_flight: int
    since_s: float
    outdated: bool = False
    late: str = ""
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Steps:
    """drain: (replica, why) each."""

    start: int = 0
    drain: tuple[tuple[str, str], ...] = ()


def steps(desired: int, active: Sequence[Standing], starting: int, order: Sequence[str] | None = None) -> Steps:
    """The next steps towards `desired` replicas. starting: starts under way, which the engine does not list yet.

    While there are outdated replicas one more than desired is run, and an outdated one goes when it can be spared. order: in which
    the engine itself removes replicas, where it does; such an engine also replaces outdated and late ones itself.
    """
    why = f"{desired} wanted"
    if order is not None:
        return _ordered_steps(desired, active, starting, order, why)
    own = [standing for standing in active if not standing.foreign]
    return _chosen_steps(max(0, desired - (len(active) - len(own))), own, starting, why)


def _ordered_steps(desired: int, active: Sequence[Standing], starting: int, order: Sequence[str], why: str) -> Steps:
    there = {standing.id for standing in active}
    victims = [name for name in order if name in there][: max(0, len(active) - desired)]
    return Steps(start=max(0, desired - len(active) - starting), drain=tuple((name, why) for name in victims))


def _chosen_steps(desired: int, active: Sequence[Standing], starting: int, why: str) -> Steps:
    late = [(standing.id, standing.late) for standing in active if standing.late]
    kept = [standing for standing in active if not standing.late]
    outdated = [standing for standing in kept if standing.outdated]
    wanted = desired + (1 if outdated and desired else 0)
    surplus = [(victim, why) for victim in _victims(max(0, len(kept) - wanted), kept)]
    replaced = [] if surplus else _replaced(desired, kept, outdated)
    return Steps(start=max(0, wanted - len(kept) - starting), drain=(*late, *surplus, *replaced))


def _victims(count: int, kept: Sequence[Standing]) -> tuple[str, ...]:
    """Outdated ones first; among equals as `plan` chooses."""
    outdated = [_candidate(standing) for standing in kept if standing.outdated]
    current = [_candidate(standing) for standing in kept if not standing.outdated]
    first = plan(max(0, len(outdated) - count), outdated).drain
    return (*first, *plan(len(current) - (count - len(first)), current).drain)


def _replaced(desired: int, kept: Sequence[Standing], outdated: Sequence[Standing]) -> list[tuple[str, str]]:
    """One that is only starting can always be spared, one that is ejected when the others suffice, one that is READY when one
    more than desired is READY."""
    why = "replaced: its command or environment has changed"
    ready = sum(standing.state is ReplicaState.READY for standing in kept)
    spared = [standing for standing in outdated if standing.state is ReplicaState.STARTING]
    if ready >= desired:
        spared += [standing for standing in outdated if standing.state is ReplicaState.EJECTED]
    if not spared and ready > desired:
        spared = [standing for standing in outdated if standing.id in _victims(1, outdated)]
    return [(standing.id, why) for standing in spared]


def _candidate(standing: Standing) -> Candidate:
    return Candidate(standing.id, standing.state, standing.in_flight, standing.since_s)
