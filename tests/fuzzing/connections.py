"""Whole connections as a fuzzing target: a client, the hot path, and two replicas that say what the octets tell them to.

The octets are a script: pieces divided by 0xFF, the first octet of each saying what happens: `r` and `s` are octets from the newest and
the oldest connection of a replica, `x` and `X` the client's half-close and close, `y` and `z` a replica's close and reset, `t` the passing
of time, `n` a client that comes anew; everything else is octets from the client.

What must hold, whatever happens: no fault in our own program; what a replica gets are whole requests that we would accept ourselves, one
after the other, or the beginning of one; and when everybody has gone, nothing is in flight, waiting, pooled, connected or being tried.
"""

import contextlib
import select
import socket
import struct
import traceback

from balancer.hotpath import board
from balancer.hotpath.context import Context
from balancer.hotpath.downstream import Downstream
from balancer.hotpath.poller import Poller
from balancer.hotpath.route import Router
from balancer.meters import SharedMeters
from balancer.scoreboard import Scoreboard
from balancer.switch import Switch
from balancer.table import Affinity, By, Per, RateLimit, ReplicaEntry, ReplicaState, RouteEntry, RoutingTable, ServiceEntry
from tests.hotpath.driver import RequestReader, read

SECOND_US = 1_000_000
TURNS_MOST = 50
REPLICAS = 2
_RESET = struct.pack("ii", 1, 0)


class World:
    """One worker's hot path, used again for each script."""

    def __init__(self) -> None:
        self.listeners = [listening() for _ in range(REPLICAS)]
        self.scoreboard = Scoreboard.create(1, services=2, replicas=4)
        self.meters = SharedMeters.create(1)
        self.now_us = SECOND_US
        self.faults: list[str] = []
        self.context = Context(Poller(), self.scoreboard.row(0), Router([]), lambda: self.now_us)
        self.context.meters = self.meters.row(0)
        self.context.fault = lambda what: self.faults.append(f"{what}: {traceback.format_exc()}")
        self.context.date_line = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        self.switch = Switch(self.context, lambda: 0.5, lambda: self.now_us)
        self.switch.take(table([f"unix:{listener.getsockname().decode()}" for listener in self.listeners]))
        self.client: socket.socket | None = None
        self.wires: dict[int, socket.socket] = {}  # the replicas' connections, by their descriptor, the oldest first
        self.got: dict[int, bytes] = {}
        self.far = select.epoll()
        for listener in self.listeners:
            self.far.register(listener, select.EPOLLIN)

    def run(self, script: bytes) -> None:
        """One execution. Raises AssertionError."""
        self.come()
        for piece in script.split(b"\xff"):
            self.act(piece[:1], piece[1:])
            self.turn()
        self.leave()
        self.must_be_settled()

    def close(self) -> None:
        """Give everything back."""
        self.leave()
        for listener in self.listeners:
            listener.close()
        self.far.close()
        self.context.poller.close()
        self.scoreboard.close()
        self.meters.close()

    def come(self) -> None:
        """A client connects."""
        self.go()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self.client = theirs
        self.far.register(theirs, select.EPOLLIN)
        Downstream(self.context, ours.detach(), b"192.0.2.1").start()

    def go(self) -> None:
        """The client has gone."""
        if self.client is not None:
            self.client.close()
            self.client = None

    def act(self, what: bytes, octets: bytes) -> None:
        """One thing happens."""
        if what in (b"r", b"s", b"y", b"z"):
            self.replica(what, octets)
        elif what == b"x" and self.client is not None:
            self.client.shutdown(socket.SHUT_WR)
        elif what == b"X":
            self.go()
        elif what == b"n":
            self.come()
        elif what == b"t":
            self.now_us += (1 + len(octets) ** 2) * SECOND_US // 10
        elif self.client is not None:
            send(self.client, octets)

    def replica(self, what: bytes, octets: bytes) -> None:
        """A replica does something on one of its connections."""
        if not self.wires:
            return
        wires = list(self.wires.values())
        wire = wires[0 if what == b"s" else -1]
        if what in (b"r", b"s"):
            send(wire, octets)
            return
        if what == b"z":
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        del self.wires[wire.fileno()]
        wire.close()

    def turn(self) -> None:
        """Let everybody take what is there, until nothing moves."""
        context = self.context
        context.wheel.advance(self.now_us)
        for service in self.switch.waiting():
            context.serve_on_tick(service)
        if context.hedging:
            context.hedge_due()
        for _ in range(TURNS_MOST):
            context.poller.turn(0.0)
            moved = self.far.poll(0.0)
            for fd, _event in moved:
                self.take(fd)
            if not moved:
                return

    def take(self, fd: int) -> None:
        """Something has come for the client or a replica."""
        if fd in self.wires:
            self.receive(fd)
        elif self.client is not None and fd == self.client.fileno():
            if not take(self.client):
                self.far.unregister(fd)
        else:
            for listener in self.listeners:
                if listener.fileno() == fd:
                    self.accept(listener)

    def receive(self, fd: int) -> None:
        """Octets for a replica; at the end of them it stops listening."""
        octets = take(self.wires[fd])
        self.got[fd] = self.got.get(fd, b"") + octets
        if not octets:
            self.far.unregister(fd)

    def accept(self, listener: socket.socket) -> None:
        """A replica takes a connection that is made to it."""
        wire, _ = listener.accept()
        wire.setblocking(False)
        fd = wire.fileno()
        self.judge(fd)
        self.wires[fd] = wire
        self.far.register(fd, select.EPOLLIN)

    def judge(self, fd: int) -> None:
        """What a replica got on a connection is what we would accept."""
        got = self.got.pop(fd, b"")
        if got:
            reader = read(RequestReader(), [got])
            assert reader.status == 0, (reader.status, got)
            assert not reader.dropped, got

    def leave(self) -> None:
        """Everybody goes, and time passes."""
        self.go()
        self.turn()
        for wire in self.wires.values():
            wire.close()
        self.wires.clear()
        for _ in range(2):
            self.turn()
            self.now_us += 1000 * SECOND_US

    def must_be_settled(self) -> None:
        """Nothing is left."""
        for fd in list(self.got):
            self.judge(fd)
        assert not self.faults, self.faults[0]
        row = self.context.row
        left = [row.in_flight(slot) for slot in range(REPLICAS)]
        left += [self.scoreboard.replica(slot, 0).pooled for slot in range(REPLICAS)]
        left += [row.waiting_everywhere(0), row.sum_service(0, board.RETRYING), self.scoreboard.worker(0).connections]
        left += [len(self.context.connections), len(self.context.full), len(self.context.hedging)]
        assert not any(left), left


def table(addresses: list[str]) -> RoutingTable:
    """Two replicas, and everything that there is to try on the way to them."""
    replicas = tuple(ReplicaEntry(f"app-{n}", n, address, ReplicaState.READY) for n, address in enumerate(addresses))
    app = ServiceEntry(
        name="app",
        slot=0,
        max_concurrency=1,
        hedge_s=0.5,
        affinity=Affinity(By.SESSION, "s", "00ff", "; Path=/"),
        rates=(RateLimit(Per.HEADER, 1e6, 1_000_000, "x-key"),),
        replicas=replicas,
    )
    return RoutingTable(1, (RouteEntry("", "/", "app"), RouteEntry("", "/api", "app", body=1000)), (app,))


def listening() -> socket.socket:
    """A replica's socket, under a name that the kernel chooses (unix(7), autobind)."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("")
    listener.listen(128)
    listener.setblocking(False)
    return listener


def send(wire: socket.socket, octets: bytes) -> None:
    """As much as fits."""
    with contextlib.suppress(OSError):
        wire.send(octets)


def take(wire: socket.socket) -> bytes:
    """What has come."""
    try:
        return wire.recv(1 << 18)
    except OSError:
        return b""


worlds: list[World] = []


def connections(data: bytes) -> None:
    """One execution, in the one world of this process."""
    if not worlds:
        worlds.append(World())
    try:
        worlds[0].run(data)
    except BaseException:
        worlds.pop().close()  # what is left of it would be blamed on the next one
        raise
