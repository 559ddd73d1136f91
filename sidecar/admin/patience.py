"""A connection to the admin API, with bounds on what a slow or silent client may hold: uvicorn has none for heads, bodies and readers.

Invariants: at most `CONNECTIONS` are open, and a new one takes the place of the one on which nothing has been asked for the longest time;
a request is whole `REQUEST_S` after its first octet (the first one: after the connection was made), and of a head that is not whole at
most `HEAD` octets are kept; what was written is taken within `WRITE_S`. What is over is cut without a word: whoever is that slow reads
no answer either.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS: Final = 256
HEAD: Final = 16 * 1024
REQUEST_S: Final = 10.0
WRITE_S: Final = 30.0

_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: the kernel, too, drops what it has not sent
_COMING = (h11.IDLE, h11.SEND_BODY)  # the client's states in which a request is not whole


class _Deadline:
    """Calls `late` unless it is ended in time."""

    def __init__(self, late: Callable[[], None]) -> None:
        self._late = late
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, after_s: float) -> None:
        """From now on, if it has not begun."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(after_s, self._late)

    def end(self) -> None:
        """It was met."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1, with deadlines."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._asked_at_s = self.loop.time()
        self._request = _Deadline(self.cut)
        self._writing = _Deadline(self.cut)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One more; perhaps another one less."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # any octet that is not taken is one that is waited for
        self._request.begin(REQUEST_S)
        if len(self.connections) > CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        super().connection_lost(exc)
        self._request.end()
        self._writing.end()

    def data_received(self, data: bytes) -> None:
        """Octets of a request."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Another request may have come meanwhile, in part."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._watch()

    def pause_writing(self) -> None:
        """The reader is behind."""
        super().pause_writing()
        self._writing.begin(WRITE_S)

    def resume_writing(self) -> None:
        """The reader has taken everything."""
        super().resume_writing()
        self._writing.end()

    def cut(self) -> None:
        """End it at once."""
        self.connections.discard(self)  # no longer one of those that count, though the loop ends it in its next turn only
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def is_unused(self) -> bool:
        """Whether nothing is being answered on it."""
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        """A request's time begins, goes on, or is over."""
        if self.conn.their_state in _COMING:
            self._request.begin(REQUEST_S)
        else:
            self._request.end()
            self._asked_at_s = self.loop.time()

    def _make_room(self) -> None:
        unused = [each for each in self.connections if isinstance(each, Connection) and each.is_unused()]
        min(unused, key=lambda each: each._asked_at_s).cut()
