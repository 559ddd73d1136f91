"""The tables: written in whole batches, bounded with each, asked by service and time. In a file, or in memory where there is none.

Belongs to the thread that opened it. After an error it is closed: what its bounds go by may be wrong then.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from autoscaler.season import Bin
from sidecar.state.limits import EVENTS, FORGOTTEN_S, HISTORY_S, Room
from sidecar.state.rows import Batch, DecisionRow, EventRow, KeptRow

IN_MEMORY_PATH: Final = ":memory:"
VERSION: Final = 1
DELETED: Final = 500  # decisions at once, where all together have become too many
DAMAGES: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_TABLES = """
CREATE TABLE IF NOT EXISTS decisions (
  id INTEGER PRIMARY KEY, service TEXT NOT NULL, at REAL NOT NULL, changed INTEGER NOT NULL, content BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS decisions_by_time ON decisions (service, at);
CREATE TABLE IF NOT EXISTS kept (service TEXT PRIMARY KEY, at REAL NOT NULL, content TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bins (
  service TEXT NOT NULL, metric TEXT NOT NULL, start REAL NOT NULL,
  length REAL NOT NULL, load REAL NOT NULL, peak REAL NOT NULL, PRIMARY KEY (service, metric, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT;
"""
_DECISION = "SELECT service, at, changed, content FROM decisions"


class Damaged(sqlite3.DatabaseError):
    """The file is no database, or not a whole one."""


class LaterVersion(sqlite3.DatabaseError):
    """A later version of this program has written the file."""


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file itself is bad, and not its disk or its permissions."""
    code: int = getattr(error, "sqlite_errorcode", None) or 0
    return isinstance(error, Damaged) or code & 0xFF in DAMAGES  # the upper octets say more of the same


class Database:
    """room: for decisions. Everything raises sqlite3.Error; the beginning Damaged and LaterVersion among them."""

    def __init__(self, path: str, room: Room) -> None:
        self._room = room
        self._connection = sqlite3.connect(path)
        try:
            self._prepare()
            self._rows = Counter(dict(self._all("SELECT service, count(*) FROM decisions GROUP BY service")))
            self._octets = self._one("SELECT ifnull(sum(length(content)), 0) FROM decisions")
        except sqlite3.Error:
            self.close()
            raise

    def _prepare(self) -> None:
        version = self._one("PRAGMA user_version")
        if version > VERSION:
            raise LaterVersion(f"was written by a later version of ecluse (format {version}; this one knows {VERSION})")
        found = self._one("PRAGMA quick_check(1)")
        if found != "ok":
            raise Damaged(found)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(f"{_TABLES} PRAGMA user_version = {VERSION};")

    def write(self, batch: Batch, now_s: float) -> None:
        """All of it, or nothing."""
        many = self._connection.executemany
        with self._connection:
            many("INSERT INTO decisions (service, at, changed, content) VALUES (?, ?, ?, ?)", batch.decisions)
            many("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", batch.kept)
            many("INSERT OR REPLACE INTO bins VALUES (?, ?, ?, ?, ?, ?)", batch.bins)
            many("INSERT OR REPLACE INTO events VALUES (?, ?)", batch.events)
            self._bound(batch, now_s)

    def everything(self) -> Batch:
        """All rows, to be written elsewhere."""
        return Batch(
            decisions=self._all(f"{_DECISION} ORDER BY id"),
            kept=self.kept(),
            bins=self._all("SELECT * FROM bins"),
            events=self._all("SELECT id, content FROM events ORDER BY id"),
        )

    def decision_at(self, service: str, at_s: float) -> DecisionRow | None:
        """The newest one that is not younger."""
        found = self._all(f"{_DECISION} WHERE service = ? AND at <= ? ORDER BY at DESC, id DESC LIMIT 1", service, at_s)
        return found[0] if found else None

    def decisions(self, service: str, since_s: float, until_s: float, changes: bool, limit: int) -> list[DecisionRow]:
        """The newest ones of a span, newest first. changes: only those that differ from the one before."""
        wanted = f"{_DECISION} WHERE service = ? AND at BETWEEN ? AND ? AND changed >= ? ORDER BY at DESC, id DESC LIMIT ?"
        return self._all(wanted, service, since_s, until_s, int(changes), limit)

    def span(self, service: str) -> tuple[float, float] | None:
        """When the oldest and the newest decision of a service were made."""
        first, last = self._all("SELECT min(at), max(at) FROM decisions WHERE service = ?", service)[0]
        return None if first is None else (first, last)

    def kept(self) -> list[KeptRow]:
        """Of all services."""
        return self._all("SELECT service, at, content FROM kept")

    def events(self, limit: int) -> list[EventRow]:
        """The newest ones, newest first."""
        return self._all("SELECT id, content FROM events ORDER BY id DESC LIMIT ?", limit)

    def bins(self, service: str) -> Sequence[Bin]:
        """The history of a service's loads, oldest first."""
        rows = self._all("SELECT metric, start, length, load, peak FROM bins WHERE service = ? ORDER BY start", service)
        return [Bin(*row) for row in rows]

    def close(self) -> None:
        self._connection.close()

    def _bound(self, batch: Batch, now_s: float) -> None:
        """The oldest go."""
        for service, _, _, content in batch.decisions:
            self._rows[service] += 1
            self._octets += len(content)
        for service in {row[0] for row in batch.decisions}:
            self._delete_decisions(
                "WHERE service = ? ORDER BY at LIMIT ?", service, max(0, self._rows[service] - self._room.rows)
            )
        while self._octets > self._room.octets and self._delete_decisions("ORDER BY id LIMIT ?", DELETED):
            pass
        execute = self._connection.execute
        if batch.bins:
            execute("DELETE FROM bins WHERE start < ?", (now_s - HISTORY_S,))
        if batch.kept:
            execute("DELETE FROM kept WHERE at < ?", (now_s - FORGOTTEN_S,))
        if batch.events:
            execute("DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?)", (EVENTS,))

    def _delete_decisions(self, which: str, *values: object) -> int:
        gone = self._all(
            f"DELETE FROM decisions WHERE id IN (SELECT id FROM decisions {which}) RETURNING service, length(content)", *values
        )
        self._rows.subtract(service for service, _ in gone)
        self._octets -= sum(octets for _, octets in gone)
        return len(gone)

    def _all(self, statement: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]  # what it holds is the statement's
        return self._connection.execute(statement, values).fetchall()

    def _one(self, statement: str) -> Any:
        return self._all(statement)[0][0]
