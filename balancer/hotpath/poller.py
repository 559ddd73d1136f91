"""Readiness of many sockets behind one descriptor: an epoll instance inside the event loop.

The event loop watches a single descriptor; when it is ready, one call fetches a batch of events and each goes straight to the thing it is
for. That spares a handle, a context and a callback object per event, and leaves timers, signals and child processes to the loop.

Invariants: level-triggered, so nothing is lost if it is left for the next batch; a thing that was first watched during a batch gets none of
that batch's events, for its descriptor may have been another's when they were fetched.
"""

import select

from balancer.hotpath.watched import READ, WRITE, Watched

BATCH = 256  # events in one go, before the loop's timers get their turn


class Poller:
    """`fileno` is what the event loop watches, `dispatch` what it calls."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.modify = self.epoll.modify
        self.poll = self.epoll.poll
        self.watched: dict[int, Watched] = {}
        self.batch = 1

    def fileno(self) -> int:
        """The descriptor to watch for reading."""
        return self.epoll.fileno()

    def want(self, item: Watched, interest: int) -> None:
        """Tell the item when it can READ, WRITE, both, or neither (0)."""
        before = item.interest
        if interest == before:
            return
        item.interest = interest
        if not interest:
            self.epoll.unregister(item.fd)
            del self.watched[item.fd]
        elif before:
            self.modify(item.fd, interest)
        else:
            item.batch = self.batch
            self.watched[item.fd] = item
            self.epoll.register(item.fd, interest)

    def forget(self, item: Watched) -> None:
        """The item's descriptor is about to be closed, and the kernel will take it out by itself."""
        if item.interest:
            item.interest = 0
            del self.watched[item.fd]

    def dispatch(self) -> None:
        """Fetch a batch of events and hand them out. An error or a hang-up goes to whoever asked for anything."""
        self.batch += 1
        watched = self.watched
        events = self.poll(0, BATCH)
        for fd, _ in events:
            item = watched.get(fd)
            if item is not None and item.first:
                self.hand_out(item, READ)
        for fd, ready in events:
            item = watched.get(fd)
            if item is not None and item.batch != self.batch:
                self.hand_out(item, ready)

    def hand_out(self, item: Watched, ready: int) -> None:
        """Tell one thing what it can do; a fault in our own program ends that thing only."""
        try:
            if item.interest & WRITE and ready != READ:
                item.on_writable()
            if item.interest & READ and ready != WRITE:
                item.on_readable()
        except Exception:
            item.fail()

    def close(self) -> None:
        """Give the descriptor back."""
        self.epoll.close()
