"""Errors of connections in the words that a verdict gives as its reason."""

import errno
import os
import stat
from pathlib import Path

UNIX = "unix:"


def reason_of(error: BaseException, address: str) -> str:
    """What is behind the error of a connection to `address`: that nothing listens there, else the operating system's word for it
    ("no route to host"), else the error's own text.

    Clients wrap what happened, sometimes several times over and in groups (one error per address that was tried).
    """
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if isinstance(current, OSError) and current.errno:
            return _reason(current.errno, address)
        if isinstance(current, BaseExceptionGroup):
            pending.extend(current.exceptions)
        elif current is not None:
            pending.append(current.__cause__ or current.__context__)
    return str(error) or type(error).__name__


def _reason(code: int, address: str) -> str:
    path = address.removeprefix(UNIX) if address.startswith(UNIX) else ""
    if path and code in {errno.ENOENT, errno.ENOTDIR}:
        return f"there is no socket {path}"
    if path and code == errno.EACCES:
        return _no_access(path)
    if path and code == errno.EAGAIN:
        return "is busy: its queue of new connections is full"
    if path and (code == errno.EPROTOTYPE or (code == errno.ECONNREFUSED and not Path(path).is_socket())):
        return f"{path} is not a stream socket"
    return f"nothing listens on {address}" if code == errno.ECONNREFUSED else os.strerror(code).lower()


def _no_access(path: str) -> str:
    """Connecting needs the permission to write to the socket and to search the folders above it (unix(7))."""
    who = f"ecluse, which runs as user {os.geteuid()}, may not"
    try:
        found = Path(path).stat()
    except OSError:
        return f"{who} look into the folder of {path}"
    return f"{who} write to {path}, which belongs to user {found.st_uid} with mode {stat.filemode(found.st_mode)}"
