"""Many clients and replicas that do anything at any moment, from a seed: nobody ever gets an answer that is not theirs.

Each request carries a tag of its own, and a replica that answers well answers with the tag. Replicas also break off, reset, say close,
answer twice or with nonsense; clients leave and pipeline; tables change meanwhile. What must hold: every 200 that came whole has its
request's tag, in order; what is POSTed reaches a replica once at most; and in the end nothing is left over (the fixture sees to that).
"""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack, suppress

import pytest

from balancer.table import ReplicaState
from tests.proxy.wire import Message, Wire, dial
from tests.proxy.witness import Script, witness
from tests.proxy.workers import Workers, in_state, service_of, settings_of, table_of

CLIENTS = 16
ROUNDS = 20
GOOD_SHARE = 0.7


def framed(body: bytes, chance: random.Random, request: Message) -> bytes:
    """A good answer, framed one way or another."""
    if request.first.startswith("HEAD"):
        return b"HTTP/1.1 200 OK\r\nX-Tag: %b\r\nContent-Length: %d\r\n\r\n" % (body, len(body))
    head = b"HTTP/1.1 200 OK\r\nX-Tag: %b\r\n" % body
    kind = chance.randrange(3)
    if kind == 0:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    if kind == 1:
        pieces = b"".join(b"%x\r\n%b\r\n" % (1, body[at : at + 1]) for at in range(len(body)))
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    return head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def moody(chance: random.Random, got: Counter[str]) -> Script:
    """A replica that mostly answers well."""

    async def script(wire: Wire, _number: int) -> None:
        while True:
            if chance.random() > GOOD_SHARE and chance.random() < 0.2:
                (wire.reset if chance.random() < 0.5 else wire.close)()
                return
            request = await wire.request()
            got[request.first] += 1
            good = framed(request.target.encode(), chance, request)
            if chance.random() < GOOD_SHARE:
                await (wire.drip(good) if chance.random() < 0.1 else wire.send(good))
                if b"Connection: close" in good:
                    return
                continue
            await misbehave(wire, chance, good)
            return

    return script


async def misbehave(wire: Wire, chance: random.Random, good: bytes) -> None:
    kind = chance.randrange(6)
    if kind == 0:
        await wire.send(good[: chance.randrange(len(good))])
        (wire.reset if chance.random() < 0.5 else wire.close)()
    elif kind == 1:
        await wire.send(good + b"HTTP/1.1 200 OK\r\nX-Tag: poison\r\nContent-Length: 6\r\n\r\npoison")
        await wire.rest()
    elif kind == 2:
        await wire.send(bytes(chance.randrange(256) for _ in range(50)) + b"\r\n\r\n")
    elif kind == 3:
        await wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + good)
    elif kind == 4:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    else:
        await wire.rest()  # says nothing: a deadline ends it


def request_of(tag: str, chance: random.Random) -> tuple[str, bytes]:
    method = chance.choice(["GET", "GET", "POST", "PUT", "HEAD"])
    if method in {"GET", "HEAD"}:
        return method, f"{method} {tag} HTTP/1.1\r\nHost: test\r\n\r\n".encode()
    body = b"x" * chance.choice([0, 10, 1000, 100_000])
    if chance.random() < 0.5:
        return method, f"{method} {tag} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return method, f"{method} {tag} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunk + b"0\r\n\r\n"


async def restless(port: int, number: int, chance: random.Random, statuses: Counter[int]) -> None:
    """A client that asks, sometimes for several things at once, and sometimes leaves in the middle."""
    for turn in range(ROUNDS):
        with suppress(EOFError, ConnectionError):
            async with dial(port) as wire:
                tags = [f"/{number}.{turn}.{index}" for index in range(chance.choice([1, 1, 2, 5]))]
                requests = [request_of(tag, chance) for tag in tags]
                octets = b"".join(octets for _, octets in requests)
                if chance.random() < 0.1:
                    await wire.send(octets[: chance.randrange(len(octets))])
                    (wire.reset if chance.random() < 0.5 else wire.close)()
                    continue
                sending = asyncio.create_task(wire.send(octets))
                try:
                    for tag, (method, _) in zip(tags, requests, strict=True):
                        answer = await wire.answer(method)
                        statuses[answer.status] += 1
                        check(answer, tag, method)
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)


def check(answer: Message, tag: str, method: str) -> None:
    if answer.status == 200:
        assert answer.field("x-tag") == tag
        assert answer.body == (b"" if method == "HEAD" else tag.encode())
    else:
        assert answer.status in {502, 503, 504}, answer


@pytest.mark.parametrize("seed", range(3))
async def test_everybody_gets_their_own_answer_or_none(pair: Workers, seed: int) -> None:
    chance = random.Random(seed)
    got: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    settings = settings_of(response_head_s=0.3, body_idle_s=0.3, linger_s=0.1)
    async with AsyncExitStack() as stack:
        moods = [random.Random(seed * 100 + number) for number in range(3)]
        made = [await stack.enter_async_context(witness(moody(mood, got))) for mood in moods]
        service = service_of(*[replica.address for replica in made], max_concurrency=4)
        pair.use(table_of(service, settings=settings))
        clients = [
            asyncio.create_task(restless(pair.port, number, random.Random(seed * 1000 + number), statuses))
            for number in range(CLIENTS)
        ]
        whole = asyncio.gather(*clients)
        while not whole.done():
            pair.send(table_of(in_state(service, ReplicaState.DRAINING, chance.randrange(3)), settings=settings))
            await asyncio.wait(clients, timeout=0.1)
            pair.heard("ack")  # read, so that nothing piles up
        await whole
    assert statuses[200] > CLIENTS * ROUNDS / 2
    assert max(got.values()) <= 3
    assert max(count for first, count in got.items() if first.startswith("POST")) == 1
