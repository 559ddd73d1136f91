"""Whose memory is saved next: some services each second, all of them in turn, and only where there is something new."""

from collections.abc import Sequence

from autoscaler.scaler import Kept, Scaler


class Turns:
    """`due` is called about once a second."""

    def __init__(self) -> None:
        self._next = 0
        self._saved: dict[str, Kept] = {}

    def due(self, scalers: Sequence[Scaler], now_s: float, most: int) -> list[tuple[str, Kept]]:
        """The next ones, at most so many."""
        count = min(most, len(scalers))
        chosen = [scalers[(self._next + number) % len(scalers)] for number in range(count)]
        self._next = (self._next + count) % max(1, len(scalers))
        kept = [(scaler.service, scaler.kept(now_s)) for scaler in chosen]
        return [(service, each) for service, each in kept if self._is_new(service, each)]

    def forget(self, service: str) -> None:
        """The service is gone."""
        self._saved.pop(service, None)

    def _is_new(self, service: str, kept: Kept) -> bool:
        """A decision makes a new memory each time, so to compare which one it is suffices."""
        saved = self._saved.get(service)
        self._saved[service] = kept
        if saved is None or saved.memory is not kept.memory:
            return True
        return (saved.wanted, saved.override, saved.pause) != (kept.wanted, kept.override, kept.pause)
