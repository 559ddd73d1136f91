"""The disk while it works, and memory while it does not: what is written in between goes to the disk when that is over.

Belongs to one thread. Whatever is wrong with the directory is told once when it begins and once when it is over, and never raised: the
program decides as well without it. A damaged file is moved aside, and its name told.
"""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from sidecar.state.database import IN_MEMORY_PATH, Database, is_damage
from sidecar.state.limits import IN_MEMORY, ON_DISK, RETRY_S
from sidecar.state.lock import Lock, StateInUse
from sidecar.state.rows import Waiting

NAME: Final = "ecluse.db"
ASIDE: Final = "ecluse.db.damaged"  # the newest only: they must not fill the disk
BESIDE: Final = ("", "-wal", "-shm")  # what SQLite names its files

T = TypeVar("T")
Tell = Callable[[str, str], None]


class Store:
    """directory: "" is memory alone. tell(kind, message): for the journal. wall, clock: as time.time and time.monotonic."""

    def __init__(
        self, directory: str, tell: Tell, wall: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._directory = Path(directory) if directory else None
        self._tell = tell
        self._wall = wall
        self._clock = clock
        self._lock: Lock | None = None
        self._disk: Database | None = None
        self._memory: Database | None = None
        self._trouble = ""
        self._damaged = False
        self._retry_at_s = 0.0

    def open(self) -> None:
        """Raises StateInUse."""
        if self._directory:
            try:
                self._open_disk(self._directory)
            except (OSError, sqlite3.Error) as error:
                self._fail(error)

    def write(self, waiting: Waiting) -> None:
        """All of it, somewhere."""
        self._try_again()
        batch = waiting.rows()
        self._with(lambda database: database.write(batch, self._wall()))

    def read(self, question: Callable[[Database], T]) -> T:
        """The answer of what is in use."""
        return self._with(question)

    def close(self) -> None:
        """Give everything back. Whoever starts next may be waiting for the lock."""
        for database in (self._disk, self._memory):
            if database:
                database.close()
        if self._lock:
            self._lock.release()
        self._disk = self._memory = self._lock = None

    def _open_disk(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = self._lock or Lock(directory)
        self._disk = self._opened(directory)

    def _opened(self, directory: Path) -> Database:
        try:
            if not self._damaged:
                return Database(str(directory / NAME), ON_DISK)
            why = "damaged while it was in use"
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            why = str(error)
        self._move_aside(directory, why)
        return Database(str(directory / NAME), ON_DISK)

    def _move_aside(self, directory: Path, why: str) -> None:
        for suffix in BESIDE:
            file = directory / f"{NAME}{suffix}"
            if file.exists():
                file.replace(directory / f"{ASIDE}{suffix}")
        self._damaged = False
        self._tell("state_damaged", f"{directory / NAME} is damaged ({why}): moved to {directory / ASIDE}, and a new one begun")

    def _with(self, act: Callable[[Database], T]) -> T:
        """On the disk, or in memory where that fails."""
        if self._disk:
            try:
                return act(self._disk)
            except sqlite3.Error as error:
                self._fail(error)
        return act(self._in_memory())

    def _in_memory(self) -> Database:
        self._memory = self._memory or Database(IN_MEMORY_PATH, IN_MEMORY)
        return self._memory

    def _try_again(self) -> None:
        if not self._directory or self._disk or self._clock() < self._retry_at_s:
            return
        try:
            self._open_disk(self._directory)
            self._pour()
        except (OSError, sqlite3.Error, StateInUse) as error:
            self._fail(error)
            return
        self._trouble = ""
        self._tell("state_works_again", f"{self._directory}: kept on disk again")

    def _pour(self) -> None:
        """What was kept in memory, onto the disk."""
        if self._memory and self._disk:
            self._disk.write(self._memory.everything(), self._wall())
            self._memory.close()
            self._memory = None

    def _fail(self, error: Exception) -> None:
        self._retry_at_s = self._clock() + RETRY_S
        self._damaged |= is_damage(error)
        if self._disk:
            self._disk.close()
            self._disk = None
        if not self._trouble:
            self._trouble = str(error)
            self._tell("state_failed", f"{self._directory}: {error}; until that is mended, what happens is kept in memory only")
