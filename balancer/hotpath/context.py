"""What all connections of a worker share: the event loop, the clock, the routes, the scoreboard row, limits and deadlines.

Invariants: nothing here is per request; everything that could differ in a test (clock, randomness, log) is passed in.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from balancer.hotpath import system
from balancer.hotpath.hedge import hedge
from balancer.hotpath.memo import Memo
from balancer.hotpath.poller import Poller
from balancer.hotpath.row import Row
from balancer.hotpath.wheel import Wheel

if TYPE_CHECKING:
    from balancer.hotpath.downstream import Downstream
    from balancer.hotpath.exchange import Exchange
    from balancer.hotpath.meter import Meters
    from balancer.hotpath.replica import Replica
    from balancer.hotpath.route import Router
    from balancer.hotpath.service import Service


class Context:
    """One per worker. Times in microseconds; 0 is no limit where a limit may be absent."""

    def __init__(self, poller: Poller, row: Row, router: "Router", clock: Callable[[], int] | None = None) -> None:
        """clock: CLOCK_MONOTONIC in microseconds, unless a test has its own."""
        self.poller = poller
        self.clock = clock
        self.now_us = 0  # of the present event
        self.read_clock()
        self.row = row
        self.router = router
        self.wheel = Wheel(self.now_us)
        self.request_memo = Memo(1, 0)
        self.response_memo = Memo(1, 0)
        self.connections: set[Downstream] = set()
        self.spare: list[Exchange] = []  # not in use: an idle connection has none
        self.pipes: list[tuple[int, int]] = []  # empty ones, for large bodies
        self.full: dict[Replica, dict[Exchange, None]] = {}  # who waits for room in a Unix socket's queue, in order of arrival
        self.hedging: set[Service] = set()  # those with requests that are to be hedged
        self.meters: Meters | None = None
        self.draining = False
        self.trusts: Callable[[str], bool] | None = None  # whether an address is a configured proxy; None: there is none
        self.log: Callable[[Exchange, int], None] | None = None
        self.log_refused: Callable[[Downstream, int, int], None] | None = None
        self.fault: Callable[[str], None] = _unheard  # called while the exception is being handled
        self.warn: Callable[[str], None] = _unheard
        self.report: Callable[..., None] = _unheard
        self.wake: Callable[[int], None] = _unheard
        self.date_line: bytes = b""
        self.request_line_most = 0
        self.head_most = 0
        self.fields_most = 0
        self.body_most = 0
        self.connections_most = 0
        self.buffers_most = 0
        self.client_connections_most = 0  # of one client, over all workers; 0: no limit
        self.response_head_most = 0
        self.pool_most = 0
        self.replay_most = 0
        self.linger_most_us = 0
        self.head_us = 0
        self.idle_us = 0
        self.body_idle_us = 0
        self.rate_least = 0  # octets of a body per second; 0: no least
        self.rate_grace_us = 0
        self.tunnel_idle_us = 0
        self.connect_us = 0
        self.response_head_us = 0
        self.total_us = 0
        self.pool_idle_us = 0
        self.linger_us = 0

    def read_clock(self) -> None:
        """An event begins."""
        if self.clock is None:
            self.now_us = system.clock_us()
        else:
            self.now_us = self.clock()

    def serve_soon(self, service: "Service") -> None:
        """A place may be free: give it to who waits, once the present event is over."""
        if not service.serving and service.waiting:
            service.serving = True
            self.poller.call_soon(self.serve_in_turn, service)

    def serve_in_turn(self, service: "Service") -> None:
        """Dispatch waiting requests, unless a sibling's has waited longer."""
        self.serve(service, False)

    def serve(self, service: "Service", regardless: bool) -> None:
        """Dispatch waiting requests while there is room, unless a sibling's has waited longer (`regardless`: even then)."""
        service.serving = False
        self.read_clock()
        while service.waiting:
            if not regardless and not self.first_in_line(service):
                return
            exchange = service.first()
            assert exchange is not None
            try:
                if not exchange.serve_waiting():
                    return
            except Exception:
                exchange.downstream.fail()

    def serve_on_tick(self, service: "Service") -> None:
        """Look for places without being woken, and do not wait for a sibling that has not moved since the last tick."""
        service.watch_departures(self.now_us)
        oldest = service.row.longest_waiting(service.slot)
        since_us = service.row.waiting_since(oldest, service.slot) if oldest >= 0 else 0
        stuck = since_us == service.ahead_us
        service.ahead_us = since_us
        self.serve(service, stuck)

    def connect_again(self) -> None:
        """Try to connect those who wait for room, for each replica until its queue is full once more. On each tick."""
        for replica, line in list(self.full.items()):
            for exchange in list(line):
                if exchange in line and not self.connects(exchange, replica):
                    break

    def connects(self, exchange: "Exchange", replica: "Replica") -> bool:
        """Try to connect one that waits for room; False: there is none yet."""
        try:
            if not exchange.connect_now(replica):
                return False
        except Exception:
            exchange.downstream.fail()
        if exchange.upstream is not None:  # else it failed and left, or its client's next request waits here now
            self.leave_line(replica, exchange)
        return True

    def leave_line(self, replica: "Replica", exchange: "Exchange") -> None:
        """It waits for room no longer."""
        line = self.full.get(replica)
        if line is not None:
            line.pop(exchange, None)
            if not line:
                del self.full[replica]

    def first_in_line(self, service: "Service") -> bool:
        """Whether this worker's oldest waiting request is the oldest of all; if not, its worker is woken."""
        row = service.row
        if row.workers == 1 or not service.cap:
            return True
        oldest = row.longest_waiting(service.slot)
        at = row.first_services + oldest * row.stride
        if oldest < 0 or at == row.services:
            return True
        self.wake(oldest)
        return False

    def hope(self, exchange: "Exchange", service: "Service") -> None:
        """The request was sent: ask a second replica, too, if no answer comes soon."""
        if exchange.lead is not None or exchange.rival is not None or len(service.ready) < 2 or not exchange.may_be_sent_again():
            return
        exchange.hoping = True
        service.hopeful[exchange] = self.now_us + service.hedge_us
        if service not in self.hedging:
            self.hedging.add(service)
            self.poller.stop()  # whoever turns it has to look at these more often than at the rest

    def hope_no_more(self, exchange: "Exchange") -> None:
        """It has an answer, or needs none."""
        exchange.hoping = False
        service = exchange.service
        if service is not None:
            service.hopeful.pop(exchange, None)

    def hedge_due(self) -> None:
        """Hedge those that have waited long enough."""
        self.read_clock()
        for service in list(self.hedging):
            for exchange, due_us in list(service.hopeful.items()):
                if due_us > self.now_us:
                    break
                self.hope_no_more(exchange)
                try:
                    hedge(exchange)
                except Exception:
                    exchange.downstream.fail()
            if not service.hopeful:
                self.hedging.discard(service)

    def freed(self, service: "Service") -> None:
        """A request is over: whoever has waited longest, here or on a sibling, may go."""
        if service.waiting:
            self.serve_soon(service)
        elif service.cap and service.row.workers > 1:
            oldest = service.row.longest_waiting(service.slot)
            if oldest >= 0:
                self.wake(oldest)


def _unheard(*_arguments: object, **_named: object) -> None:
    return None
