"""What is held by hand or by the rules: nothing goes down, or nothing changes. The stronger of the two holds.

Minimum and maximum hold also while a service is paused, and a count set by hand beats a pause: both come after this stage.
"""

from typing import Final

from autoscaler.decision import Stage
from autoscaler.rules import Pause, Rules
from autoscaler.snapshot import Snapshot

STRENGTH: Final = (Pause.NONE, Pause.DOWN, Pause.ALL)


def stronger(one: Pause, other: Pause) -> Pause:
    """Of two pauses the one that holds more."""
    return max(one, other, key=STRENGTH.index)


def pause(count: int, snapshot: Snapshot, rules: Rules) -> Stage:
    """The count as far as it may change."""
    held = stronger(snapshot.pause, rules.pause)
    after = snapshot.desired if held is Pause.ALL or (held is Pause.DOWN and count < snapshot.desired) else count
    if after == count:
        return Stage(
            "pause", count, count, "steady", "nothing is paused" if held is Pause.NONE else "the pause is in the way of nothing"
        )
    whose = "by hand" if held is snapshot.pause else "by the rules"
    what = "changes" if held is Pause.ALL else "goes down"
    return Stage("pause", count, after, "paused", f"nothing {what} while it is paused {whose}")
