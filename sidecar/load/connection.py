"""One connection of a load: a request goes out, an answer comes in, and the generator is told.

Invariants: one request at a time; an idle connection is watched too, so that one which ended is not used; after `close` no callback
comes. Whoever turns the loop calls `on_event`.
"""

import select
import socket
from typing import TYPE_CHECKING

from balancer.hotpath.head import Refusal
from sidecar.load.answer import Answer
from sidecar.load.tally import Failure

if TYPE_CHECKING:
    from sidecar.load.generator import Generator

RECEIVE = 64 * 1024
READ = select.EPOLLIN
WRITE = select.EPOLLOUT


class Connection:
    """A socket and the request on it. due_ns, sent_ns: of that request. used: it has carried one before."""

    __slots__ = (
        "_octets",
        "_outgoing",
        "_receive",
        "_send",
        "answer",
        "busy",
        "due_ns",
        "fd",
        "generator",
        "sent_ns",
        "sock",
        "used",
    )

    def __init__(self, generator: "Generator") -> None:
        """Begin to connect. Raises OSError."""
        family, address = generator.target.places[0]
        self.generator = generator
        self.sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            if family != socket.AF_UNIX:
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock.connect(address)
        except BlockingIOError:
            if family == socket.AF_UNIX:  # its backlog is full: connect(2) will not finish later
                self.sock.close()
                raise
        except OSError:
            self.sock.close()
            raise
        self.fd = self.sock.fileno()
        self.answer = Answer(generator.framings)
        self.busy = self.used = False
        self.due_ns = self.sent_ns = 0
        self._octets = generator.request.octets
        self._outgoing = b""
        self._receive, self._send = self.sock.recv, self.sock.send

    def begin(self, due_ns: int, now_ns: int) -> None:
        """Send the request. What cannot be sent yet, or any more, shows itself in the next event: nothing is closed here."""
        self.due_ns, self.sent_ns, self.busy = due_ns, now_ns, True
        self.answer.begin()
        try:
            sent = self._send(self._octets)
        except OSError:
            sent = 0
        if sent < len(self._octets):
            self._outgoing = self._octets[sent:]
            self.generator.watch(self, READ | WRITE)

    def on_event(self, ready: int) -> None:
        """There is something to read, room to write, or the end."""
        if self._outgoing and ready & WRITE:
            self._go_on()
        if ready != WRITE:
            self._read()

    @property
    def reusable(self) -> bool:
        """Whether another request can follow the answer: not on one that came before the request was sent."""
        return self.answer.framing.keeps and not self._outgoing

    def _go_on(self) -> None:
        """Send what is left. A connection that is broken shows itself in reading, after an answer that came early."""
        try:
            sent = self._send(self._outgoing)
        except OSError:
            return
        self._outgoing = self._outgoing[sent:]
        if not self._outgoing:
            self.generator.watch(self, READ)

    def _read(self) -> None:
        try:
            data = self._receive(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not self.busy:  # it ended, or brought octets nobody asked for
            self.generator.dropped(self)
        elif not data:
            self._lost()
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            whole = self.answer.feed(data)
        except Refusal:
            self.generator.failed(self, Failure.MALFORMED)
            return
        if whole:
            self.generator.answered(self)

    def _lost(self) -> None:
        """The connection has ended: with that the answer may be whole."""
        if self.answer.ended():
            self.generator.answered(self)
        else:
            self.generator.failed(self, Failure.BROKEN if self._connected() else Failure.CONNECT)

    def _connected(self) -> bool:
        """Whether there was a connection at all."""
        return self.used or self.answer.begun or self._outgoing != self._octets

    def close(self) -> None:
        """End it now."""
        self.busy = False
        self.sock.close()
