"""Errors of connections in the words that a verdict gives as its reason."""

import errno
import os


def reason_of(error: BaseException, address: str) -> str:
    """What is behind the error of a connection to `address`: that nothing listens there, else the operating system's word for it
    ("no route to host"), else the error's own text.

    Clients wrap what happened, sometimes several times over and in groups (one error per address that was tried).
    """
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if isinstance(current, OSError) and current.errno == errno.ECONNREFUSED:
            return f"nothing listens on {address}"
        if isinstance(current, OSError) and current.errno:
            return os.strerror(current.errno).lower()
        if isinstance(current, BaseExceptionGroup):
            pending.extend(current.exceptions)
        elif current is not None:
            pending.append(current.__cause__ or current.__context__)
    return str(error) or type(error).__name__
