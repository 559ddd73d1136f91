"""A worker process: `python -m balancer.worker --channel FD --row N`.

It is told everything over the channel (descriptors, listeners, routing tables, when to drain) and never waits for whoever is at the
other end: with the controller stopped, it carries on with the table it has. When the controller is gone for good, it drains and ends.

Start here and follow a request: `accept.py` -> `hotpath/downstream.py` (reads the head) -> `hotpath/exchange.py` (route, pick, attempt,
relay, settle) -> `hotpath/upstream.py`.
"""

import argparse
import asyncio
import gc
import logging
import os
import random
import resource
import signal
import socket
import sys
import time
from collections.abc import Coroutine
from email.utils import formatdate
from typing import Any

from balancer.accept import Acceptor
from balancer.access_log import AccessLog
from balancer.channel import Channel, ChannelClosed
from balancer.hotpath import board, build
from balancer.hotpath.context import Context
from balancer.hotpath.route import Router
from balancer.hotpath.wheel import TICK_US
from balancer.scoreboard import Scoreboard
from balancer.switch import Switch
from balancer.table import RoutingTable, from_wire

log = logging.getLogger("ecluse.worker")

LINE_POLL_S = 0.02  # how often a waiting request looks for a free place by itself, should nobody wake it
ORPHAN_DRAIN_S = 10.0  # what is left of a worker's life when its controller is gone
WAKE_REPORT_S = 0.1  # a service without a replica is reported at most this often


def clock_us() -> int:
    """CLOCK_MONOTONIC in microseconds: the same clock in every process of this machine."""
    return time.monotonic_ns() // 1000


class Worker:
    """The life of one worker process."""

    def __init__(self, loop: asyncio.AbstractEventLoop, channel: Channel, row: int) -> None:
        self._loop = loop
        self._channel = channel
        self._number = row
        self._done = loop.create_future()
        self._wakers: list[int] = []
        self._access_log: AccessLog | None = None
        self._log_target = ("", "")
        self._draining_until_s = 0.0
        self._woken: dict[str, float] = {}
        self.context: Context
        self.acceptor: Acceptor
        self.switch: Switch

    async def run(self) -> None:
        """Until drained."""
        self._loop.add_reader(self._channel.fileno(), self._hear)
        await self._done
        if self._access_log is not None:
            self._access_log.close()

    def drain(self, deadline_s: float) -> None:
        """Accept what waits, then nothing; finish what is under way, for at most so long."""
        if self._draining_until_s:
            return
        self._draining_until_s = time.monotonic() + deadline_s
        if not hasattr(self, "context"):
            self._finish()
            return
        self.context.now_us = clock_us()
        self.acceptor.close()
        self.context.draining = True
        for connection in list(self.context.connections):
            connection.drain()

    # The channel.

    def _hear(self) -> None:
        try:
            for message, descriptors in self._channel.receive():
                self._obey(message, descriptors)
        except ChannelClosed:
            self._loop.remove_reader(self._channel.fileno())
            log.warning("the controller is gone; finishing what is under way")
            self.drain(ORPHAN_DRAIN_S)

    def _obey(self, message: dict[str, Any], descriptors: list[int]) -> None:
        kind = message["kind"]
        if kind == "setup":
            self._set_up(descriptors)
        elif kind == "listeners":
            self.acceptor.replace(descriptors)
        elif kind == "table":
            self._take_table(message["table"])
        elif kind == "reopen":
            self._reopen_log()
        elif kind == "drain":
            self.drain(message["deadline_s"])

    def _tell(self, kind: str, **fields: Any) -> None:
        """Queue a message for the controller; while it is stopped, rare messages wait and repeated ones are dropped."""
        try:
            self._channel.send(kind, **fields)
        except ChannelClosed:
            return  # the reader will find out and drain
        if self._channel.wants_write:
            self._loop.add_writer(self._channel.fileno(), self._flush)

    def _flush(self) -> None:
        try:
            self._channel.flush()
        except ChannelClosed:
            self._loop.remove_writer(self._channel.fileno())
            return
        if not self._channel.wants_write:
            self._loop.remove_writer(self._channel.fileno())

    # What the controller asks for.

    def _set_up(self, descriptors: list[int]) -> None:
        scoreboard = Scoreboard.attach(descriptors[0])
        self._wakers = descriptors[1:]
        row = scoreboard.row(self._number)
        row.put(board.PID, os.getpid())
        self.context = Context(self._loop, clock_us, row, Router([]))
        self.context.report = self._report
        self.context.wake = self._wake_sibling
        self.switch = Switch(self.context, random.random)
        self.acceptor = Acceptor(self.context)
        self._loop.add_reader(self.context.poller.fileno(), self.context.poller.dispatch)
        self._loop.add_reader(self._wakers[self._number], self._woken_by_sibling)
        self._tick()
        self._tell("ready", pid=os.getpid(), build=build())

    def _take_table(self, data: dict[str, Any]) -> None:
        """Use this table; one that cannot be used changes nothing and is not acknowledged."""
        try:
            table = from_wire(data)
            self.switch.take(table)
        except (KeyError, TypeError, ValueError) as wrong:
            log.error("a routing table cannot be used: %r", wrong)
            self._tell("error", what=f"the routing table cannot be used: {wrong!r}")
            return
        self._follow_log(table)
        self.context.row.put(board.GENERATION, table.generation)
        self._tell("ack", generation=table.generation)

    def _follow_log(self, table: RoutingTable) -> None:
        settings = table.settings
        wanted = (settings.access_log, settings.access_log_format)
        if wanted == self._log_target:
            return
        if self._access_log is not None:
            self._access_log.close()
        self._log_target = wanted
        self._access_log = AccessLog(*wanted, self.context.row) if wanted[0] else None
        self.context.log = self._access_log.record if self._access_log is not None else None
        self.context.log_refused = self._access_log.record_refused if self._access_log is not None else None

    def _reopen_log(self) -> None:
        """Follow a rotated log file."""
        if self._access_log is not None:
            self._access_log.reopen()

    # What happens by the way.

    def _report(self, kind: str, **fields: Any) -> None:
        if kind == "wake":
            now_s = time.monotonic()
            if now_s - self._woken.get(fields["service"], 0.0) < WAKE_REPORT_S:
                return
            self._woken[fields["service"]] = now_s
        if not self._channel.wants_write:
            self._tell(kind, **fields)

    def _wake_sibling(self, row: int) -> None:
        os.eventfd_write(self._wakers[row], 1)

    def _woken_by_sibling(self) -> None:
        os.eventfd_read(self._wakers[self._number])
        for service in self.switch.waiting():
            self.context.serve_soon(service)

    def _tick(self) -> None:
        """The coarse clock: deadlines, the Date field, the line of waiting requests, the end of a drain."""
        context = self.context
        context.now_us = clock_us()
        context.wheel.advance(context.now_us)
        context.date_line = b"Date: " + formatdate(usegmt=True).encode() + b"\r\n"
        waiting = self.switch.waiting()
        for service in waiting:
            context.serve(service, True)
            if not service.ready:  # again and again: the first report may have been lost
                self._report("wake", service=service.name)
        if self._draining_until_s and (not context.connections or time.monotonic() >= self._draining_until_s):
            self._finish()
            return
        self._loop.call_later(LINE_POLL_S if waiting or context.draining else TICK_US / 1e6, self._tick)

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def serve(channel_fd: int, row: int) -> None:
    """Run a worker on this descriptor and row until it is drained."""
    await Worker(asyncio.get_running_loop(), Channel(socket.socket(fileno=channel_fd)), row).run()


def main() -> None:
    """The process's entry."""
    parser = argparse.ArgumentParser(description="One worker of ecluse; started by its controller.")
    parser.add_argument("--channel", type=int, required=True, help="descriptor of the socket to the controller")
    parser.add_argument("--row", type=int, required=True, help="row of the scoreboard that is this worker's")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the controller decides what Ctrl-C means
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    open_all_files()
    gc.freeze()
    run_on_best_loop(serve(arguments.channel, arguments.row))


def open_all_files() -> None:
    """Allow as many open files as the system does: every connection is one, and every one to a replica too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run_on_best_loop(life: Coroutine[Any, Any, None]) -> None:
    """uvloop where it is installed, asyncio otherwise."""
    try:
        import uvloop  # noqa: PLC0415 - it is not there on every platform
    except ImportError:
        asyncio.run(life)
    else:
        uvloop.run(life)


if __name__ == "__main__":
    main()
