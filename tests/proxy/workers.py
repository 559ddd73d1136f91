"""Real workers without a controller: processes of `balancer.worker` with a routing table that the test gives them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from balancer.channel import Channel
from balancer.scoreboard import Scoreboard
from balancer.table import ReplicaEntry, ReplicaState, RouteEntry, RoutingTable, ServiceEntry, Settings, to_wire

ACK_S = 10.0


class Workers:
    """`count` workers that share one port."""

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self.scoreboard = Scoreboard.create(count, services=16, replicas=64)
        self.wakers = [os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(count)]
        self.listeners = _listeners(count)
        self.port = int(self.listeners[0].getsockname()[1])
        self.channels: list[Channel] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.messages: list[dict[str, Any]] = []
        self.table = RoutingTable()
        for row in range(count):
            self._start(row)

    def _start(self, row: int) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "balancer.worker", "--channel", str(theirs.fileno()), "--row", str(row)]
        self.processes.append(subprocess.Popen(command, pass_fds=[theirs.fileno()]))
        theirs.close()
        channel = Channel(ours)
        self.channels.append(channel)
        channel.send("setup", [self.scoreboard.fd, *self.wakers], row=row, workers=self.count)
        channel.send("listeners", [self.listeners[row].fileno()], addresses=[])

    def use(self, table: RoutingTable) -> None:
        """Give every worker this table and wait until each has acknowledged it."""
        self.table = replace(table, generation=self.table.generation + 1)
        for channel in self.channels:
            channel.send("table", table=to_wire(self.table))
        waiting = set(range(self.count))
        end = time.monotonic() + ACK_S
        while waiting:
            if time.monotonic() > end:
                raise AssertionError(f"workers {waiting} did not acknowledge in {ACK_S} s")
            for row in list(waiting):
                if any(m["kind"] == "ack" and m["generation"] == self.table.generation for m in self.hear(row)):
                    waiting.discard(row)
            time.sleep(0.005)

    def hear(self, row: int = 0) -> list[dict[str, Any]]:
        """What a worker has said since it was last asked; all of it is kept in `messages`."""
        self.channels[row].flush()
        fresh = [message for message, _ in self.channels[row].receive()]
        self.messages += fresh
        return fresh

    def now_us(self) -> int:
        """The clock of the scoreboard."""
        return time.monotonic_ns() // 1000

    def in_flight(self, slot: int = 0) -> int:
        """Requests in flight on a replica."""
        return self.scoreboard.in_flight(slot)

    def drain(self, deadline_s: float) -> None:
        """Tell all workers to finish."""
        for channel in self.channels:
            channel.send("drain", deadline_s=deadline_s)

    def close(self) -> None:
        """End everything."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        for channel in self.channels:
            channel.close()
        for listener in self.listeners:
            listener.close()
        for waker in self.wakers:
            os.close(waker)
        self.scoreboard.close()


def _listeners(count: int) -> list[socket.socket]:
    made: list[socket.socket] = []
    port = 0
    for _ in range(count):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
        port = listener.getsockname()[1]
        made.append(listener)
    return made


@contextmanager
def workers(table: RoutingTable | None = None, count: int = 1) -> Iterator[Workers]:
    """Workers that are gone at the end."""
    made = Workers(count)
    try:
        made.use(table or RoutingTable())
        yield made
    finally:
        made.close()


def table_of(*services: ServiceEntry, routes: Sequence[RouteEntry] = (), settings: Settings | None = None) -> RoutingTable:
    """A table in which, unless told otherwise, everything goes to the first service."""
    return RoutingTable(
        routes=tuple(routes) or (RouteEntry("", "/", services[0].name),), services=services, settings=settings or Settings()
    )


def service_of(*addresses: str, name: str = "app", slot: int = 0, **options: Any) -> ServiceEntry:
    """A service with a READY replica at each address."""
    first = slot * 8
    replicas = tuple(
        ReplicaEntry(f"{name}-{number}", first + number, address, ReplicaState.READY) for number, address in enumerate(addresses)
    )
    return ServiceEntry(name, slot, replicas=replicas, **options)
