"""The worker's event loop: readiness of sockets, handed straight to the things they belong to.

Invariants: level-triggered, so nothing is lost if it is left for the next turn; a thing that was first watched during a turn gets none
of that turn's events, for its descriptor may have been another's when they were fetched; idle connections to replicas come first, so
that one which has ended, or brought octets nobody asked for, is gone before a request of the same turn would be sent on it. It knows
nothing of deadlines: whoever turns it says how long it may wait.
"""

import select
from collections.abc import Callable
from typing import Any

from balancer.hotpath import system
from balancer.hotpath.watched import READ, WRITE, Watched

BATCH = 64  # events in one turn


class Poller:
    """An epoll instance and what it watches."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.fd = self.epoll.fileno()
        self.watched: list[Watched | None] = []  # by descriptor
        self.batch = 1
        self.stopped = False
        self.alone = False  # there is no other thread in this process
        self.soon: list[tuple[Callable[[Any], None], Any]] = []

    def want(self, item: Watched, interest: int) -> None:
        """Tell the item when it can READ, WRITE, both, or neither (0)."""
        before = item.interest
        if interest == before:
            return
        item.interest = interest
        if not interest:
            self.watched[item.fd] = None
            system.unregister(self.epoll, self.fd, item.fd)
        elif before:
            system.modify(self.epoll, self.fd, item.fd, interest)
        else:
            item.batch = self.batch
            self.place(item)
            system.register(self.epoll, self.fd, item.fd, interest)

    def place(self, item: Watched) -> None:
        """Find the item under its descriptor from now on."""
        missing = item.fd + 1 - len(self.watched)
        if missing > 0:
            self.watched += [None] * missing
        self.watched[item.fd] = item

    def forget(self, item: Watched) -> None:
        """The item's descriptor is about to be closed, and the kernel will take it out by itself."""
        if item.interest:
            item.interest = 0
            self.watched[item.fd] = None

    def call_soon(self, callback: Callable[[Any], None], argument: Any) -> None:
        """Call it at the end of this turn, or of the next one."""
        self.soon.append((callback, argument))

    def turn_until(self, moment_us: int) -> None:
        """Turn after turn until that moment of `clock_us`, or until `stop` is called during one of them."""
        self.stopped = False
        left_us = moment_us - system.clock_us()
        self.turn(max(left_us, 0) / 1e6)  # at least one, however long it took to come here
        while not self.stopped:
            left_us = moment_us - system.clock_us()
            if left_us <= 0:
                return
            self.turn(left_us / 1e6)

    def stop(self) -> None:
        """Let `turn_until` return after this turn."""
        self.stopped = True

    def turn(self, timeout_s: float) -> None:
        """Wait for events, for at most so long, and hand out a batch of them. An error or a hang-up goes to whoever asked for anything."""
        self.batch += 1
        watched = self.watched
        events = system.wait(self.epoll, self.fd, BATCH, 0.0 if self.soon else timeout_s, self.alone)
        for event in events.found[: events.count]:
            item = watched[event >> 5]
            if item is not None and item.first:
                self.hand_out(item, READ)
        for event in events.found[: events.count]:
            item = watched[event >> 5]
            if item is not None and item.batch != self.batch:
                self.hand_out(item, event & 31)
        if self.soon:
            self.call_now()

    def hand_out(self, item: Watched, ready: int) -> None:
        """Tell one thing what it can do; a fault in our own program ends that thing only."""
        try:
            if item.interest & WRITE and ready != READ:
                item.on_writable()
            if item.interest & READ and ready != WRITE:
                item.on_readable()
        except Exception:
            item.fail()

    def call_now(self) -> None:
        """Make the calls that were asked for; what these ask for comes in the next turn."""
        calls, self.soon = self.soon, []
        for callback, argument in calls:
            callback(argument)

    def close(self) -> None:
        """Give the descriptor back."""
        self.epoll.close()
