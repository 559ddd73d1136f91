"""Requests that are to meet the same replica again: sessions by a cookie of ours, or whatever a request says, hashed.

Invariants: affinity is a wish and never a reason to fail. A replica that is not READY, was tried already or is at its cap is passed over;
the session moves for good (a new cookie) once its replica is no longer READY. A cookie names a replica only to who has the key: it
is the replica's name under HMAC-SHA-256, so it can be neither guessed nor made up, and says nothing about the house behind the proxy.
Hashed requests follow a ring of points (Karger et al. 1997), on which a replica that comes or goes moves only its own part of the
keys, and go on to the next replica where one has more than `load` times the mean in flight (Mirrokni et al. 2018). No I/O.
"""

import hmac
import re
from bisect import bisect_left
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING

from balancer.hotpath.board import STRAYED
from balancer.hotpath.fields import value_of
from balancer.hotpath.meter import client_key
from balancer.hotpath.replica import Replica
from balancer.hotpath.service import Service

if TYPE_CHECKING:
    from balancer.hotpath.exchange import Exchange

POINTS = 128  # of a replica on the ring, per unit of weight: shares differ by some 9 % then
RING_MOST = 65_536  # points in all; beyond, each replica has fewer
TOKEN = 16  # octets of a cookie's value before they are written in hexadecimal

_PAIR = re.compile(rb"[^;]+")


class Affinity:
    """Picks for one service. `follow` is told of every change of the READY replicas before requests are."""

    def follow(self, service: Service) -> None:
        """These are the replicas from now on."""
        raise NotImplementedError

    def take(self, service: Service, exchange: "Exchange", now_us: int) -> Replica | None:
        """Pick a replica for the exchange and count it in flight there. None: there is none, or all are at their cap."""
        raise NotImplementedError


class Sessions(Affinity):
    """By a signed cookie."""

    def __init__(self, name: bytes, key: bytes, attributes: bytes) -> None:
        self.name = name
        self.key = key
        self.attributes = attributes
        self.by_token: dict[bytes, Replica] = {}
        self.tokens: dict[Replica, bytes] = {}

    def follow(self, service: Service) -> None:
        """Sign the names of the replicas."""
        self.tokens = {replica: self.token(service.name, replica.name) for replica in service.ready}
        self.by_token = {token: replica for replica, token in self.tokens.items()}

    def token(self, service: str, replica: str) -> bytes:
        """What the cookie of a session at this replica says."""
        digest = hmac.digest(self.key, f"{service}\0{replica}".encode(), sha256)
        return digest[:TOKEN].hex().encode()

    def take(self, service: Service, exchange: "Exchange", now_us: int) -> Replica | None:
        """The session's replica; else another one, and a cookie for it unless the session will go back."""
        assert exchange.block is not None
        home = self.by_token.get(cookie(exchange.block.lines, self.name))
        if home is not None and home not in exchange.tried and home.avoid_until_us <= now_us and service.enter(home, now_us):
            exchange.extra = b""
            return home
        replica = service.take(exchange.tried, now_us)
        if home is not None and replica is not None:
            service.row.count_service(service.slot, STRAYED)
        if replica is not None and replica is not home:
            stays = home is not None and home not in exchange.tried
            exchange.extra = b"" if stays else b"Set-Cookie: %b=%b%b\r\n" % (self.name, self.tokens[replica], self.attributes)
        return replica


class Ring(Affinity):
    """By a hash of what a request says. kind: "header", "cookie", "query" or "address"."""

    def __init__(self, kind: str, name: bytes, load: float) -> None:
        self.kind = kind
        self.name = name
        self.load = load
        self.points: list[int] = []
        self.owners: list[Replica] = []

    def follow(self, service: Service) -> None:
        """Place the replicas on the ring."""
        total = sum(replica.share for replica in service.ready)
        each = max(1, min(POINTS, RING_MOST // total)) if total else 0
        placed = [
            (place(b"%b/%d" % (replica.name.encode(), number)), replica)
            for replica in service.ready
            for number in range(each * replica.share)
        ]
        placed.sort(key=_point)
        self.points = [point for point, _ in placed]
        self.owners = [replica for _, replica in placed]

    def take(self, service: Service, exchange: "Exchange", now_us: int) -> Replica | None:
        """The first replica on the ring after the key that is not overloaded; where the request has no key, any."""
        key = self.key_of(exchange)
        if not key or not self.points:
            return service.take(exchange.tried, now_us)
        most = self.most(service)
        passed: set[Replica] = set()
        start = bisect_left(self.points, place(key))
        for step in range(len(self.owners)):
            replica = self.owners[(start + step) % len(self.owners)]
            if replica in passed:
                continue
            if self.fits(service, replica, exchange, now_us, most) and service.enter(replica, now_us):
                if passed:
                    service.row.count_service(service.slot, STRAYED)
                return replica
            passed.add(replica)
            if len(passed) == len(service.ready):
                break
        return service.take(exchange.tried, now_us)

    def fits(self, service: Service, replica: Replica, exchange: "Exchange", now_us: int, most: float) -> bool:
        """Whether the replica may have one more request because of its place on the ring."""
        if replica in exchange.tried or replica.avoid_until_us > now_us:
            return False
        return service.row.in_flight(replica.slot) + 1 <= most * replica.share

    def most(self, service: Service) -> float:
        """How many requests in flight a replica may have, for each unit of weight, this one included."""
        row = service.row
        active = 1 + sum([row.in_flight(replica.slot) for replica in service.ready])
        shares = sum([replica.share for replica in service.ready])
        return max(1.0, self.load * active / shares)

    def key_of(self, exchange: "Exchange") -> bytes:
        """What stands for the request; b"": nothing does."""
        block = exchange.block
        assert block is not None
        if self.kind == "address":
            return client_key(exchange.downstream.client(block))
        if self.kind == "header":
            return value_of(block.lines, self.name)
        if self.kind == "cookie":
            return cookie(block.lines, self.name)
        return parameter(exchange.target, self.name)


def place(key: bytes) -> int:
    """Where a key is on the ring."""
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")


def cookie(lines: bytes, name: bytes) -> bytes:
    """The value of a cookie in a header block, RFC 6265 section 5.4; b"": it is not there."""
    for line in lines.split(b"\r\n"):
        if line[:7].lower() == b"cookie:":
            for pair in _PAIR.findall(line, 7):
                found, mark, value = pair.strip(b" \t").partition(b"=")
                if mark and found == name:
                    return bytes(value)
    return b""


def parameter(target: bytes, name: bytes) -> bytes:
    """The value of a query parameter, as it stands there; b"": it is not there."""
    for pair in target.partition(b"?")[2].split(b"&"):
        found, mark, value = pair.partition(b"=")
        if mark and found == name:
            return value
    return b""


def _point(placed: tuple[int, Replica]) -> int:
    return placed[0]
