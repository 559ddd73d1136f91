"""A worker process: `python -m balancer.worker --channel FD --row N`.

It is told everything over the channel (descriptors, listeners, routing tables, when to drain) and never waits for whoever is at the
other end: with the controller stopped, it carries on with the table it has. When the controller is gone for good, it drains and ends.

Start here and follow a request: `accept.py` -> `hotpath/downstream.py` (reads the head) -> `hotpath/exchange.py` (route, pick, attempt,
relay, settle) -> `hotpath/upstream.py`.
"""

import argparse
import gc
import logging
import os
import random
import resource
import signal
import socket
import sys
import time
from email.utils import formatdate
from typing import Any

from balancer.accept import Acceptor
from balancer.access_log import AccessLog
from balancer.caps import Caps
from balancer.channel import Channel
from balancer.delta import updated
from balancer.hotpath import board, build
from balancer.hotpath.context import Context
from balancer.hotpath.poller import Poller
from balancer.hotpath.route import Router
from balancer.hotpath.system import clock_us
from balancer.hotpath.watched import READ, Watched
from balancer.hotpath.wheel import TICK_US
from balancer.link import Link
from balancer.meters import SharedMeters
from balancer.pressure import Pressure, resident_octets
from balancer.scoreboard import Scoreboard
from balancer.switch import Switch, microseconds
from balancer.table import RoutingTable

log = logging.getLogger("ecluse.worker")

HEDGE_POLL_US = 2_000  # how often it is looked who is to be hedged, while somebody is
LINE_POLL_US = 20_000  # how often a waiting request looks for a free place by itself, should nobody wake it
EXPIRED_BATCH = 8  # deadlines that are seen to before the others on this worker get their turn
ORPHAN_DRAIN_S = 10.0  # what is left of a worker's life when its controller is gone
WAKE_REPORT_US = 100_000  # a service without a replica is reported at most this often


class Alarm(Watched):
    """The eventfd by which a sibling says that there may be a place for a request that waits here."""

    def __init__(self, context: Context, switch: Switch, fd: int) -> None:
        super().__init__()
        self._context = context
        self._switch = switch
        self.fd = fd

    def on_readable(self) -> None:
        """Look for places at the end of this turn."""
        os.eventfd_read(self.fd)
        for service in self._switch.waiting():
            self._context.serve_soon(service)

    def fail(self) -> None:
        """A fault in our own program: waiting requests still look for places by themselves."""
        log.exception("a fault while being woken")


class Worker:
    """The life of one worker process."""

    def __init__(self, channel: Channel, number: int) -> None:
        self._poller = Poller()
        self._link = Link(self._poller, channel, self._obey, self._orphaned)
        self._number = number
        self._wakers: list[int] = []
        self._access_log: AccessLog | None = None
        self._log_target = ("", "")
        self._woken_us: dict[str, int] = {}
        self._next_tick_us = 0
        self._drained_by_us = 0  # 0: not draining
        self._done = False
        self.context: Context | None = None
        self.acceptor: Acceptor
        self.switch: Switch
        self.caps = Caps()
        self.pressure: Pressure

    def run(self) -> None:
        """Until drained."""
        while not self._done:
            if self.context is None:
                self._poller.turn(-1)
            else:
                self._turn(self.context)
        if self._access_log is not None:
            self._access_log.close()

    def _turn(self, context: Context) -> None:
        """Until the next tick, or the next look at who is to be hedged, or until somebody cannot wait for either."""
        hedging_us = clock_us() + HEDGE_POLL_US if context.hedging else self._next_tick_us
        self._poller.turn_until(min(hedging_us, self._next_tick_us))
        if context.hedging:
            context.hedge_due()
        if context.draining or clock_us() >= self._next_tick_us:
            self._tick(context)

    def drain(self, deadline_s: float) -> None:
        """Accept what waits, then nothing; finish what is under way, for at most so long."""
        context = self.context
        if self._drained_by_us or context is None:
            self._done = context is None
            return
        context.now_us = clock_us()
        self._drained_by_us = context.now_us + microseconds(deadline_s)
        self._poller.stop()  # the next tick looks whether that is done already
        self.acceptor.close()
        context.draining = True
        for connection in list(context.connections):
            connection.drain()

    # What the controller asks for.

    def _obey(self, message: dict[str, Any], descriptors: list[int]) -> None:
        kind = message["kind"]
        if kind == "setup":
            self._set_up(descriptors)
        elif kind == "listeners":
            self.acceptor.replace(descriptors)
        elif kind == "table":
            self._take_table(message["table"])
        elif kind == "reopen" and self._access_log is not None:
            self._access_log.reopen()
        elif kind == "drain":
            self.drain(message["deadline_s"])

    def _orphaned(self) -> None:
        log.warning("the controller is gone; finishing what is under way")
        self.drain(ORPHAN_DRAIN_S)

    def _set_up(self, descriptors: list[int]) -> None:
        scoreboard = Scoreboard.attach(descriptors[0])
        meters = SharedMeters.attach(descriptors[1])
        self._wakers = descriptors[2:]
        row = scoreboard.row(self._number)
        row.put(board.PID, os.getpid())
        self.context = context = Context(self._poller, row, Router([]))
        context.meters = meters.row(self._number)
        context.fault = log.exception
        context.warn = log.warning
        context.report = self._report
        context.wake = self._wake_sibling
        self.switch = Switch(context, random.random, wall_us)
        self.pressure = Pressure(context, resident_octets)
        self.acceptor = Acceptor(context)
        self._poller.want(Alarm(context, self.switch, self._wakers[self._number]), READ)
        self._poller.alone = True
        self._tick(context)
        self._link.tell("ready", pid=os.getpid(), build=build())

    def _take_table(self, data: dict[str, Any]) -> None:
        """Use this table; one that cannot be used changes nothing and is not acknowledged."""
        context = self.context
        assert context is not None
        context.now_us = clock_us()
        try:
            table = updated(self.switch.table, data)
            self.switch.take(table)
        except (KeyError, TypeError, ValueError) as wrong:
            log.error("a routing table cannot be used: %r", wrong)
            self._link.tell("error", what=f"the routing table cannot be used: {wrong!r}")
            return
        self._follow_log(context, table)
        context.row.put(board.GENERATION, table.generation)
        self._link.tell("ack", generation=table.generation)

    def _follow_log(self, context: Context, table: RoutingTable) -> None:
        wanted = (table.settings.access_log, table.settings.access_log_format)
        if wanted == self._log_target:
            return
        if self._access_log is not None:
            self._access_log.close()
        self._log_target = wanted
        self._access_log = AccessLog(*wanted, context.row) if wanted[0] else None
        self._poller.alone = self._access_log is None
        context.log = self._access_log.record if self._access_log is not None else None
        context.log_refused = self._access_log.record_refused if self._access_log is not None else None

    # What happens by the way.

    def _report(self, kind: str, **fields: Any) -> None:
        """Tell the controller of something rare."""
        if kind == "wake":
            now_us = clock_us()
            if now_us - self._woken_us.get(fields["service"], 0) < WAKE_REPORT_US:
                return
            self._woken_us[fields["service"]] = now_us
        self._link.mention(kind, **fields)

    def _wake_sibling(self, row: int) -> None:
        os.eventfd_write(self._wakers[row], 1)

    def _tick(self, context: Context) -> None:
        """The coarse clock: deadlines, the Date field, the line of waiting requests, the end of a drain."""
        context.now_us = now_us = clock_us()
        more = context.wheel.advance(now_us, EXPIRED_BATCH)
        context.date_line = b"Date: " + formatdate(usegmt=True).encode() + b"\r\n"
        services = self.switch.services()
        self.pressure.look(services)
        self.caps.look(services, now_us)
        self.switch.warm()
        waiting = self.switch.waiting()
        for service in waiting:
            context.serve_on_tick(service)
            if not service.ready:  # again and again: the first report may have been lost
                self._report("wake", service=service.name)
        context.connect_again()
        self.acceptor.resume()
        if self._drained_by_us and (not context.connections or now_us >= self._drained_by_us):
            self._done = True
        if more:
            self._next_tick_us = now_us  # after one turn for the others
            return
        self._next_tick_us = now_us + (LINE_POLL_US if waiting or context.full or context.draining else TICK_US)


def main() -> None:
    """The process's entry."""
    parser = argparse.ArgumentParser(description="One worker of ecluse; started by its controller.")
    parser.add_argument("--channel", type=int, required=True, help="descriptor of the socket to the controller")
    parser.add_argument("--row", type=int, required=True, help="row of the scoreboard that is this worker's")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the controller decides what they mean
        signal.signal(number, signal.SIG_IGN)
    open_all_files()
    gc.freeze()
    Worker(Channel(socket.socket(fileno=arguments.channel)), arguments.row).run()


def wall_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def open_all_files() -> None:
    """Allow as many open files as the system does: every connection is one, and every one to a replica too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
