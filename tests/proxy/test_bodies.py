"""Bodies of both framings, both ways: the same content arrives, however it comes, as a stream and in bounded memory."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.proxy.wire import Message, Wire, dial, steady
from tests.proxy.witness import OK, answering, witness
from tests.proxy.workers import Workers, service_of
from tests.support import wait_until

MIB = 1024 * 1024
BULK = 1024 * MIB if os.environ.get("CI") else 256 * MIB
BULK_S = 60.0

LENGTH = b"POST /body HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED = b"POST /body HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
EXTENDED = CHUNKED.replace(b"5\r\n", b'5;a="b;c"\r\n').replace(b"0\r\n\r\n", b"000;last\r\n\r\n")
EMPTY = b"POST /body HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
LENGTH_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED_ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"


@pytest.mark.parametrize("drip", [False, True], ids=["whole", "octet by octet"])
@pytest.mark.parametrize(
    ("octets", "body", "framing"),
    [
        pytest.param(LENGTH, b"hello world", "content-length", id="a body with a length"),
        pytest.param(CHUNKED, b"hello world", "transfer-encoding", id="a chunked body"),
        pytest.param(EXTENDED, b"hello world", "transfer-encoding", id="chunk extensions are left out"),
        pytest.param(EMPTY, b"", "transfer-encoding", id="an empty chunked body"),
    ],
)
async def test_request_body(proxy: Workers, octets: bytes, body: bytes, framing: str, drip: bool) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for _ in range(2):
            await (client.drip(octets) if drip else client.send(octets))
            assert (await client.answer()).body == b"ok"
    assert [(request.body, request.field(framing) is not None) for request in seen] == [(body, True)] * 2
    assert b";" not in seen[0].raw.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("drip", [False, True], ids=["whole", "octet by octet"])
@pytest.mark.parametrize(
    ("octets", "body"),
    [
        pytest.param(LENGTH_ANSWER, b"hello world", id="an answer with a length"),
        pytest.param(CHUNKED_ANSWER, b"hello world", id="a chunked answer"),
        pytest.param(CHUNKED_ANSWER.replace(b"5\r\n", b"5;x\r\n"), b"hello world", id="an answer with chunk extensions"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", id="an empty answer"),
    ],
)
async def test_answer_body(proxy: Workers, octets: bytes, body: bytes, drip: bool) -> None:
    async with witness(answering(octets, drip=drip)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for _ in range(2):
            await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            assert (await client.answer()).body == body
        assert len(replica.connections) == 1  # both on one connection: its end was recognized


async def test_a_request_body_is_passed_on_while_it_comes(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.until(b"\r\n\r\n")
        for piece in (b"first", b"second"):
            await wire.exactly(len(piece))
            await wire.send(b"HTTP/1.1 103 Early Hints\r\nX-Got: %b\r\n\r\n" % piece)
        await wire.send(OK)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\n\r\n")
        for piece in (b"first", b"second"):
            await client.send(piece)
            assert (await client.head()).field("x-got") == piece.decode()
        assert (await client.answer()).body == b"ok"


async def test_server_sent_events_arrive_one_by_one(proxy: Workers) -> None:
    taken = asyncio.Queue[int]()

    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            event = b"data: %d\n\n" % number
            await wire.send(b"%x\r\n%b\r\n" % (len(event), event))
            assert await taken.get() == number  # the next one only when the client has this one
        await wire.send(b"0\r\n\r\n")

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(b"GET /events HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n\r\n")
        for number in range(5):
            await client.until(b"data: %d\n\n" % number)
            taken.put_nowait(number)
        await client.until(b"0\r\n\r\n")


TRAILERS = b"0\r\nX-Sum: abc\r\nX-Other: d e\r\n\r\n"


async def test_trailers_of_a_request_reach_the_replica(proxy: Workers) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(CHUNKED.replace(b"0\r\n\r\n", TRAILERS).replace(b"\r\nTransfer", b"\r\nTrailer: X-Sum\r\nTransfer", 1))
        await client.answer()
    assert seen[0].trailers == "X-Sum: abc\r\nX-Other: d e\r\n"
    assert seen[0].field("trailer") == "X-Sum"


async def test_trailers_of_an_answer_reach_the_client(proxy: Workers) -> None:
    async with witness(answering(CHUNKED_ANSWER.replace(b"0\r\n\r\n", TRAILERS))) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(b"GET / HTTP/1.1\r\nHost: test\r\nTE: trailers\r\nConnection: TE\r\n\r\n")
        assert (await client.answer()).trailers == "X-Sum: abc\r\nX-Other: d e\r\n"


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Host", "X-Forwarded-For", "Connection"])
async def test_a_trailer_cannot_set(proxy: Workers, name: str) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(CHUNKED.replace(b"0\r\n\r\n", b"0\r\n%b: 5\r\nX-Sum: abc\r\n\r\n" % name.encode()))
        await client.answer()
    assert seen[0].trailers == "X-Sum: abc\r\n"


async def test_a_replica_that_does_not_read_holds_the_client_up_in_bounded_memory(proxy: Workers) -> None:
    go_on = asyncio.Event()

    async def script(wire: Wire, _number: int) -> None:
        await wire.until(b"\r\n\r\n")
        await go_on.wait()
        left = 128 * MIB - len(wire.held)
        while left:
            left -= len(await wire.more())
            wire.held = b""
        await wire.send(OK)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        before = proxy.forget_peak()
        await client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % (128 * MIB))
        sent = 0

        def more() -> int:
            nonlocal sent
            while taken := client.send_what_fits(bytes(min(65536, 128 * MIB - sent))):
                sent += taken
            return sent

        assert 0 < await steady(more) < 96 * MIB  # four kernel buffers, of 4 to 32 MiB each
        assert proxy.resident() - before < 2 * MIB
        go_on.set()
        await wait_until(lambda: more() == 128 * MIB)
        assert (await client.answer()).body == b"ok"


@contextmanager
def bulk_replica() -> Iterator[str]:
    """A fast replica on a thread: takes any body, and answers GET with BULK octets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.settimeout(BULK_S)
            head = b""
            while b"\r\n\r\n" not in head:
                head += sock.recv(65536)
            if head.startswith(b"GET"):
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BULK)
                _send_bulk(sock)
            else:
                _take_bulk(sock, BULK - len(head.partition(b"\r\n\r\n")[2]))
                sock.sendall(OK)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        thread.join(BULK_S)
        listener.close()


def _send_bulk(sock: socket.socket) -> None:
    piece = bytes(MIB)
    for _ in range(BULK // MIB):
        sock.sendall(piece)


def _take_bulk(sock: socket.socket, size: int) -> None:
    buffer = bytearray(MIB)
    while size:
        taken = sock.recv_into(buffer)
        assert taken, f"the body was cut {size} octets before its end"
        size -= taken


@pytest.mark.parametrize("method", [b"GET", b"POST"], ids=["a huge download", "a huge upload"])
def test_passes_in_a_few_mebibytes(proxy: Workers, method: bytes) -> None:
    with bulk_replica() as address, socket.create_connection(("127.0.0.1", proxy.port), BULK_S) as client:
        proxy.serve(service_of(address))
        before = proxy.forget_peak()
        size = b"" if method == b"GET" else b"Content-Length: %d\r\n" % BULK
        client.sendall(method + b" / HTTP/1.1\r\nHost: test\r\n" + size + b"\r\n")
        if method == b"POST":
            _send_bulk(client)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        else:
            octets = b""
            while b"\r\n\r\n" not in octets:
                octets += client.recv(65536)
            _take_bulk(client, BULK - len(octets.partition(b"\r\n\r\n")[2]))
        assert proxy.resident() - before < 4 * MIB
