"""A story: snapshots one after the other, each decided with what the decisions before it left.

Every service in it has a memory of its own. Pure: lines in, decisions out. Nothing is printed here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autoscaler.decide import decide
from autoscaler.decision import Decision
from autoscaler.memory import Mark, Memory
from autoscaler.portable import from_json
from autoscaler.rules import Rules
from sidecar.deciding.exchange import NotASnapshot, read, snapshot_of
from sidecar.deciding.forms import Between, Expected, SnapshotForm


@dataclass(frozen=True, slots=True)
class Told:
    """A decision, and in what it differs from what was expected, in words; "" where it does not."""

    decision: Decision
    amiss: str = ""


@dataclass(frozen=True, slots=True)
class _Chapter:
    """Where one service has got to."""

    now_s: float
    desired: int
    memory: Memory


@dataclass
class Story:
    """rules_of: the rules of a service by its name; raises LookupError in words."""

    rules_of: Callable[[str], Rules]
    _chapters: dict[str, _Chapter] = field(default_factory=dict)

    def tell(self, text: str) -> Told:
        """Decide on one more snapshot. Raises NotASnapshot for what is none, what has no rules, and what goes back in time."""
        form = read(text)
        last = self._chapters.get(form.service)
        if last and form.now_s < last.now_s:
            raise NotASnapshot(f"now_s: must not go back; got {form.now_s:g} after {last.now_s:g}")
        if last and (form.scale_events or form.memory is not None):
            raise NotASnapshot(
                "scale_events and memory are for the beginning of a story; later ones go on from the decisions before them"
            )
        try:
            rules = self.rules_of(form.service)
        except LookupError as error:
            raise NotASnapshot(str(error)) from error
        snapshot = snapshot_of(form, last.desired if last else None)
        decision, memory = decide(snapshot, rules, last.memory if last else _beginning(form))
        desired = snapshot.desired if decision.dry_run else decision.desired
        self._chapters[form.service] = _Chapter(form.now_s, desired, memory)
        return Told(decision, _amiss(form.expect, decision) if form.expect else "")


def _beginning(form: SnapshotForm) -> Memory:
    """Raises NotASnapshot."""
    if form.memory is not None:
        return _remembered(form.memory)
    return replace(Memory(), changes=tuple(Mark(event.at_s, event.change) for event in form.scale_events))


def _remembered(given: Mapping[str, Any]) -> Memory:
    try:
        return from_json(Memory, given)
    except (TypeError, ValueError) as error:
        raise NotASnapshot(f"memory: {error}") from error


def _amiss(expected: Expected, decision: Decision) -> str:
    told = []
    if expected.desired is not None and not _fits(expected.desired, decision.desired):
        told.append(f"expected {_count(expected.desired)}, got {decision.desired}")
    if expected.reason is not None and expected.reason != decision.reason:
        told.append(f"expected the reason {expected.reason}, got {decision.reason}")
    return " and ".join(told)


def _fits(expected: int | Between, desired: int) -> bool:
    return expected.min <= desired <= expected.max if isinstance(expected, Between) else desired == expected


def _count(expected: int | Between) -> str:
    return f"{expected.min} to {expected.max}" if isinstance(expected, Between) else str(expected)
