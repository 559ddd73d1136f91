"""One program at a time on a directory: flock(2) on a file in it, which the kernel gives back however the program ends.

The process id in the file is for people only, and says nothing while nobody holds the lock.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

NAME: Final = "lock"


class StateInUse(Exception):  # noqa: N818 - it becomes a message and an exit code
    """Another program uses the directory; the message names its process and says what to do."""


class Lock:
    """Held from the beginning until `release`."""

    def __init__(self, directory: Path) -> None:
        """Raises StateInUse, OSError."""
        self._file = os.open(directory / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(self._file, 20, 0).decode().strip()
            self.release()
            raise StateInUse(
                f"the state directory {directory} is in use by another ecluse (pid {holder or 'unknown'}): "
                "stop that one, or give this one a directory of its own"
            ) from None
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let others have it."""
        os.close(self._file)
