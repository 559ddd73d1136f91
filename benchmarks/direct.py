"""A real worker without a controller, so that what is measured is the worker alone: it is told what a controller would tell it."""

import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from balancer.channel import Channel
from balancer.delta import Chronicle
from balancer.meters import SharedMeters
from balancer.scoreboard import Scoreboard
from balancer.table import ReplicaEntry, ReplicaState, RouteEntry, RoutingTable, ServiceEntry
from benchmarks.processes import Process
from benchmarks.stand import Running, Stand

WORKER = (sys.executable, "-m", "balancer.worker")
DEADLINE_S = 20.0
_PAUSE_S = 0.01


class Director:
    """The controller's end of one worker's channel."""

    def __init__(self, channel: Channel, scoreboard: Scoreboard) -> None:
        self._channel = channel
        self._scoreboard = scoreboard
        self._chronicle = Chronicle()

    def send(self, table: RoutingTable) -> None:
        """Give the worker this table, numbered, and wait for nothing."""
        self._chronicle.enter(replace(table, generation=self._chronicle.table.generation + 1))
        self._channel.send("table", table=self._chronicle.since(self._scoreboard.worker(0).generation))

    def acknowledged(self) -> bool:
        """Whether the worker uses the latest table."""
        self._channel.flush()
        self._channel.receive()
        return self._scoreboard.worker(0).generation == self._chronicle.table.generation

    def use(self, table: RoutingTable) -> None:
        """Give the worker this table and wait until it uses it. Raises RuntimeError if it does not."""
        self.send(table)
        end = time.monotonic() + DEADLINE_S
        while not self.acknowledged():
            if time.monotonic() > end:
                raise RuntimeError("the worker does not acknowledge its routing table")
            time.sleep(_PAUSE_S)


@contextmanager
def worker(
    stand: Stand,
    table: RoutingTable,
    command: Sequence[str] = WORKER,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[Running, Director]]:
    """A worker on the proxy's core that uses the table and listens."""
    ours, theirs = socket.socketpair()
    scoreboard, meters, waker = Scoreboard.create(1), SharedMeters.create(1), os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    with ours, theirs, socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        log = stand.folder / f"worker-{listener.fileno()}.log"
        words = [*command, "--channel", str(theirs.fileno()), "--row", "0"]
        process = Process(words, stand.cores.proxy, log, environment, keep=[theirs.fileno()])
        try:
            channel = Channel(ours)
            channel.send("setup", [scoreboard.fd, meters.fd, waker], row=0, workers=1)
            channel.send("listeners", [listener.fileno()], addresses=[])
            director = Director(channel, scoreboard)
            director.use(table)
            yield Running(process, listener.getsockname()[1]), director
        finally:
            ours.close()  # a worker takes no signals; without a controller it finishes and ends
            process.wait()
            process.end()
            os.close(waker)
            scoreboard.close()
            meters.close()


def table_of(services: int, replicas: int, address: str) -> RoutingTable:
    """So many services, each with a Host of its own and so many replicas, all of them READY and all at one address."""
    entries = tuple(_service(number, replicas, address) for number in range(services))
    return RoutingTable(
        routes=tuple(RouteEntry(f"{entry.name}.example.com", "/", entry.name) for entry in entries), services=entries
    )


def _service(number: int, replicas: int, address: str) -> ServiceEntry:
    name, first = f"app-{number}", number * replicas
    entries = [ReplicaEntry(f"{name}-{index}", first + index, address, ReplicaState.READY) for index in range(replicas)]
    return ServiceEntry(name, number, replicas=tuple(entries))
