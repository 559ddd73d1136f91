"""How far a run has come: what was done just now, and how long the rest will take."""

from collections.abc import Callable


class Progress:
    """Estimates are corrected by how long what is done has taken. Time is passed in."""

    def __init__(self, whole_s: float, clock: Callable[[], float]) -> None:
        self._whole_s = whole_s
        self._done_s = 0.0
        self._clock = clock
        self._began = clock()

    def done(self, estimated_s: float) -> None:
        """Something is done that was thought to take so long."""
        self._done_s += estimated_s

    def left_s(self) -> float:
        """About how long the rest will take."""
        pace = (self._clock() - self._began) / self._done_s if self._done_s else 1.0
        return max(0.0, self._whole_s - self._done_s) * pace


def minutes(seconds: float) -> str:
    """A length of time as people say it."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
