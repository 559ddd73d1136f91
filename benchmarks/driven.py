"""`python -m benchmarks.driven LISTENER ORIGIN`: the hot path alone, as a process whose every instruction is counted (`instructions.py`).

Invariants: no two runs differ in anything but the number of requests. So the clock counts calls instead of time, nothing ticks, and each
turn of the loop waits until something happens. It ends when its client, of which there is one, has gone.
"""

import itertools
import sys

from balancer.accept import Acceptor
from balancer.hotpath.context import Context
from balancer.hotpath.poller import Poller
from balancer.hotpath.route import Router
from balancer.scoreboard import Scoreboard
from balancer.switch import Switch
from balancer.table import ReplicaEntry, ReplicaState, RouteEntry, RoutingTable, ServiceEntry

CALL_US = 20  # that pass with each look at the clock


def main(listener: int, origin: str) -> None:
    """Carry one client's requests."""
    scoreboard = Scoreboard.create(1, services=4, replicas=4)
    poller = Poller()
    poller.alone = True
    clock = itertools.count(1_000_000, CALL_US).__next__
    context = Context(poller=poller, clock=clock, row=scoreboard.row(0), router=Router([]))
    context.date_line = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    Switch(context, lambda: 0.5, lambda: 0).take(_table(origin))
    Acceptor(context).replace([listener])
    while context.connections or not scoreboard.worker(0).accepted:
        poller.turn(-1)


def _table(origin: str) -> RoutingTable:
    replica = ReplicaEntry("app-1", 0, origin, ReplicaState.READY)
    return RoutingTable(1, (RouteEntry("", "/", "app"),), (ServiceEntry("app", 0, replicas=(replica,)),))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
