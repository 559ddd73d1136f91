"""The loop: sends each request when it is due, on whichever connection is idle, and hands what comes back to the tally.

Invariants: requests are due whatever became of the earlier ones; those that find no idle connection wait, at most QUEUE of them, and
their time counts from when they were due; connections are opened only when they are needed, and used in turn; nothing waits longer than
the timeout. A GET on a connection that turns out to have been closed while idle is sent again, once, on a new one, as all clients do.
"""

import select
from array import array
from collections import deque
from collections.abc import Callable
from time import monotonic_ns, thread_time

from sidecar.load.answer import Framings
from sidecar.load.connection import READ, Connection
from sidecar.load.request import Request
from sidecar.load.tally import Failure, Measured, Tally
from sidecar.load.target import Target

QUEUE = 100_000  # due requests that wait for a connection
BATCH = 256  # events in one turn
TICK_NS = 50_000_000  # how often timeouts are looked for
HEADSTART_NS = 2_000_000  # between the call and the first request


class Generator:
    """Connections to one target. Use it as a context manager; `run` may be called again and again."""

    def __init__(
        self,
        target: Target,
        request: Request,
        connections: int,
        timeout_s: float = 10.0,
        clock_ns: Callable[[], int] = monotonic_ns,
    ) -> None:
        self.target = target
        self.request = request
        self.framings = Framings(request.bodiless)
        self._most = connections
        self._timeout_ns = int(timeout_s * 1e9)
        self._clock_ns = clock_ns
        self._epoll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._idle: deque[Connection] = deque()
        self._waiting: deque[int] = deque()
        self._tally = Tally(0, 1)
        self._stopped = False
        self._sweep_ns = 0

    def __enter__(self) -> "Generator":
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()
        self._idle.clear()
        self._epoll.close()

    def stop(self) -> None:
        """End the load at the next turn; what is not answered by then counts as unfinished. May be called by a signal handler."""
        self._stopped = True

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped

    def open_all(self) -> None:
        """Open all connections now. Raises OSError."""
        while len(self._open) < self._most:
            self._idle.append(self._connect())

    def run(self, due: "array[int]", seconds: float, warm_up_s: float = 0.0) -> Measured:
        """Send the requests that are due so many nanoseconds from now, and wait for their answers.

        seconds: how long the load is, warm-up included. warm_up_s: requests due in it are sent but not counted.
        """
        began = self._clock_ns() + HEADSTART_NS
        self._tally = Tally(began + int(warm_up_s * 1e9), began + int(seconds * 1e9))
        cpu_s = thread_time()
        self._send_all(due, began)
        cpu_share = (thread_time() - cpu_s) * 1e9 / max(1, self._clock_ns() - began)
        self._await_answers()
        if self._stopped:
            self._give_up()
        return self._tally.measured(cpu_share)

    def _send_all(self, due: "array[int]", began: int) -> None:
        """Each when it is due."""
        position, count = 0, len(due)
        while position < count and not self._stopped:
            now = self._clock_ns()
            while position < count and (moment := began + due[position]) <= now:
                self._begin(moment, now)
                position += 1
            if now >= self._sweep_ns:
                self._sweep(now)
            until = began + due[position] if position < count else now
            self._turn(until if until < self._sweep_ns else self._sweep_ns)

    def _await_answers(self) -> None:
        """Until every request has come to an end; the timeout sees to that."""
        while not self._stopped and (self._waiting or len(self._idle) < len(self._open)):
            now = self._clock_ns()
            if now >= self._sweep_ns:
                self._sweep(now)
            self._turn(self._sweep_ns)

    def _turn(self, until_ns: int) -> None:
        """Wait for events, at the longest until then, and hand them out. epoll_wait knows milliseconds only, select(2) microseconds."""
        events = self._epoll.poll(0, BATCH)
        if not events:
            left_ns = until_ns - self._clock_ns()
            if left_ns <= 0 or not select.select((self._epoll,), (), (), left_ns / 1e9)[0]:
                return
            events = self._epoll.poll(0, BATCH)
        for fd, ready in events:
            self._open[fd].on_event(ready)  # which closes no other connection than its own

    def _begin(self, due_ns: int, now_ns: int) -> None:
        """A request is due."""
        self._tally.due(due_ns, now_ns)
        if self._idle or len(self._open) < self._most:
            self._start(due_ns, now_ns)
        elif len(self._waiting) < QUEUE:
            self._tally.count("waited", due_ns)
            self._waiting.append(due_ns)
        else:
            self._tally.failed(Failure.NO_ROOM, due_ns, now_ns, now_ns)

    def _start(self, due_ns: int, now_ns: int) -> None:
        """Put a request on an idle connection, or on a new one."""
        try:
            connection = self._idle.popleft() if self._idle else self._connect()
        except OSError:
            self._tally.failed(Failure.CONNECT, due_ns, now_ns, now_ns)
            return
        self._tally.count("sent", due_ns)
        connection.begin(due_ns, now_ns)

    def _refill(self, now_ns: int) -> None:
        """There may be room for requests that wait."""
        while self._waiting and (self._idle or len(self._open) < self._most):
            self._start(self._waiting.popleft(), now_ns)

    def _connect(self) -> Connection:
        connection = Connection(self)
        self._open[connection.fd] = connection
        self._epoll.register(connection.fd, READ)
        return connection

    # What connections tell.

    def watch(self, connection: Connection, interest: int) -> None:
        """Tell the connection of these."""
        self._epoll.modify(connection.fd, interest)

    def answered(self, connection: Connection) -> None:
        """Its request has its answer."""
        now = self._clock_ns()
        self._tally.answered(connection.answer.framing.status, connection.due_ns, connection.sent_ns, now)
        if connection.reusable:
            connection.busy = False
            connection.used = True
            self._idle.append(connection)
        else:
            self._forget(connection)
        if self._waiting:
            self._refill(now)

    def failed(self, connection: Connection, failure: Failure) -> None:
        """Its request will have none, and the connection is of no more use."""
        now = self._clock_ns()
        due_ns, sent_ns = connection.due_ns, connection.sent_ns
        again = failure is Failure.BROKEN and connection.used and not connection.answer.begun and self.request.repeatable
        self._forget(connection)
        if again:
            self._repeat(due_ns, sent_ns)
        else:
            self._tally.failed(failure, due_ns, sent_ns, now)
        self._refill(now)

    def _repeat(self, due_ns: int, sent_ns: int) -> None:
        """Once only: the new connection was not used before."""
        self._tally.count("repeated", due_ns)
        try:
            self._connect().begin(due_ns, sent_ns)
        except OSError:
            self._tally.failed(Failure.CONNECT, due_ns, sent_ns, self._clock_ns())

    def dropped(self, connection: Connection) -> None:
        """It was idle and has ended."""
        self._idle.remove(connection)
        self._forget(connection)
        self._refill(self._clock_ns())

    def _forget(self, connection: Connection) -> None:
        del self._open[connection.fd]
        connection.close()

    def _sweep(self, now_ns: int) -> None:
        """End what was due too long ago."""
        self._sweep_ns = now_ns + TICK_NS
        limit = now_ns - self._timeout_ns
        while self._waiting and self._waiting[0] <= limit:
            due_ns = self._waiting.popleft()
            self._tally.failed(Failure.TIMEOUT, due_ns, now_ns, now_ns)
        for connection in [each for each in self._open.values() if each.busy and each.due_ns <= limit]:
            self.failed(connection, Failure.TIMEOUT)

    def _give_up(self) -> None:
        """It was stopped: let go of what is unfinished."""
        self._tally.end(self._clock_ns())
        self._waiting.clear()
        for connection in [each for each in self._open.values() if each.busy]:
            self._forget(connection)
