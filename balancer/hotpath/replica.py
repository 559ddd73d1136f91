"""One replica as a worker sees it: where it is, and the idle connections kept to it.

Invariants: a connection in the pool carries no request and has nothing unread; the newest one is reused first, so that the others
grow old and expire. Verdicts about replicas come with the routing table and are not made here.
"""

import socket
from typing import TYPE_CHECKING

from balancer.hotpath import octets
from balancer.hotpath.board import POOLED
from balancer.hotpath.fields import ResponseBlock

if TYPE_CHECKING:
    from balancer.hotpath.row import Row
    from balancer.hotpath.upstream import Upstream

WHOLE = 64  # parts of a weight
AVOID_US = 1_000_000  # how long a replica that refused a connection is passed over while there are others


class Replica:
    """slot: its cells on the scoreboard. turn: what `round_robin` keeps. avoid_until_us: it refused a connection just now.

    share: its configured weight. weight: what of that it gets now, in `WHOLE`ths: less while it starts slowly.
    failures: attempts in a row, on this worker, that came to nothing.
    """

    def __init__(self, name: str, slot: int, address: str, weight: int) -> None:
        self.name = name
        self.slot = slot
        self.address = address
        self.share = weight
        self.weight = weight * WHOLE
        self.ready_at_us = 0  # when it became READY, in microseconds since the epoch; 0: before anybody can tell
        self.failures = 0
        self.family, self.target = parse_address(address)
        self.turn = 0
        self.avoid_until_us = 0
        self.reported_us = 0
        self.pooling = True
        self.idle: list[Upstream] = []
        self.last_head = b""  # of an answer, without the empty line; most are like the one before
        self.last_block = ResponseBlock()  # what it says

    def head_again(self, data: bytes) -> ResponseBlock | None:
        """What the head of an answer says that data begins with, if it is the last one again."""
        block = self.last_block
        size = block.size
        if size and octets.same(data, 0, size, self.last_head) and octets.same(data, size, size + 2, b"\r\n"):
            return block
        return None

    def reuse(self, row: "Row") -> "Upstream | None":
        """Take the idle connection used last, if there is one."""
        if not self.idle:
            return None
        row.count_replica(self.slot, POOLED, -1)
        upstream = self.idle.pop()
        upstream.deadline_us = 0
        upstream.first = False
        return upstream

    def keep(self, upstream: "Upstream", row: "Row", most: int) -> bool:
        """Put a connection aside for reuse; False: there are enough."""
        if not self.pooling or len(self.idle) >= most:
            return False
        self.idle.append(upstream)
        row.count_replica(self.slot, POOLED, 1)
        return True

    def forget(self, upstream: "Upstream", row: "Row") -> None:
        """An idle connection has ended."""
        if upstream in self.idle:
            self.idle.remove(upstream)
            row.count_replica(self.slot, POOLED, -1)

    def leave(self, row: "Row") -> None:
        """The replica gets no more requests: end its idle connections and keep none from now on."""
        self.pooling = False
        for upstream in self.idle:
            upstream.close()
        row.count_replica(self.slot, POOLED, -len(self.idle))
        self.idle = []


def parse_address(address: str) -> tuple[int, str | tuple[str, int]]:
    """The socket family and what to connect to. Raises ValueError unless it is "10.0.0.5:80", "[::1]:80" or "unix:/path"."""
    if address.startswith("unix:"):
        return socket.AF_UNIX, address[5:]
    name, mark, port = address.rpartition(":")
    if not mark or not port.isdigit():
        raise ValueError(f"{address!r} is no replica address: expected 10.0.0.5:80, [::1]:80 or unix:/path")
    if name.startswith("["):
        return socket.AF_INET6, (name[1:-1], int(port))
    return socket.AF_INET, (name, int(port))
