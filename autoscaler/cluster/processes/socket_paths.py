"""Paths of Unix sockets for instances, in a private folder that is made when the first one is wanted.

The folder lies in the temporary one and not in XDG_RUNTIME_DIR, which is removed when its user logs out, though a program started
with nohup goes on. Invariants: no path is given twice; nothing outside the private folder is touched.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from autoscaler.cluster.address import UNIX_PATH_OCTETS
from autoscaler.cluster.engine import EngineError
from autoscaler.cluster.processes import folder

PARENTS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - the folder in it is private; the last is there in read-only containers too
NAME_OCTETS = len(f"/{folder.PREFIX}00000000/1000000000.sock")
_PLAIN = re.compile(r"/[\w./+@%,~-]*", re.ASCII)  # what a shell or nginx reads as it is, wherever {socket} stands in a command


class SocketPaths:
    """Gives paths, one each."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._folder = ""

    @property
    def folder(self) -> str:
        """The private folder; "" until a path was wanted."""
        return self._folder

    def take(self, number: int) -> str:
        """The path with this number. Raises EngineError."""
        if not folder.is_ours(self._folder):
            self._folder = self._made()
        return f"{self._folder}/{number}.sock"

    def release(self, path: str) -> None:
        """Whoever listened there has ended: remove the socket, if it left one."""
        if folder.is_socket(path):
            with suppress(FileNotFoundError):  # somebody was faster
                Path(path).unlink()

    def close(self) -> None:
        """Remove the folder."""
        folder.remove(self._folder)

    def _made(self) -> str:
        reasons = []
        for parent in self._parents():
            try:
                return folder.make(parent)
            except OSError as error:
                reasons.append(f"{parent}: {(error.strerror or str(error)).lower()}")
        tried = "; ".join(reasons)
        raise EngineError(f"no folder for the replicas' sockets can be made ({tried}); set TMPDIR to one that can be written to")

    def _parents(self) -> Iterator[str]:
        """Those where a path is not too long and reads the same everywhere."""
        for parent in (self._environment.get("TMPDIR", ""), *PARENTS):
            if _PLAIN.fullmatch(parent) and len(parent.rstrip("/")) + NAME_OCTETS <= UNIX_PATH_OCTETS:
                yield parent
