"""How answers are framed for each client: HTTP/1.0 and 1.1 on both sides, answers without a body, what is added to them."""

from email.utils import parsedate_to_datetime

import pytest

from tests.proxy.wire import Message, Wire, dial
from tests.proxy.witness import OK, Script, answering, witness
from tests.proxy.workers import Workers, service_of

GET_11 = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
GET_10 = b"GET / HTTP/1.0\r\n\r\n"
KEEP_10 = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhello"


def once(octets: bytes) -> Script:
    """Answer one request and close."""

    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(octets)

    return script


@pytest.mark.parametrize(
    ("asked", "answered", "framing", "stays_open"),
    [
        pytest.param(GET_11, LENGTH, ("5", None, None), True, id="a length stays a length"),
        pytest.param(GET_11, CHUNKED, (None, "chunked", None), True, id="chunks stay chunks"),
        pytest.param(GET_11, UNTIL_CLOSE, (None, "chunked", None), True, id="an answer that ends by closing becomes chunks"),
        pytest.param(GET_10, LENGTH, ("5", None, "close"), False, id="a 1.0 client's connection is closed"),
        pytest.param(KEEP_10, LENGTH, ("5", None, "keep-alive"), True, id="a 1.0 client that asks keeps its connection"),
        pytest.param(KEEP_10, CHUNKED, (None, None, "close"), False, id="a 1.0 client gets no chunks"),
        pytest.param(KEEP_10, UNTIL_CLOSE, (None, None, "close"), False, id="for a 1.0 client closing ends an answer"),
        pytest.param(
            GET_11.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), LENGTH, ("5", None, "close"), False,
            id="a 1.1 client that says close is told so too",
        ),
    ],
)  # fmt: skip
async def test_answer(proxy: Workers, asked: bytes, answered: bytes, framing: tuple[str | None, ...], stays_open: bool) -> None:
    async with witness(once(answered)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(asked)
        answer = await client.answer()
        assert answer.body == b"hello"
        assert answer.first == "HTTP/1.1 200 OK"
        assert tuple(answer.field(name) for name in ("content-length", "transfer-encoding", "connection")) == framing
        if stays_open:
            await client.send(asked)
            assert (await client.answer()).body == b"hello"
        else:
            assert await client.ends()


@pytest.mark.parametrize(
    ("method", "octets"),
    [
        pytest.param("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", id="HEAD with a length"),
        pytest.param("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", id="HEAD of a chunked answer"),
        pytest.param("HEAD", b"HTTP/1.1 200 OK\r\n\r\n", id="HEAD of an answer without framing"),
        pytest.param("GET", b"HTTP/1.1 204 No Content\r\n\r\n", id="204"),
        pytest.param("GET", b'HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\nETag: "x"\r\n\r\n', id="304 with a length"),
    ],
)
async def test_has_no_body(proxy: Workers, method: str, octets: bytes) -> None:
    async with witness(answering(octets, OK)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(b"%b / HTTP/1.1\r\nHost: test\r\n\r\n" % method.encode() + GET_11)
        first = await client.answer(method)
        assert first.status == int(octets[9:12])
        assert (await client.answer()).body == b"ok"  # what follows is the next answer
        assert len(replica.connections) == 1


async def test_204_carries_no_framing_fields(proxy: Workers) -> None:
    async with witness(answering(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET_11)
        answer = await client.answer()
        assert (answer.field("content-length"), answer.field("transfer-encoding")) == (None, None)


async def test_head_keeps_the_length_it_was_told(proxy: Workers) -> None:
    async with witness(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert (await client.answer("HEAD")).field("content-length") == "999"


async def test_octets_after_a_bodiless_answer_go_nowhere(proxy: Workers) -> None:
    async with (
        witness(answering(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nHTTP/", OK)) as replica,
        dial(proxy.port) as client,
    ):
        proxy.serve(service_of(replica.address))
        await client.send(GET_11)
        assert (await client.answer()).status == 204
        await client.send(GET_11)
        assert (await client.answer()).body == b"ok"
        assert len(replica.connections) == 2


@pytest.mark.parametrize(
    ("octets", "reused"),
    [
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", False, id="is not kept unless it says so"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", True, id="is kept if it says so"
        ),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", False,
            id="is not kept after chunks, which 1.0 does not know",
        ),
    ],
)  # fmt: skip
async def test_the_connection_of_an_http_1_0_replica(proxy: Workers, octets: bytes, reused: bool) -> None:
    async with witness(answering(octets)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for _ in range(2):
            await client.send(GET_11)
            answer = await client.answer()
            assert (answer.first, answer.body) == ("HTTP/1.1 200 OK", b"hello")
        assert len(replica.connections) == (1 if reused else 2)


async def test_an_http_1_0_replica_s_body_up_to_its_close_is_whole_for_a_1_0_client(proxy: Workers) -> None:
    async with witness(once(b"HTTP/1.0 200 OK\r\n\r\nhello")) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET_10)
        assert (await client.answer()).body == b"hello"


async def test_a_date_is_added_where_there_is_none_and_kept_where_there_is_one(proxy: Workers) -> None:
    dated = b"HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"
    async with witness(answering(OK, dated)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET_11 * 2)
        added, kept = await client.answer(), await client.answer()
        assert parsedate_to_datetime(added.field("date") or "").year > 2024
        assert kept.field("date") == "Mon, 01 Jan 2024 00:00:00 GMT"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b"HTTP/1.1 200 All Is \xe9 Well", "HTTP/1.1 200 All Is \xe9 Well", id="as it came"),
        pytest.param(b"HTTP/1.1 200 ", "HTTP/1.1 200 ", id="empty"),
        pytest.param(b"HTTP/1.1 200", "HTTP/1.1 200 ", id="missing, with the space that must be there"),
        pytest.param(b"HTTP/1.1 599 Odd", "HTTP/1.1 599 Odd", id="of a status that nobody knows"),
    ],
)
async def test_a_reason_phrase_is_passed_on(proxy: Workers, line: bytes, expected: str) -> None:
    async with witness(answering(line + b"\r\nContent-Length: 0\r\n\r\n")) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET_11)
        assert (await client.answer()).first == expected


async def test_an_answer_s_fields_keep_their_order_and_spelling(proxy: Workers) -> None:
    fields = b"sEt-cOOkie: a=1\r\nX-Empty:\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n"
    async with witness(answering(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n")) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET_11)
        assert fields in (await client.answer()).raw


async def test_an_http_1_0_request_without_host_reaches_the_replica_as_good_http_1_1(proxy: Workers) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET_10)
        await client.answer()
    assert seen[0].first == "GET / HTTP/1.1"
    assert seen[0].field("host") is not None
