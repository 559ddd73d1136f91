"""Takes connections from the listening sockets of one worker.

Invariants: the sockets belong to the controller; closing them here closes no port. A bounded number is accepted per turn. A
connection over the limit is answered 503 and closed, so that nobody waits for nothing.
"""

import errno
import logging
import socket

from balancer import limits
from balancer.hotpath import board
from balancer.hotpath.answers import answer
from balancer.hotpath.context import Context
from balancer.hotpath.downstream import Downstream
from balancer.hotpath.watched import READ, Watched

log = logging.getLogger("ecluse.worker")

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Listener(Watched):
    """One listening socket."""

    def __init__(self, context: Context, sock: socket.socket) -> None:
        super().__init__()
        self._context = context
        self.sock = sock
        self.fd = sock.fileno()

    def on_readable(self) -> None:
        """Accept a batch."""
        self.accept()

    def accept(self) -> int:
        """Accept a batch; returns how many there were."""
        for count in range(limits.ACCEPT_BATCH):
            try:
                sock, address = self.sock.accept()
            except (BlockingIOError, InterruptedError):
                return count
            except ConnectionAbortedError:  # it ended while it waited
                continue
            except OSError as failure:
                if failure.errno not in _EXHAUSTED:
                    raise
                # It stays readable, and trying again at once would never end; `Acceptor.resume` comes with the next tick.
                log.warning("cannot accept: %s; raise the limit of open files (ulimit -n)", failure)
                self._context.poller.want(self, 0)
                return 0
            self._welcome(sock, address[0])
        return limits.ACCEPT_BATCH

    def fail(self) -> None:
        """A fault in our own program: the next connection may fare better."""
        log.exception("a fault while accepting")

    def _welcome(self, sock: socket.socket, peer: str) -> None:
        context = self._context
        context.now_us = context.clock()
        sock.setblocking(False)
        if len(context.connections) >= context.connections_most:
            context.row.count(board.REFUSED)
            _turn_away(sock, context.date_line)
            return
        context.row.count(board.ACCEPTED)
        Downstream(context, sock, peer.removeprefix("::ffff:")).start()


class Acceptor:
    """Accepts on a set of listening sockets, which can be replaced."""

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


def _turn_away(sock: socket.socket, date_line: bytes) -> None:
    message = answer(503, "too many connections", False, True, b"Connection: close\r\n", 1, date_line)
    try:
        sock.send(message)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        log.debug("a refused client was gone already")
    sock.close()
