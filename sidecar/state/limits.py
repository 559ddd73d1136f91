"""Every limit of what is kept; `docs/state.md` states those that a user may meet."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
WEEK_S: Final = 7 * 86_400.0

STEADY_S: Final = 10.0  # a decision that says the same as the one before is kept this often: its samples have moved on
SAVED: Final = 200  # services whose memory is saved in one turn, a turn a second

WAITING_DECISIONS: Final = 10_000  # on their way to the thread; the oldest are dropped, and counted
WAITING_EVENTS: Final = 1_000
WAITING_BINS: Final = 10_000

READERS: Final = 8  # that the thread answers at once
WRITES: Final = 2  # under way at once, however many ask

RETRY_S: Final = 30.0  # between attempts to use a directory that has failed
ANSWER_S: Final = 5.0  # for which a reader waits for the thread
CLOSE_S: Final = 5.0  # for which the program's end waits for the last write

EVENTS: Final = 10_000
HISTORY_S: Final = 5 * WEEK_S  # of bins; at 5 minutes each 10,080 rows for a service and metric
FORGOTTEN_S: Final = 5 * WEEK_S  # after which what is kept of a service that is not there any more goes


@dataclass(frozen=True, slots=True)
class Room:
    """For decisions: rows for one service, and octets for all. The oldest go first."""

    rows: int
    octets: int


ON_DISK: Final = Room(10_000, 64 * MIB)
IN_MEMORY: Final = Room(600, 16 * MIB)
