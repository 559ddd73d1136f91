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

log = logging.getLogger("ecluse.worker")

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
RETRY_S = 0.1  # after the descriptors or the memory have run out


class Acceptor:
    """Accepts on a set of listening sockets, which can be replaced."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listeners: list[socket.socket] = []

    def replace(self, descriptors: list[int]) -> None:
        """Accept on these from now on; what waits in the queues of the old ones is taken first."""
        old = self._listeners
        self._listeners = [socket.socket(fileno=fd) for fd in descriptors]
        for listener in self._listeners:
            listener.setblocking(False)
            self._context.loop.add_reader(listener.fileno(), self.accept, listener)
        self._close(old)

    def close(self) -> None:
        """Take what waits and accept no more."""
        old, self._listeners = self._listeners, []
        self._close(old)

    def accept(self, listener: socket.socket) -> int:
        """Accept a batch; returns how many there were."""
        for count in range(limits.ACCEPT_BATCH):
            try:
                sock, address = listener.accept()
            except (BlockingIOError, InterruptedError):
                return count
            except ConnectionAbortedError:  # it ended while it waited
                continue
            except OSError as failure:
                if failure.errno in _EXHAUSTED:
                    self._rest(listener, failure)
                    return 0
                raise
            self._welcome(sock, address[0])
        return limits.ACCEPT_BATCH

    def _rest(self, listener: socket.socket, failure: OSError) -> None:
        """Leave connections in the queue for a moment: the socket stays readable, and trying at once again would never end."""
        log.warning("cannot accept: %s; raise the limit of open files (ulimit -n)", failure)
        self._context.loop.remove_reader(listener.fileno())
        self._context.loop.call_later(RETRY_S, self._accept_again, listener)

    def _accept_again(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            self._context.loop.add_reader(listener.fileno(), self.accept, listener)

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

    def _close(self, listeners: list[socket.socket]) -> None:
        for listener in listeners:
            self._context.loop.remove_reader(listener.fileno())
            while self.accept(listener):
                continue
            listener.close()


def _turn_away(sock: socket.socket, date_line: bytes) -> None:
    message = answer(503, "too many connections", False, True, b"Connection: close\r\n", 1, date_line)
    try:
        sock.send(message)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        log.debug("a refused client was gone already")
    sock.close()
