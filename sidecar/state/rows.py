"""What goes into the database and comes out of it, as rows; decisions as compressed JSON, which is a third as long.

Made on the store's thread: it is too much work for the event loop.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autoscaler.decision import Decision
from autoscaler.explanation import as_json
from autoscaler.portable import shifted, to_json
from autoscaler.scaler import Kept
from autoscaler.season import Bin

DecisionRow = tuple[str, float, bool, bytes]  # service, at, changed, content
KeptRow = tuple[
    str, float, str
]  # service, at, content: "" where the service is gone, also when this comes from memory to the disk
BinRow = tuple[str, str, float, float, float, float]  # service, metric, start, length, load, peak
EventRow = tuple[int, str]  # id, content


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written in one transaction."""

    decisions: Sequence[DecisionRow] = ()
    kept: Sequence[KeptRow] = ()
    bins: Sequence[BinRow] = ()
    events: Sequence[EventRow] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The same as it comes from the event loop, at_s. Times are seconds since the epoch, but for those in `kept`, to which ahead_s is to
    be added. None is kept of a service that is gone."""

    at_s: float
    ahead_s: float = 0.0
    decisions: Sequence[tuple[str, float, bool, Decision]] = ()
    kept: Sequence[tuple[str, Kept | None]] = ()
    bins: Sequence[tuple[str, Bin]] = ()
    events: Sequence[dict[str, Any]] = ()

    def rows(self) -> Batch:
        """Ready for the database."""
        return Batch(
            decisions=[(service, at_s, changed, packed(as_json(each))) for service, at_s, changed, each in self.decisions],
            kept=[(service, self.at_s, self._written(kept)) for service, kept in self.kept],
            bins=[(service, each.metric, each.start_s, each.length_s, each.load, each.peak) for service, each in self.bins],
            events=[(event["id"], _json(event)) for event in self.events],
        )

    def _written(self, kept: Kept | None) -> str:
        return _json(to_json(shifted(kept, self.ahead_s))) if kept else ""


def packed(content: dict[str, Any]) -> bytes:
    """JSON, compressed."""
    return zlib.compress(_json(content).encode())


def unpacked(content: bytes) -> dict[str, Any]:
    """What was `packed`."""
    data: dict[str, Any] = json.loads(zlib.decompress(content))
    return data


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
