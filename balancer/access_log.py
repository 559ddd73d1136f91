"""The access log: one line per request, in JSON or in the Common Log Format, written by a thread of its own.

Invariants: the data path only appends what it has to a bounded queue (about a microsecond) and seldom wakes the thread; words and
lines are made there. What does not fit is dropped and counted; a full disk or a slow terminal slows nothing down. Nothing a client
sends can forge a line: every control character and quote is escaped.
"""

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from io import FileIO
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

from balancer import limits
from balancer.hotpath import board
from balancer.hotpath.downstream import Downstream
from balancer.hotpath.exchange import Exchange
from balancer.hotpath.fields import value_of
from balancer.hotpath.row import Row

_BATCH = 100  # lines made and written before the data path gets its turn at the interpreter: well under a millisecond
_PAUSE_S = 0.05  # in which lines gather, so that under load the data path wakes the thread 20 times a second
_CLOSE_S = 1.0
_UNSAFE = re.compile(r'[^ -~]|["\\]')


class Entry(NamedTuple):
    """What is known of one request.

    time_s: seconds since the epoch. peer: who is connected. bytes_in, bytes_out: contents of request and answer, in octets.
    fields: the request's header block. forwarded_for, trusts: where the peer is a trusted proxy, for whom it says it asks, and whom
    to believe that.
    """

    time_s: float
    peer: bytes
    status: int
    method: bytes = b""
    host: bytes = b""
    target: bytes = b""
    minor: int = 0
    duration_us: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    service: str = ""
    replica: str = ""
    attempts: int = 0
    fields: bytes = b""
    forwarded_for: bytes = b""
    trusts: Callable[[str], bool] | None = None

    def field(self, name: bytes) -> bytes:
        """The value of one of the request's fields, by its name in lower case."""
        return value_of(self.fields, name)


class AccessLog:
    """Writes to `target`: "-" is standard output, anything else a file that is appended to. `reopen` follows a rotation."""

    def __init__(self, target: str, style: str, row: Row) -> None:
        self._target = target
        self._format = clf_line if style == "clf" else json_line
        self._row = row
        self._entries: deque[Entry] = deque()
        self._filled = threading.Event()
        self._closing = threading.Event()
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
        self._append(Entry(time.time(), downstream.peer, status))

    def _append(self, entry: Entry) -> None:
        if len(self._entries) >= limits.LOG_LINES:
            self._row.count(board.LOG_DROPPED)
            return
        self._entries.append(entry)
        if not self._filled.is_set():
            self._filled.set()

    def reopen(self) -> None:
        """Open the file anew before the next batch of lines."""
        self._reopen = True

    def close(self) -> None:
        """Write what is queued, for at most a second."""
        self._closing.set()
        self._filled.set()
        self._thread.join(_CLOSE_S)

    def _write(self) -> None:
        while self._entries or not self._closing.is_set():
            self._filled.wait()
            self._closing.wait(_PAUSE_S)
            self._filled.clear()  # before the queue is looked at: what comes later sets it again
            while self._entries:
                self._write_batch()
        self._end()

    def _write_batch(self) -> None:
        batch = [self._entries.popleft() for _ in range(min(_BATCH, len(self._entries)))]
        written = self._put("".join(map(self._format, batch)).encode())
        self._row.count(board.LOG_WRITTEN, written)
        self._row.count(board.LOG_DROPPED, len(batch) - written)

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
    """What is logged of a finished request. On the data path: whatever can be worked out later is."""
    block, downstream, service, replica = exchange.block, exchange.downstream, exchange.service, exchange.last_replica
    assert block is not None
    trusted = downstream.trusted
    return Entry(
        time.time(),
        downstream.peer,
        exchange.status,
        exchange.method,
        block.authority,
        exchange.target,
        exchange.minor,
        now_us - exchange.began_us,
        exchange.upload.body.passed,
        exchange.relay.body.passed,
        service.name if service is not None else "",
        replica.name if replica is not None else "",
        exchange.attempts,
        block.lines,
        block.forwarded_for if trusted else b"",
        exchange.context.trusts if trusted else None,
    )


def believed_client(entry: Entry) -> str:
    """The peer; if that is a trusted proxy, the nearest address before it that is none, as nginx's real_ip_recursive has it."""
    client = entry.peer.decode()
    if entry.trusts is None:
        return client
    for hop in reversed(entry.forwarded_for.decode("latin-1").split(",")):
        try:
            trusted = entry.trusts(hop.strip())
        except ValueError:  # not an address: nothing before it can be believed either
            return client
        client = hop.strip().partition("%")[0]  # a zone says nothing here, and could hold anything
        if not trusted:
            return client
    return client


def json_line(entry: Entry) -> str:
    """One JSON object: times in seconds, sizes of contents in octets. Put together here: json.dumps takes three times as long."""
    client, peer = quoted(believed_client(entry)), quoted(entry.peer.decode())
    method, host, target, referer, user_agent = (
        quoted(octets.decode("latin-1"))
        for octets in (entry.method, entry.host, entry.target, entry.field(b"referer"), entry.field(b"user-agent"))
    )
    return (
        f'{{"time":{round(entry.time_s, 3)},"client":{client},"peer":{peer},"method":{method},"host":{host},"target":{target},'
        f'"version":"{_version(entry)}","status":{entry.status},"duration_s":{entry.duration_us / 1e6},'
        f'"bytes_in":{entry.bytes_in},"bytes_out":{entry.bytes_out},"service":{quoted(entry.service)},'
        f'"replica":{quoted(entry.replica)},"attempts":{entry.attempts},"referer":{referer},"user_agent":{user_agent}}}\n'
    )


def clf_line(entry: Entry) -> str:
    """The Combined Log Format: the Common one with referer and user agent, as nginx and Apache write it."""
    line = f"{_escape(entry.method)} {_escape(entry.target)} {_version(entry)}" if entry.method else "-"
    agents = f'"{_escape(entry.field(b"referer")) or "-"}" "{_escape(entry.field(b"user-agent")) or "-"}"'
    return (
        f'{believed_client(entry)} - - [{_stamp(int(entry.time_s))}] "{line}" {entry.status} {entry.bytes_out or "-"} {agents}\n'
    )


def _version(entry: Entry) -> str:
    return f"HTTP/1.{entry.minor}" if entry.method else ""


@lru_cache(maxsize=1)
def _stamp(second: int) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))


def _escape(octets: bytes) -> str:
    r"""Quotes, backslashes and everything that is not printable ASCII as \xHH, as nginx does."""
    return _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02X}", octets.decode("latin-1"))
