"""Deadlines that cost nothing per request: a coarse wheel of buckets.

A thing with a deadline sets its own `deadline_us` as often as it likes; the wheel looks at it only when the bucket comes round in
which it was put. Invariants: it expires at its deadline or up to two `TICK_US` later (later still where very many are due at once),
never before; a thing stands in one bucket at most. The wheel reads no clock.
"""

from collections import deque

from balancer.hotpath.watched import Watched

TICK_US = 100_000
_TICK_US = TICK_US  # the same, as a C integer where that is compiled


class Wheel:
    """Buckets of things by the tick at which to look at them."""

    def __init__(self, now_us: int) -> None:
        self.buckets: dict[int, set[Watched]] = {}
        self.due: deque[tuple[Watched, int]] = deque()  # from buckets that came round, with their ticks
        self.last = now_us // _TICK_US

    def watch(self, item: Watched) -> None:
        """Make sure that the item is looked at by its deadline. Needed only when that became earlier than it was."""
        tick = item.deadline_us // _TICK_US + 1
        if tick <= self.last:
            tick = self.last + 1
        if item.tick:
            if item.tick <= tick:
                return
            self.forget(item)
        item.tick = tick
        bucket = self.buckets.get(tick)
        if bucket is None:
            self.buckets[tick] = bucket = set()
        bucket.add(item)

    def forget(self, item: Watched) -> None:
        """Let go of the item."""
        if item.tick:
            bucket = self.buckets.get(item.tick)
            if bucket is not None:
                bucket.discard(item)
            item.tick = 0

    def advance(self, now_us: int, most: int = 1_000_000_000) -> bool:
        """Expire what is due, and put what is not in a later bucket. To be called about every tick.

        most: so many at once; True: there are more, which are to be expired soon. Where thousands are due in one moment, others shall not
        have to wait for all of them.
        """
        until = now_us // _TICK_US
        due = range(self.last + 1, until + 1)
        ticks = [tick for tick in due if tick in self.buckets] if len(due) <= len(self.buckets) else self._until(until)
        self.last = until
        for tick in ticks:
            for item in self.buckets.pop(tick):
                self.due.append((item, tick))
        for _ in range(min(most, len(self.due))):
            item, tick = self.due.popleft()
            if item.tick == tick:  # else it was let go of meanwhile
                item.tick = 0
                self.look_at(item, now_us)
        return len(self.due) > 0

    def look_at(self, item: Watched, now_us: int) -> None:
        """One whose bucket has come round."""
        if item.deadline_us == 0:
            return
        if item.deadline_us > now_us:
            self.watch(item)
            return
        try:
            item.expire(now_us)
        except Exception:
            item.fail()

    def _until(self, until: int) -> list[int]:
        """After a long pause, the ticks that have a bucket are fewer than those that passed."""
        return sorted(tick for tick in self.buckets if tick <= until)
