"""What waits for the thread that writes: bounded, however long the disk takes."""

from collections import deque
from typing import Any

from autoscaler.decision import Decision
from autoscaler.scaler import Kept
from autoscaler.season import Bin
from sidecar.state.limits import WAITING_BINS, WAITING_DECISIONS, WAITING_EVENTS
from sidecar.state.rows import Waiting


class Pending:
    """dropped: how many decisions there was no room for since somebody set it to 0."""

    def __init__(self) -> None:
        self.dropped = 0
        self._decisions: deque[tuple[str, float, bool, Decision]] = deque(maxlen=WAITING_DECISIONS)
        self._kept: dict[str, Kept | None] = {}
        self._bins: deque[tuple[str, Bin]] = deque(maxlen=WAITING_BINS)
        self._events: deque[dict[str, Any]] = deque(maxlen=WAITING_EVENTS)

    def __bool__(self) -> bool:
        return bool(self._decisions or self._kept or self._bins or self._events)

    def decision(self, service: str, at_s: float, changed: bool, decision: Decision) -> None:
        self.dropped += len(self._decisions) == self._decisions.maxlen
        self._decisions.append((service, at_s, changed, decision))

    def kept(self, service: str, kept: Kept | None) -> None:
        """None: the service is gone."""
        self._kept[service] = kept

    def bin(self, service: str, load: Bin) -> None:
        self._bins.append((service, load))

    def event(self, event: dict[str, Any]) -> None:
        self._events.append(event)

    def take(self, at_s: float, ahead_s: float) -> Waiting:
        """All of it, which then waits no more."""
        parts = self._decisions, self._kept, self._bins, self._events
        decisions, kept, bins, events = parts
        taken = Waiting(at_s, ahead_s, tuple(decisions), tuple(kept.items()), tuple(bins), tuple(events))
        for part in parts:
            part.clear()
        return taken
