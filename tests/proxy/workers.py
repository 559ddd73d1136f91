"""Real workers without a controller: processes of `balancer.worker` with a routing table that the test gives them."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from balancer.channel import Channel
from balancer.delta import Chronicle
from balancer.limits import Limits, Timeouts
from balancer.meters import SharedMeters
from balancer.scoreboard import ReplicaReading, Scoreboard, ServiceReading
from balancer.table import ReplicaEntry, ReplicaState, RouteEntry, RoutingTable, ServiceEntry, Settings
from tests.support import wait_until_blocking

SERVICES = 16
REPLICAS = 64
PER_SERVICE = 8  # replica slots that `service_of` gives to each service


class Workers:
    """`count` workers that share one port. Each owns a row of the scoreboard and a listening socket that outlives it."""

    def __init__(self, count: int = 1, address: str = "127.0.0.1", stdout: int | None = None, send_buffer: int = 0) -> None:
        """send_buffer: of each client's connection, in octets; 0 leaves it to the kernel, which lets it grow to mebibytes."""
        self.count = count
        self.scoreboard = Scoreboard.create(count, services=SERVICES, replicas=REPLICAS)
        self.meters = SharedMeters.create(count)
        self.wakers = [os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(count)]
        self.listeners = _listeners(count, address, send_buffer)
        self.port = int(self.listeners[0].getsockname()[1])
        self.channels: list[Channel] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.messages: list[dict[str, Any]] = []
        self.chronicle = Chronicle()
        self._stdout = stdout
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        for row in range(count):
            process, channel = self._start(row)
            self.processes.append(process)
            self.channels.append(channel)

    def _start(self, row: int) -> tuple[subprocess.Popen[bytes], Channel]:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "balancer.worker", "--channel", str(theirs.fileno()), "--row", str(row)]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdout=self._stdout, stderr=self._stderr)
        theirs.close()
        channel = Channel(ours)
        channel.send("setup", [self.scoreboard.fd, self.meters.fd, *self.wakers], row=row, workers=self.count)
        channel.send("listeners", [self.listeners[row].fileno()], addresses=[])
        return process, channel

    def succeed(self, row: int = 0) -> None:
        """Start a worker in the place of a dead one, as the controller does."""
        self.processes[row].wait(10)
        self.channels[row].close()
        self.scoreboard.retire(row)
        self.meters.retire(row)
        self.processes[row], self.channels[row] = self._start(row)
        self.channels[row].send("table", table=self.chronicle.since(0))
        wait_until_blocking(lambda: self.acknowledged(row))

    # Tables and messages.

    @property
    def table(self) -> RoutingTable:
        """The latest one."""
        return self.chronicle.table

    def use(self, table: RoutingTable) -> None:
        """Give every worker this table and wait until each has acknowledged it."""
        self.send(table)
        for row in range(self.count):
            wait_until_blocking(partial(self.acknowledged, row))

    def serve(self, *services: ServiceEntry, **settings: Any) -> None:
        """`use` a table in which everything goes to the first service; settings: fields of Limits, Timeouts and Settings."""
        self.use(table_of(*services, settings=settings_of(**settings)))

    def send(self, table: RoutingTable) -> None:
        """Give every worker this table and wait for nothing."""
        self.chronicle.enter(replace(table, generation=self.table.generation + 1))
        for row, channel in enumerate(self.channels):
            channel.send("table", table=self.chronicle.since(self.scoreboard.worker(row).generation))

    def acknowledged(self, row: int) -> bool:
        """Whether the worker uses the latest table."""
        self.hear(row)
        return self.scoreboard.worker(row).generation == self.table.generation

    def hear(self, row: int = 0) -> list[dict[str, Any]]:
        """What a worker has said since it was last asked; all of it is kept in `messages`."""
        self.channels[row].flush()
        fresh = [message for message, _ in self.channels[row].receive()]
        self.messages += fresh
        return fresh

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """All messages of a kind so far."""
        for row in range(self.count):
            self.hear(row)
        return [message for message in self.messages if message["kind"] == kind]

    def drain(self, deadline_s: float) -> None:
        """Tell all workers to finish."""
        for channel in self.channels:
            channel.send("drain", deadline_s=deadline_s)

    # What the scoreboard says.

    def in_flight(self, slot: int = 0) -> int:
        """Requests in flight on a replica."""
        return self.scoreboard.in_flight(slot)

    def replica(self, slot: int = 0) -> ReplicaReading:
        return self.scoreboard.replica(slot, 0)

    def service(self, slot: int = 0) -> ServiceReading:
        return self.scoreboard.service(slot, 0)

    def connections(self) -> int:
        return sum(self.scoreboard.worker(row).connections for row in range(self.count))

    # The processes.

    def all_run(self) -> bool:
        return all(process.poll() is None for process in self.processes)

    @contextmanager
    def stopped(self, row: int = 0) -> Iterator[None]:
        """The worker stands still (SIGSTOP): what arrives meanwhile, it finds all at once and in the order of arrival."""
        process = self.processes[row]
        process.send_signal(signal.SIGSTOP)
        wait_until_blocking(lambda: _state(process.pid) == "T")
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def resident(self, row: int = 0) -> int:
        """Octets of memory the worker has ever had resident at once (VmHWM) since `forget_peak`."""
        return _status(self.processes[row].pid, "VmHWM")

    def forget_peak(self, row: int = 0) -> int:
        """Let `resident` count anew; returns what is resident now."""
        Path(f"/proc/{self.processes[row].pid}/clear_refs").write_text("5", encoding="ascii")
        return _status(self.processes[row].pid, "VmRSS")

    def descriptors(self, row: int = 0) -> int:
        """How many descriptors the worker has open."""
        return len(list(Path(f"/proc/{self.processes[row].pid}/fd").iterdir()))

    def complaints(self) -> str:
        """What the workers have written to standard error."""
        self._stderr.seek(0)
        return self._stderr.read().decode()

    # The end.

    def must_be_settled(self) -> None:
        """Nothing may be left of what is over, and nothing may have gone wrong inside. The table must be empty by now."""
        slots, services = range(REPLICAS), range(SERVICES)
        wait_until_blocking(lambda: self.connections() == 0)
        wait_until_blocking(lambda: [slot for slot in slots if self.in_flight(slot)] == [])
        wait_until_blocking(lambda: [slot for slot in slots if self.replica(slot).pooled] == [])
        wait_until_blocking(lambda: [slot for slot in services if self.service(slot).waiting] == [])
        assert "Traceback" not in self.complaints(), self.complaints()

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
        self._stderr.close()
        self.scoreboard.close()
        self.meters.close()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def _status(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} says nothing of {key}")


def _listeners(count: int, address: str, send_buffer: int) -> list[socket.socket]:
    made: list[socket.socket] = []
    port = 0
    for _ in range(count):
        listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if send_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        listener.bind((address, port))
        listener.listen(1024)
        port = listener.getsockname()[1]
        made.append(listener)
    return made


@contextmanager
def workers(table: RoutingTable | None = None, count: int = 1, **options: Any) -> Iterator[Workers]:
    """Workers that are gone at the end."""
    made = Workers(count, **options)
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


def service_of(*addresses: str, name: str = "app", slot: int = 0, weights: Sequence[int] = (), **options: Any) -> ServiceEntry:
    """A service with a READY replica at each address."""
    first = slot * PER_SERVICE
    replicas = tuple(
        ReplicaEntry(f"{name}-{number}", first + number, address, ReplicaState.READY, weight=weights[number] if weights else 1)
        for number, address in enumerate(addresses)
    )
    return ServiceEntry(name, slot, replicas=replicas, **options)


def settings_of(**given: Any) -> Settings:
    """Settings, with every limit and timeout by its own name."""
    of_limits = {name: value for name, value in given.items() if name in Limits.__dataclass_fields__}
    of_timeouts = {name: value for name, value in given.items() if name in Timeouts.__dataclass_fields__}
    others = {name: value for name, value in given.items() if name not in of_limits and name not in of_timeouts}
    return Settings(limits=Limits(**of_limits), timeouts=Timeouts(**of_timeouts), **others)


def in_state(service: ServiceEntry, state: ReplicaState, number: int = 0) -> ServiceEntry:
    """The service with one of its replicas in another state."""
    replicas = list(service.replicas)
    replicas[number] = replace(replicas[number], state=state)
    return replace(service, replicas=tuple(replicas))
