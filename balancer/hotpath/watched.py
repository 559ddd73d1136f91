"""What the poller and the wheel can hold: something with a descriptor, or a deadline, or both.

Invariant: its fields belong to whoever watches it; `deadline_us` alone is set by the thing itself.
"""

READ = 1  # EPOLLIN
WRITE = 4  # EPOLLOUT


class Watched:
    """fd: -1 is none. interest: READ, WRITE, both or 0. batch: of events, in which it was first watched. first: its events come
    before those of others in a batch.

    deadline_us: 0 is none. tick: of the wheel's bucket that it stands in, 0 is none.
    """

    def __init__(self) -> None:
        self.watch_nothing(-1)

    def watch_nothing(self, fd: int) -> None:
        """What one begins with. Subclasses that are made for every connection call it themselves: `__init__` costs more."""
        self.fd = fd
        self.interest = 0
        self.batch = 0
        self.first = False
        self.deadline_us = 0
        self.tick = 0

    def on_readable(self) -> None:
        """There is something to read."""
        raise NotImplementedError

    def on_writable(self) -> None:
        """There is room to write again."""
        raise NotImplementedError

    def expire(self, now_us: int) -> None:
        """The deadline has passed."""
        raise NotImplementedError

    def fail(self) -> None:
        """A fault in our own program showed itself in one of the above: end this thing, so that it hurts nothing else."""
        raise NotImplementedError
