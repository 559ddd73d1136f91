"""The worker's end of the channel to its controller, watched by the worker's loop. What messages mean is known in `worker.py`.

Invariant: nothing here waits; while the controller is stopped, messages queue up to what the socket takes, and then rare ones are dropped.
"""

import logging
from collections.abc import Callable
from typing import Any

from balancer.channel import Channel, ChannelClosed
from balancer.hotpath.poller import Poller
from balancer.hotpath.watched import READ, WRITE, Watched

log = logging.getLogger("ecluse.worker")


class Link(Watched):
    """Hands messages to `obey`, and calls `lost` once when the controller is gone."""

    def __init__(
        self, poller: Poller, channel: Channel, obey: Callable[[dict[str, Any], list[int]], None], lost: Callable[[], None]
    ) -> None:
        super().__init__()
        self._poller = poller
        self._channel = channel
        self._obey = obey
        self._lost = lost
        self.fd = channel.fileno()
        poller.want(self, READ)

    def tell(self, kind: str, **fields: Any) -> None:
        """Queue a message that must arrive."""
        try:
            self._channel.send(kind, **fields)
        except ChannelClosed:
            return  # the reader will find out
        self._watch()

    def mention(self, kind: str, **fields: Any) -> None:
        """Send a message that will be said again, unless others wait already."""
        if not self._channel.wants_write:
            self.tell(kind, **fields)

    def on_readable(self) -> None:
        """There are messages, or the end."""
        try:
            for message, descriptors in self._channel.receive():
                self._obey(message, descriptors)
        except ChannelClosed:
            self._poller.want(self, 0)
            self._lost()

    def on_writable(self) -> None:
        """There is room again."""
        try:
            self._channel.flush()
        except ChannelClosed:
            self._poller.want(self, 0)
            self._lost()
            return
        self._watch()

    def fail(self) -> None:
        """A fault in our own program: the next message may fare better."""
        log.exception("a fault while obeying the controller")

    def _watch(self) -> None:
        if self.interest:
            self._poller.want(self, READ | WRITE if self._channel.wants_write else READ)
