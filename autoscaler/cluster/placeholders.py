"""The words in braces that a command may contain, and what becomes of them. Other braces mean nothing here and stay."""

from collections.abc import Mapping, Sequence
from typing import Final

PORT: Final = "{port}"
SOCKET: Final = "{socket}"
NAME: Final = "{name}"
PLACEHOLDERS: Final = (PORT, SOCKET, NAME)


def names(command: Sequence[str], placeholder: str) -> bool:
    """Whether it stands in the command."""
    return any(placeholder in word for word in command)


def filled(command: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The command with a value in place of each placeholder."""
    words = [*command]
    for placeholder, value in values.items():
        words = [word.replace(placeholder, value) for word in words]
    return words
