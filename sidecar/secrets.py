"""The secret from which this program makes the keys that nobody configured: kept where the state is, so that a restart ends no session.

Invariant: it never leaves the machine but as keys made from it, and its file can be read by its owner only.
"""

import hmac
import logging
import os
from pathlib import Path

log = logging.getLogger("ecluse")

SIZE = 32
FILE = "secret"


def secret(directory: str) -> bytes:
    """The secret of this state directory, made if there is none; "": one for this life of the program."""
    if not directory:
        return os.urandom(SIZE)
    path = Path(directory) / FILE
    try:
        return _read(path) or _make(path)
    except OSError as error:
        log.warning("%s cannot be kept (%s): sessions end with this program", path, error.strerror)
        return os.urandom(SIZE)


def key_for(secret: bytes, purpose: str) -> str:
    """A key of its own for each purpose, in hexadecimal."""
    return hmac.digest(secret, purpose.encode(), "sha256").hex()


def _read(path: Path) -> bytes:
    found = path.read_bytes() if path.exists() else b""
    return found if len(found) == SIZE else b""


def _make(path: Path) -> bytes:
    """Written beside and moved into place, so that it is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = os.urandom(SIZE)
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(made)
    beside.replace(path)
    return made
