"""The Unix socket between the controller and one worker: JSON messages, each with its length before it, and descriptors.

Invariants: neither side ever blocks on the other (the controller may be stopped for minutes, a worker may hang); a routing table
that has not begun to be sent is replaced by a newer one, so that what waits is bounded. What the messages mean is not known here.

Messages to a worker:      setup (descriptors: scoreboard, one wake eventfd per worker row), listeners (descriptors), table, drain
Messages to the controller: ready, ack {generation}, refused {service, replica}, wake {service}, error {what}
"""

import array
import json
import socket
import struct
from collections.abc import Sequence
from typing import Any

from balancer import limits

_LENGTH = struct.Struct(">I")
_READ = 256 * 1024
_MAX_FDS = 128


class ChannelClosed(ConnectionError):  # noqa: N818 - it is an event in the life of a channel, not a fault
    """The other side is gone."""


class Channel:
    """One end. The owner watches `fileno` for reading, and for writing while `wants_write`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._received = bytearray()
        self._fds: list[int] = []
        self._sending = b""
        self._queue: list[tuple[str, bytes, Sequence[int]]] = []

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._sending or self._queue)

    def send(self, kind: str, fds: Sequence[int] = (), **fields: Any) -> None:
        """Queue a message and send what can be sent now. A newer `table` replaces one that waits. Raises ChannelClosed."""
        body = json.dumps({"kind": kind, "fds": len(fds), **fields}, separators=(",", ":")).encode()
        if kind == "table":
            self._queue = [entry for entry in self._queue if entry[0] != "table"]
        self._queue.append((kind, _LENGTH.pack(len(body)) + body, fds))
        self.flush()

    def flush(self) -> None:
        """Send what can be sent without blocking. Raises ChannelClosed."""
        try:
            while self.wants_write:
                if not self._sending:
                    _, data, fds = self._queue.pop(0)
                    sent = self._send_first(data, fds)
                    self._sending = data[sent:]
                else:
                    sent = self._sock.send(self._sending)
                    self._sending = self._sending[sent:]
        except BlockingIOError:
            return
        except OSError as gone:
            raise ChannelClosed(str(gone)) from gone

    def _send_first(self, data: bytes, fds: Sequence[int]) -> int:
        """Descriptors ride on the first octets of their message."""
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            return self._sock.sendmsg([data], ancillary)
        except BlockingIOError:
            self._queue.insert(0, ("", data, fds))
            raise

    def receive(self) -> list[tuple[dict[str, Any], list[int]]]:
        """The whole messages that have arrived, each with its descriptors (now the caller's). Raises ChannelClosed at the end."""
        self._fill()
        messages = []
        while len(self._received) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received)
            if length > limits.MESSAGE:
                raise ChannelClosed(f"a message of {length} octets is over the limit of {limits.MESSAGE}")
            end = _LENGTH.size + length
            if len(self._received) < end:
                break
            message = json.loads(self._received[_LENGTH.size : end])
            del self._received[:end]
            count = message.pop("fds")
            messages.append((message, [self._fds.pop(0) for _ in range(count)]))
        return messages

    def _fill(self) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self._sock, _READ, _MAX_FDS)
        except BlockingIOError:
            return
        except OSError as gone:
            raise ChannelClosed(str(gone)) from gone
        self._fds += fds
        if not data:
            raise ChannelClosed("the other side closed the channel")
        self._received += data

    def close(self) -> None:
        """Close the socket and any descriptor nobody asked for."""
        for fd in self._fds:
            socket.close(fd)
        self._sock.close()
