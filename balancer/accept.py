"""The listening sockets that one worker accepts on, which can be replaced.

Invariants: the sockets belong to the controller; closing them here closes no port. What waits in a queue is taken before it is let go.
"""

import socket

from balancer.hotpath.context import Context
from balancer.hotpath.listener import Listener
from balancer.hotpath.watched import READ


class Acceptor:
    """Accepts on a set of listening sockets."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listeners: list[Listener] = []

    def replace(self, descriptors: list[int]) -> None:
        """Accept on these from now on; what waits in the queues of the old ones is taken first."""
        old = self._listeners
        self._listeners = [Listener(self._context, socket.socket(fileno=fd)) for fd in descriptors]
        for listener in self._listeners:
            listener.sock.setblocking(False)
        self.resume()
        self._close(old)

    def resume(self) -> None:
        """Accept again where that had to stop."""
        for listener in self._listeners:
            self._context.poller.want(listener, READ)

    def close(self) -> None:
        """Take what waits and accept no more."""
        old, self._listeners = self._listeners, []
        self._close(old)

    def _close(self, listeners: list[Listener]) -> None:
        for listener in listeners:
            while listener.accept():
                continue
            # Closing is not enough for the kernel to let go of it: the controller has the same socket open.
            self._context.poller.want(listener, 0)
            listener.sock.close()
