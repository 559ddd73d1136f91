"""The access log: one line per request, in JSON or in the Common Log Format, written by a thread of its own.

Invariants: the data path only appends to a bounded queue; what does not fit is dropped and counted; a full disk or a slow terminal
slows nothing down. Nothing a client sends can forge a line: every control character and quote is escaped.
"""

import json
import threading
import time
from collections import deque
from io import FileIO
from typing import NamedTuple

from balancer import limits
from balancer.hotpath import board
from balancer.hotpath.downstream import Downstream
from balancer.hotpath.exchange import Exchange
from balancer.hotpath.row import Row

_BATCH = 1000
_WAIT_S = 1.0


class Entry(NamedTuple):
    """One line's facts. client: who asked, as far as trusted proxies say; peer: who is connected. time: seconds since the epoch;
    bytes_in, bytes_out: contents of request and answer, in octets."""

    time: float
    client: str
    peer: str = ""
    method: bytes = b""
    host: bytes = b""
    target: bytes = b""
    version: str = ""
    status: int = 0
    duration_s: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0
    service: str = ""
    replica: str = ""
    attempts: int = 0
    referer: bytes = b""
    user_agent: bytes = b""


class AccessLog:
    """Writes to `target`: "-" is standard output, anything else a file that is appended to. `reopen` follows a rotation."""

    def __init__(self, target: str, style: str, row: Row) -> None:
        self._target = target
        self._format = clf_line if style == "clf" else json_line
        self._row = row
        self._lines: deque[str] = deque()
        self._filled = threading.Event()
        self._closing = False
        self._reopen = False
        self._out: FileIO | None = None
        self._torn = False  # the target took half a line
        self._thread = threading.Thread(target=self._write, name="access-log", daemon=True)
        self._thread.start()

    def record(self, exchange: Exchange, now_us: int) -> None:
        """Put one finished request in the queue."""
        self._append(entry_of(exchange, now_us))

    def record_refused(self, downstream: Downstream, status: int, _now_us: int) -> None:
        """Put one request in the queue that could not be read: little is known of it."""
        peer = downstream.peer.decode()
        self._append(Entry(time=round(time.time(), 3), client=peer, peer=peer, status=status))

    def _append(self, entry: Entry) -> None:
        if len(self._lines) >= limits.LOG_LINES:
            self._row.count(board.LOG_DROPPED)
            return
        self._lines.append(self._format(entry))
        self._filled.set()

    def reopen(self) -> None:
        """Open the file anew before the next batch of lines."""
        self._reopen = True

    def close(self) -> None:
        """Write what is queued, for at most a second."""
        self._closing = True
        self._filled.set()
        self._thread.join(_WAIT_S)

    def _write(self) -> None:
        while not (self._closing and not self._lines):
            self._filled.wait(_WAIT_S)
            self._filled.clear()
            while self._lines:
                batch = [self._lines.popleft() for _ in range(min(_BATCH, len(self._lines)))]
                written = self._put("".join(batch).encode())
                self._row.count(board.LOG_WRITTEN, written)
                self._row.count(board.LOG_DROPPED, len(batch) - written)
        self._end()

    def _put(self, octets: bytes) -> int:
        """Write lines; returns how many the target took whole. After half a line, the next batch begins on a new one."""
        done = 0
        try:
            out = self._opened()
            if self._torn:
                out.write(b"\n")
                self._torn = False
            while done < len(octets):
                taken = out.write(memoryview(octets)[done:])
                if taken is None:
                    raise BlockingIOError(f"{self._target} takes nothing more now")
                done += taken
        except OSError:  # a full disk, a missing folder, a closed pipe: what was not taken is counted as dropped
            self._torn = self._torn or (done > 0 and octets[done - 1 : done] != b"\n")
        return octets.count(b"\n", 0, done)

    def _opened(self) -> FileIO:
        """The target, without a buffer: lines counted as dropped must not turn up later. Raises OSError."""
        if self._reopen:
            self._reopen = False
            self._end()
        if self._out is None:
            self._out = FileIO(1, "w", closefd=False) if self._target == "-" else FileIO(self._target, "a")
        return self._out

    def _end(self) -> None:
        out, self._out = self._out, None
        if out is not None:
            out.close()


def entry_of(exchange: Exchange, now_us: int) -> Entry:
    """What is logged of a finished request."""
    block = exchange.block
    assert block is not None
    return Entry(
        time=round(time.time(), 3),
        client=believed_client(exchange),
        peer=exchange.downstream.peer.decode(),
        method=exchange.method,
        host=block.authority,
        target=exchange.target,
        version=f"HTTP/1.{exchange.minor}",
        status=exchange.status,
        duration_s=round((now_us - exchange.began_us) / 1e6, 6),
        bytes_in=exchange.upload.body.passed,
        bytes_out=exchange.relay.body.passed,
        service=exchange.service.name if exchange.service else "",
        replica=exchange.last_replica.name if exchange.last_replica else "",
        attempts=exchange.attempts,
        referer=block.referer,
        user_agent=block.user_agent,
    )


def believed_client(exchange: Exchange) -> str:
    """The peer; if that is a trusted proxy, the nearest address before it that is none, as nginx's real_ip_recursive has it."""
    client = exchange.downstream.peer.decode()
    block = exchange.block
    if block is None or not exchange.downstream.trusted:
        return client
    for hop in reversed(block.forwarded_for.decode("latin-1").split(",")):
        try:
            trusted = exchange.context.trusts(hop.strip())
        except ValueError:  # not an address: nothing before it can be believed either
            return client
        client = hop.strip()
        if not trusted:
            return client
    return client


def json_line(entry: Entry) -> str:
    """One JSON object: times in seconds, sizes of contents in octets."""
    record = {name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in entry._asdict().items()}
    return json.dumps(record, separators=(",", ":")) + "\n"


def clf_line(entry: Entry) -> str:
    """The Combined Log Format: the Common one with referer and user agent, as nginx and Apache write it."""
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(entry.time))
    line = f"{_escape(entry.method)} {_escape(entry.target)} {entry.version}" if entry.method else "-"
    agents = f'"{_escape(entry.referer) or "-"}" "{_escape(entry.user_agent) or "-"}"'
    return f'{entry.client} - - [{stamp}] "{line}" {entry.status} {entry.bytes_out or "-"} {agents}\n'


def _escape(octets: bytes) -> str:
    r"""Quotes, backslashes and everything that is not printable ASCII as \xHH, as nginx does."""
    return "".join(chr(octet) if 0x20 <= octet < 0x7F and octet not in (0x22, 0x5C) else f"\\x{octet:02X}" for octet in octets)
