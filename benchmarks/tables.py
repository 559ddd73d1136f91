"""A table of 1,000 services with 10 replicas each, and a new table every second, against a table of one service that stays."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

from balancer.table import ReplicaState, RoutingTable, ServiceEntry
from benchmarks.direct import Director, table_of, worker
from benchmarks.peers import PEERS
from benchmarks.rounds import Contestant, Turn
from benchmarks.row import ITSELF, Goal, Row
from benchmarks.stand import Running, Stand
from benchmarks.throughput import per_cpu_s
from benchmarks.wrk import Load

SERVICES = 1_000
REPLICAS = 10
CHANGED = 10  # services of which a replica comes or goes with each table
EVERY_S = 1.0
LOAD = Load(script='wrk.headers["Host"] = "app-0.example.com"\n')

SHARE = Row(
    "tables",
    f"{SERVICES:,} services with {REPLICAS} replicas each, a new table every second: requests per CPU-second, of those with one service",
    "share",
    (Goal("ecluse", 0.95, ITSELF),),
    ITSELF,
)


class Tables:
    """Two workers without a controller; one service is busy, the others make the table large."""

    name = "tables"
    rows = (SHARE,)
    peers = ("ecluse", "interpreted")
    needs = ()

    def turn_s(self, seconds: float) -> float:
        """Two loads."""
        return 2 * seconds + 0.2

    @contextmanager
    def contestants(self, stand: Stand, peers: Sequence[str], seconds: float) -> Iterator[list[Contestant]]:
        """Each build twice."""
        with ExitStack() as stack:
            made = []
            for name in peers:
                started = partial(worker, stand, environment=PEERS[name].environment)
                one, _ = stack.enter_context(started(table_of(1, REPLICAS, stand.files)))
                large = table_of(SERVICES, REPLICAS, stand.files)
                many, director = stack.enter_context(started(large))
                made.append(Contestant(name, partial(self._play, stand, one, many, Changes(director, large), seconds)))
            yield made

    def _play(self, stand: Stand, one: Running, many: Running, changes: "Changes", seconds: float, number: int) -> Turn:
        figures: dict[int, float] = {}
        errors: list[str] = []
        for peer in (one, many) if number % 2 else (many, one):
            with changes.coming() if peer is many else ExitStack():
                figures[peer.port], wrong = per_cpu_s(stand, peer, LOAD, seconds)
            errors += wrong
        return Turn({SHARE.name: figures[many.port] / figures[one.port] if figures[one.port] else 0.0}, tuple(errors))


class Changes:
    """Sends a worker a new table every second: in some of the services, one replica goes out of rotation or comes back."""

    def __init__(self, director: Director, table: RoutingTable) -> None:
        self._director = director
        self._table = table
        self._number = 0

    @contextmanager
    def coming(self) -> Iterator[None]:
        """While the block runs. Raises RuntimeError at its end if the worker has not taken what it was sent."""
        over = threading.Event()
        sender = threading.Thread(target=self._send_until, args=(over,))
        sender.start()
        try:
            yield
        finally:
            over.set()
            sender.join()
        self._director.use(self._table)

    def _send_until(self, over: threading.Event) -> None:
        while True:
            self._table = changed(self._table, self._number)
            self._number += 1
            self._director.send(self._table)
            if over.wait(EVERY_S):
                return


def changed(table: RoutingTable, number: int) -> RoutingTable:
    """The table with a replica of some services in another state; which services, the number says. The busy one keeps all."""
    services = list(table.services)
    for index in range(CHANGED):
        at = 1 + (number * CHANGED + index) % (len(services) - 1)
        services[at] = _turned(services[at])
    return replace(table, services=tuple(services))


def _turned(service: ServiceEntry) -> ServiceEntry:
    first, *others = service.replicas
    state = ReplicaState.READY if first.state is ReplicaState.EJECTED else ReplicaState.EJECTED
    return replace(service, replicas=(replace(first, state=state), *others))
