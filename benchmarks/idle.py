"""20,000 keep-alive connections that each made one request and then stay: what they cost in memory, and what they cost the busy ones."""

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks.peers import PROXIES
from benchmarks.rounds import Contestant, Turn
from benchmarks.row import ITSELF, Goal, Row
from benchmarks.stand import Stand, allow_descriptors
from benchmarks.throughput import SMALL, per_cpu_s

IDLE = 20_000
SPARE = 500  # descriptors that we and the proxy need for other things
BATCH = 64  # connections that make their request at the same time
PER_ADDRESS = 5_000  # connections from one client address
REQUEST = b"GET / HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: idle\r\nAccept: */*\r\n\r\n"

MEMORY = Row(
    "idle-memory",
    f"{IDLE:,} idle keep-alive connections: resident memory of each",
    "KiB per connection",
    (Goal("ecluse", 4.0, ITSELF, at_most=True),),
    ITSELF,
)
SHARE = Row(
    "idle-busy",
    "requests per CPU-second of 64 busy connections beside them, of those without them",
    "share",
    (Goal("ecluse", 1.0, ITSELF),),
    ITSELF,
)


class Idle:
    """Each peer anew in each turn, so that memory which a turn has freed is not counted as the next one's."""

    name = "idle"
    rows = (MEMORY, SHARE)
    peers = PROXIES
    needs = ()

    def turn_s(self, seconds: float) -> float:
        """Two loads, 20,000 connections, and the start."""
        return 2 * seconds + 6

    @contextmanager
    def contestants(self, stand: Stand, peers: Sequence[str], seconds: float) -> Iterator[list[Contestant]]:
        """Nothing runs between turns."""
        yield [Contestant(name, partial(self._play, stand, name, seconds)) for name in peers]

    def _play(self, stand: Stand, name: str, seconds: float, _number: int) -> Turn:
        count = min(IDLE, allow_descriptors() - SPARE)
        with stand.started(name, connections=IDLE + SPARE) as peer:
            alone, first = per_cpu_s(stand, peer, SMALL, seconds)
            before = peer.process.resident()
            with connected(peer.port, count):
                after = peer.process.resident()
                beside, second = per_cpu_s(stand, peer, SMALL, seconds)
        fewer = () if count == IDLE else (f"only {count:,} connections: the limit of open files",)
        figures = {MEMORY.name: (after - before) / count / 1024, SHARE.name: beside / alone if alone else 0.0}
        return Turn(figures, (*first, *second, *fewer))


@contextmanager
def connected(port: int, count: int) -> Iterator[list[socket.socket]]:
    """So many connections, each of which has made one request."""
    with ExitStack() as stack:
        socks: list[socket.socket] = []
        while len(socks) < count:
            fresh = [stack.enter_context(_connect(port, number)) for number in range(len(socks), min(len(socks) + BATCH, count))]
            for sock in fresh:
                sock.sendall(REQUEST)
            for sock in fresh:
                _read_answer(sock)
            socks += fresh
        yield socks


def _connect(port: int, number: int) -> socket.socket:
    """From one of several addresses, as clients come; each has its own 28,000 ports."""
    sock = socket.create_connection(("127.0.0.1", port), 10.0, (f"127.0.0.{2 + number // PER_ADDRESS}", 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed by a reset, which leaves the port free
    return sock


def _read_answer(sock: socket.socket) -> None:
    """One answer with its body of 100 octets. Raises RuntimeError if it is another one."""
    octets = sock.recv(4096)
    while not octets.endswith(b"x" * 100):
        more = sock.recv(4096)
        if not more:
            raise RuntimeError(f"an idle connection was closed after {octets[:80]!r}")
        octets += more
    if not octets.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"an idle connection was answered {octets[:80]!r}")
