"""Replicas and clients that do anything at any moment, from a seed, and look closely at what they get.

Each request has a tag of its own in its target, and all that is to be true of it is in the book of `Plans` under that tag: what a replica
must see of it (body, Host, fields that change from request to request on one connection), and so what a client must see of its answer.
Invariant: a replica that misbehaves never sends a whole, good answer that is wrong; so whatever comes whole must be right.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from tests.proxy.wire import Message, Wire, dial
from tests.proxy.witness import Script

GOOD_SHARE = 0.75
SIZES = (0, 1, 100, 3_000, 70_000, 600_000)  # the last one is spliced
ONE_SEGMENT = 8_000  # octets that arrive together; what arrives later than an answer, nobody can tell from the next one
SIZE_WEIGHTS = (4, 4, 6, 4, 2, 1)
AUTHORITIES = ("a.test", "b.test:8080", "[::1]:80")
OWN_ANSWERS = {408, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Plan:
    """One request. `kept`: fields that must arrive as they are here; None: must not arrive. last: the connection ends after it."""

    tag: str
    method: str
    octets: bytes
    body: bytes
    kept: dict[str, str | None]
    last: bool


@dataclass
class Plans:
    """The book of all requests, and what became of them."""

    by_target: dict[str, Plan] = field(default_factory=dict)
    arrived: Counter[str] = field(default_factory=Counter)  # by method and target
    statuses: Counter[int] = field(default_factory=Counter)

    def check(self, request: Message) -> Plan:
        """A replica got a whole request: is it one of those that were sent?"""
        plan = self.by_target[request.target]
        assert request.first == f"{plan.method} {plan.tag} HTTP/1.1"
        assert request.body == plan.body, f"{plan.tag}: {len(request.body)} octets arrived, {len(plan.body)} were sent"
        seen = {name: request.field(name) for name in plan.kept}
        assert seen == plan.kept, f"{plan.tag}: {seen} arrived instead of {plan.kept}"
        return plan

    def tell_apart(self, answer: Message, plan: Plan) -> None:
        """A client got a whole answer: is it its own?"""
        self.statuses[answer.status] += 1
        if answer.status in OWN_ANSWERS:
            return
        assert answer.field("x-tag") == plan.tag
        bodiless = plan.method == "HEAD" or answer.status in {204, 304}
        size = 0 if bodiless else int(answer.field("x-size") or -1)
        assert answer.body == pattern(plan.tag, size), f"{plan.tag}: {len(answer.body)} octets instead of {size}"


def pattern(tag: str, size: int) -> bytes:
    """Octets that no other tag has."""
    return (f"{tag} " * (size // (len(tag) + 1) + 1)).encode()[:size]


def pieces(octets: bytes, chance: random.Random) -> Iterator[bytes]:
    """The octets in some pieces, cut anywhere."""
    cuts = sorted(chance.randrange(len(octets) + 1) for _ in range(chance.choice([0, 0, 1, 3, 8])))
    for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        yield octets[start:end]


async def send_in_pieces(wire: Wire, octets: bytes, chance: random.Random) -> None:
    for piece in pieces(octets, chance):
        await wire.send(piece)
        await asyncio.sleep(chance.choice([0, 0, 0.001]))


def leave(wire: Wire, chance: random.Random) -> None:
    (wire.reset if chance.random() < 0.5 else wire.close)()


# Replicas.


def chunked(body: bytes, chance: random.Random) -> bytes:
    marks = [b";a=b", b"", b"", b""]
    sent = [b"%x%b\r\n%b\r\n" % (len(piece), chance.choice(marks), piece) for piece in pieces(body, chance) if piece]
    return b"".join(sent) + b"0\r\n" + chance.choice([b"", b"X-Trailer: 1\r\n"]) + b"\r\n"


def good_answer(plan: Plan, chance: random.Random) -> tuple[bytes, bool]:
    """Interim heads, head and body; and whether the connection is to be closed after it."""
    body = pattern(plan.tag, chance.choices(SIZES, SIZE_WEIGHTS)[0])
    head = f"X-Tag: {plan.tag}\r\nX-Size: {len(body)}\r\n".encode()
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * chance.choice([0, 0, 0, 1, 3])
    kind = chance.randrange(7)
    if kind == 0:
        return hints + b"HTTP/1.1 204 No Content\r\n" + head + b"\r\n", False
    if kind == 1 and plan.method == "GET":
        return hints + b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n" + head + b"\r\n", False
    if kind == 2:
        framed = b"Transfer-Encoding: chunked\r\n\r\n" + (b"" if plan.method == "HEAD" else chunked(body, chance))
        return hints + b"HTTP/1.1 200 OK\r\n" + head + framed, False
    content = b"" if plan.method == "HEAD" else body
    if kind == 3:  # the end of the connection is the end of the body
        return hints + b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + content, True
    if kind == 4:
        return b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(body), head, content), True
    close = kind == 5
    framed = b"Content-Length: %d\r\n%b\r\n" % (len(body), b"Connection: close\r\n" if close else b"")
    return hints + b"HTTP/1.1 200 OK\r\n" + head + framed + content, close


def moody(plans: Plans, chance: random.Random) -> Script:
    """A replica that mostly answers well."""

    async def script(wire: Wire, _number: int) -> None:
        while True:
            if chance.random() < 0.05:
                return leave(wire, chance)
            head = await wire.head()
            plans.arrived[head.first] += 1
            early = chance.random() < 0.2
            plan = plans.by_target[head.target] if early else plans.check(await wire.body(head))
            answer, closing = good_answer(plan, chance)
            if chance.random() > GOOD_SHARE:
                return await misbehave(wire, chance, plan, answer, closing)
            await send_in_pieces(wire, answer, chance)
            if early:
                plans.check(await wire.body(head))
            if closing:
                return None

    return script


async def misbehave(wire: Wire, chance: random.Random, plan: Plan, good: bytes, closing: bool) -> None:
    """Anything but one whole answer and no more."""
    kind = chance.randrange(7)
    if kind == 0:
        await wire.send(good[: chance.randrange(good.index(b"\r\n\r\n"))])
        leave(wire, chance)
    elif kind == 1 and not closing and len(good) < ONE_SEGMENT:
        await wire.send(good + b"HTTP/1.1 200 OK\r\nX-Tag: nobody asked for this\r\nX-Size: 1\r\nContent-Length: 1\r\n\r\n.")
        await wire.rest()
    elif kind == 2:
        await wire.send(chance.randbytes(50) + b"\r\n\r\n")
    elif kind == 3:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    elif kind == 4:
        await wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Tag: %b\r\n\r\n3\r\nabcX\r\n" % plan.tag.encode())
    elif kind == 5:
        await wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40)
    else:
        await wire.rest()  # says nothing: a deadline ends it


# Clients.


class Restless:
    """A client: asks, sometimes for several things at once, in pieces, reads now fast and now slowly, and sometimes leaves."""

    def __init__(self, number: int, plans: Plans, chance: random.Random) -> None:
        self.number = number
        self.plans = plans
        self.chance = chance
        self.asked = 0
        self.fields: dict[str, str] = {"User-Agent": f"restless {number}"}

    async def visit(self, port: int, address: str = "127.0.0.1") -> None:
        """One connection."""
        self.fields = {"User-Agent": f"restless {self.number}"}
        with suppress(EOFError, ConnectionError):
            async with dial(port, address, self.chance.choice([0, 0, 0, 4096])) as wire:
                for _ in range(self.chance.choice([1, 1, 3])):
                    if await self.ask(wire):
                        return

    async def ask(self, wire: Wire) -> bool:
        """Some requests, one behind the other. True: the connection is over."""
        asked = self.some_requests()
        octets = b"".join(plan.octets for plan in asked)
        leaving = self.chance.random()
        if leaving < 0.1:
            await send_in_pieces(wire, octets[: self.chance.randrange(len(octets))], self.chance)
            leave(wire, self.chance)
            return True
        sending = asyncio.create_task(self.send(wire, octets, half_close=leaving > 0.9))
        try:
            for plan in asked:
                if self.chance.random() < 0.05:
                    leave(wire, self.chance)
                    return True
                await asyncio.sleep(self.chance.choice([0, 0, 0, 0.01]))
                answer = await wire.answer(plan.method)
                self.plans.tell_apart(answer, plan)
                if answer.field("connection") == "close":
                    assert await wire.rest() == b""
                    return True
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return asked[-1].last or leaving > 0.9

    async def send(self, wire: Wire, octets: bytes, half_close: bool) -> None:
        await send_in_pieces(wire, octets, self.chance)
        if half_close:
            wire.finish()

    def some_requests(self) -> list[Plan]:
        asked: list[Plan] = []
        for _ in range(self.chance.choice([1, 1, 2, 5])):
            asked.append(self.request())
            self.plans.by_target[asked[-1].tag] = asked[-1]
            if asked[-1].last:
                break
        return asked

    def request(self) -> Plan:
        """The next request; its fields are those of the one before but for a few."""
        self.asked += 1
        chance, tag = self.chance, f"/{self.number}.{self.asked}"
        method = chance.choice(["GET", "GET", "GET", "POST", "PUT", "HEAD"])
        minor = 0 if chance.random() < 0.1 else 1
        self.change_fields(tag)
        kept: dict[str, str | None] = {
            name.lower(): self.fields.get(name) for name in ("Cookie", "X-Own", "User-Agent", "X-Long")
        }
        options = [name for name in ("X-Own", "X-Long") if chance.random() < 0.05]
        kept |= {name.lower(): None for name in options}
        last = minor == 0 or chance.random() < 0.05
        connection = ", ".join([*options, *(["close"] if last and minor else [])])
        host = target_host = chance.choice(AUTHORITIES)
        target = tag
        if chance.random() < 0.1:
            target_host = chance.choice(AUTHORITIES)
            target = f"http://{target_host}{tag}"
        kept |= {"host": target_host, "x-forwarded-host": target_host, "x-forwarded-for": "127.0.0.1", "connection": None}
        body = b"" if method in {"GET", "HEAD"} else pattern(tag, chance.choices(SIZES, SIZE_WEIGHTS)[0])
        framing, content = self.framed(body, method, minor)
        lines = [f"{name}: {value}\r\n" for name, value in self.fields.items()]
        lines.insert(chance.randrange(len(lines) + 1), f"{chance.choice(['Host', 'host'])}: {host}\r\n")
        lines += [f"Connection: {connection}\r\n"] if connection else []
        head = f"{method} {target} HTTP/1.{minor}\r\n{''.join(lines)}{framing}\r\n"
        return Plan(tag, method, head.encode() + content, body, kept, last)

    def change_fields(self, tag: str) -> None:
        chance = self.chance
        for name, value in (
            ("Cookie", f"id={tag}"),
            ("X-Own", tag),
            ("X-Long", "x" * chance.randrange(600)),
            ("X-Forwarded-For", "6.6.6.6"),
        ):
            if chance.random() < 0.3:
                self.fields.pop(name, None)
                if chance.random() < 0.7:
                    self.fields[name] = value

    def framed(self, body: bytes, method: str, minor: int) -> tuple[str, bytes]:
        if method in {"GET", "HEAD"}:
            return "", b""
        if minor and self.chance.random() < 0.4:
            return "Transfer-Encoding: chunked\r\n", chunked(body, self.chance)
        return f"Content-Length: {len(body)}\r\n", body
