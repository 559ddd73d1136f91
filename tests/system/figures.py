"""Figures that stories note while they run; pytest prints them at the end, whether a story passed or not."""

_noted: list[str] = []


def note(line: str) -> None:
    """One line for the summary."""
    _noted.append(line)


def noted() -> list[str]:
    """All lines so far."""
    return list(_noted)
