"""What survives a restart: decisions, what they remember, the history of loads, events; in one SQLite file in `config.state`.

SQLite, because a write is whole or not there after any crash, space is used again so that the file stays bounded, rows are found by
service and time, and whoever wants more than `ecluse` shows can ask it with any tool: a format of our own would have to be made to do
the same. WAL, so that one who reads never keeps the writer waiting; synchronous NORMAL, so that the disk is waited for at checkpoints
only: a loss of power may cost the last seconds, never the file.

Invariants: only `State` is used from outside, on the event loop, and it never touches the disk; only `Store`, on one thread of its own,
does; without a disk that works everything goes on in memory. No rule and no replica belongs here.
"""

from sidecar.state.lock import StateInUse
from sidecar.state.state import State

__all__ = ["State", "StateInUse"]
