"""The Unix socket between the controller and one worker: JSON messages, each with its length before it, and descriptors.

Invariants: neither side ever blocks on the other (the controller may be stopped for minutes, a worker may hang); a routing table
that has not begun to be sent is replaced by a newer one, so that what waits is bounded. What the messages mean is not known here.

Messages to a worker: setup (descriptors: scoreboard, one wake eventfd per worker row), listeners (descriptors), table, reopen (the access
  log), drain
Messages to the controller: ready, ack {generation}, refused {service, replica}, wake {service}, error {what}
"""

import array
import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

from balancer import limits

_LENGTH = struct.Struct(">I")
_READ = 256 * 1024
_MAX_FDS = 128
_FDS_SPACE = socket.CMSG_SPACE(_MAX_FDS * array.array("i").itemsize)


class ChannelClosed(ConnectionError):  # noqa: N818 - it is an event in the life of a channel, not a fault
    """The other side is gone."""


class Channel:
    """One end. The owner watches `fileno` for reading, and for writing while `wants_write`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._received = bytearray()
        self._fds: list[int] = []
        self._sending = memoryview(b"")  # what is left of the message that has begun to be sent
        self._queue: list[tuple[str, bytes, Sequence[int]]] = []

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._sending or self._queue)

    def send(self, kind: str, fds: Sequence[int] = (), **fields: Any) -> None:
        """Queue a message and send what can be sent now. A newer `table` replaces one that waits. Raises ChannelClosed.

        fds (at most 128) stay the caller's, who keeps them open until nothing waits to be sent any more.
        """
        assert len(fds) <= _MAX_FDS
        body = json.dumps({"kind": kind, "fds": len(fds), **fields}, separators=(",", ":")).encode()
        if kind == "table":
            self._queue = [entry for entry in self._queue if entry[0] != "table"]
        self._queue.append((kind, _LENGTH.pack(len(body)) + body, fds))
        self.flush()

    def flush(self) -> None:
        """Send what can be sent without blocking. Raises ChannelClosed."""
        try:
            while self.wants_write:
                if self._sending:
                    self._sending = self._sending[self._sock.send(self._sending) :]
                else:
                    self._begin()
        except BlockingIOError:
            return
        except OSError as gone:
            raise ChannelClosed(str(gone)) from gone

    def _begin(self) -> None:
        """Send the first octets of the next message: its descriptors ride on them. It stays in the queue if none can be sent."""
        _, data, fds = self._queue[0]
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self._sending = memoryview(data)[self._sock.sendmsg([data], ancillary) :]
        del self._queue[0]

    def receive(self) -> list[tuple[dict[str, Any], list[int]]]:
        """The whole messages that have arrived, each with its descriptors (now the caller's).

        Raises ChannelClosed at the end, and for what no other end of a channel sends.
        """
        self._fill()
        messages = []
        while len(self._received) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received)
            if length > limits.MESSAGE:
                raise ChannelClosed(f"a message of {length} octets is over the limit of {limits.MESSAGE}")
            end = _LENGTH.size + length
            if len(self._received) < end:
                break
            messages.append(self._opened(bytes(self._received[_LENGTH.size : end])))
            del self._received[:end]
        return messages

    def _opened(self, body: bytes) -> tuple[dict[str, Any], list[int]]:
        try:
            message = json.loads(body)
            return message, [self._fds.pop(0) for _ in range(message.pop("fds"))]
        except (ValueError, LookupError, TypeError, AttributeError) as wrong:
            raise ChannelClosed(f"the other side sent what is no message: {body[:80]!r}") from wrong

    def _fill(self) -> None:
        try:
            # Not socket.recv_fds: it ignores its flags, and programs started from here would inherit what it receives.
            data, ancillary, flags, _ = self._sock.recvmsg(_READ, _FDS_SPACE, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError as gone:
            raise ChannelClosed(str(gone)) from gone
        for level, kind, octets in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                self._fds += array.array("i", octets)
        if flags & socket.MSG_CTRUNC:
            raise ChannelClosed("descriptors were lost: too many in one message, or too many open (ulimit -n)")
        if not data:
            raise ChannelClosed("the other side closed the channel")
        self._received += data

    def close(self) -> None:
        """Close the socket and any descriptor nobody asked for."""
        for fd in self._fds:
            os.close(fd)
        self._sock.close()
