"""A private folder: made for the Unix sockets of instances, looked at, removed.

Invariants: nobody else may enter it; only a folder that is ours is ever emptied, and nothing below a folder inside it. On `os` alone:
the keeper, which has to start fast, removes it when the controller is gone.
"""

import os
import stat
from contextlib import suppress

PREFIX = "ecluse-"


def make(parent: str) -> str:
    """A new one in `parent`. Raises OSError."""
    folder = f"{parent.rstrip('/')}/{PREFIX}{os.urandom(4).hex()}"
    os.mkdir(folder, 0o700)  # noqa: PTH102 - see the top
    return folder


def is_ours(folder: str) -> bool:
    """Whether it is there, belongs to this user, and nobody else may enter it: a cleaner may have removed it, and another made one."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def is_socket(path: str) -> bool:
    """Whether a socket lies there."""
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def remove(folder: str) -> None:
    """Remove it with its sockets and what programs put beside them (lock files). One that is not ours stays, as does one with folders."""
    if not is_ours(folder):
        return
    with suppress(OSError), os.scandir(folder) as entries:  # what cannot be removed stays: nobody is there to be told
        for entry in [*entries]:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)  # noqa: PTH108 - see the top
        os.rmdir(folder)  # noqa: PTH106 - see the top
