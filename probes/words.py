"""Errors of connections in the words that a verdict gives as its reason."""

import os


def reason_of(error: BaseException) -> str:
    """The operating system's word for what is behind an error ("connection refused"), else the error's own text.

    Clients wrap what happened, sometimes several times over and in groups (one error per address that was tried).
    """
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if isinstance(current, OSError) and current.errno:
            return os.strerror(current.errno).lower()
        if isinstance(current, BaseExceptionGroup):
            pending.extend(current.exceptions)
        elif current is not None:
            pending.append(current.__cause__ or current.__context__)
    return str(error) or type(error).__name__
