"""A container as the rest of Écluse sees it: an `Instance`. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autoscaler.cluster.docker.container import Container, Row, State
from autoscaler.cluster.docker.lives import Intent, Life, ended
from autoscaler.cluster.docker.reach import Reach
from autoscaler.cluster.engine import Clone, Discovered, Instance, InstanceStatus, Labelled
from autoscaler.cluster.moby import labels
from autoscaler.cluster.restarts import RestartPolicy


@dataclass(frozen=True, slots=True)
class Sight:
    """All that one container is judged by."""

    container: Container
    life: Life
    reach: Reach
    ours: bool
    outdated: bool


def instance(service: str, sight: Sight, policy: RestartPolicy, now_s: float) -> Instance:
    """One replica, or what is left of it."""
    status, detail = _stands(sight, policy, now_s)
    life, found = sight.life, sight.container
    return Instance(
        id=found.name,
        service=service,
        address=sight.reach.address if found.state.lives else "",
        status=status,
        since_s=life.since_s,
        pid=found.pid,
        restarts=life.restarts + found.restarts,
        crash_looping=life.looping(policy, _settled(sight, policy, now_s)),
        detail=detail,
        outdated=sight.outdated,
        foreign=not sight.ours,
    )


def _stands(sight: Sight, policy: RestartPolicy, now_s: float) -> tuple[InstanceStatus, str]:
    state, life = sight.container.state, sight.life
    if state is State.REMOVING:
        return InstanceStatus.STOPPING, "is being removed"
    if asked := _asked(state, life):
        return asked
    if state.lives:
        return _runs(sight, policy, now_s)
    if state is State.RESTARTING:
        return InstanceStatus.BACKOFF, f"{ended(sight.container)}; the engine starts it again"
    return _rests(sight, now_s)


def _asked(state: State, life: Life) -> tuple[InstanceStatus, str] | None:
    """What follows from what was asked of it."""
    if life.intent is Intent.STOPPING:
        return InstanceStatus.STOPPING, f"asked to stop; has {life.grace_s:g} s before it is killed"
    if life.intent is Intent.HALTED:
        return (InstanceStatus.STOPPING if state.lives else InstanceStatus.EXITED), "was stopped from outside"
    return (InstanceStatus.BACKOFF, "was taken out to be replaced") if life.intent is Intent.REPLACING else None


def _runs(sight: Sight, policy: RestartPolicy, now_s: float) -> tuple[InstanceStatus, str]:
    if not sight.reach.address:
        return InstanceStatus.PENDING, sight.reach.trouble
    if sight.container.state is State.PAUSED:
        return InstanceStatus.RUNNING, "is paused: it answers nothing until somebody lets it go on (docker unpause)"
    if sight.life.why and not _settled(sight, policy, now_s):
        return InstanceStatus.RUNNING, f"runs again; before, it {sight.life.why}"
    return InstanceStatus.RUNNING, ""


def _rests(sight: Sight, now_s: float) -> tuple[InstanceStatus, str]:
    state, life = sight.container.state, sight.life
    if not sight.ours or state is State.DEAD:
        return InstanceStatus.EXITED, ended(sight.container)
    if state is State.CREATED:
        begun = life.intent is Intent.STARTING
        return (InstanceStatus.PENDING, "is being started") if begun else (InstanceStatus.EXITED, ended(sight.container))
    return InstanceStatus.BACKOFF, life.waits(now_s)


def _settled(sight: Sight, policy: RestartPolicy, now_s: float) -> bool:
    return sight.container.state.lives and now_s - sight.life.ran_from_s >= policy.settled_s


def found_by_label(row: Row, name: str) -> bool:
    """Whether a container belongs to a service that is found by labels alone."""
    return labels.enabled(row.labels) and row.labels.get(labels.SERVICE, row.name) == name


def discovered(rows: Iterable[Row]) -> Sequence[Discovered]:
    """What describes itself as a service: Compose services, and other containers by their name or label."""
    found: dict[tuple[str, str], Discovered] = {}
    for row in sorted(rows, key=lambda row: row.name):
        if labels.enabled(row.labels) and row.labels.get(labels.ONEOFF, "False").lower() != "true":
            one = _discovered(row, labels.written(row.labels), labels.composed(row.labels))
            found.setdefault((one.name, str(one.source)), one)
    return sorted(found.values(), key=lambda one: one.name)


def _discovered(row: Row, written: Mapping[str, str], composed: tuple[str, str] | None) -> Discovered:
    if composed:
        return Discovered(composed[1], written, Clone(composed[1], composed[0]))
    name = written.get(labels.SERVICE, row.name)
    return Discovered(name, written, Labelled(name))
