"""What repeats on a connection is not read again, and nobody can tell: the same head, the same fields, the same head of an answer."""

import pytest

from tests.proxy.wire import Message, dial
from tests.proxy.witness import answering, witness
from tests.proxy.workers import Workers, service_of

GET = b"GET /list?page=2 HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n"
LONG = b"GET /list?page=2 HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\nX-Long: %b\r\n\r\n" % (b"x" * 600)
POST = b"POST /list HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\n"
OLD = b"GET /list HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n"
ABSOLUTE = b"GET http://other.example/list HTTP/1.1\r\nHost: shop.example\r\n\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([GET], id="whole"),
        pytest.param([b"\r\n", GET], id="after an empty line"),
        pytest.param([GET[:30], GET[30:]], id="in two pieces"),
        pytest.param([GET[:-1], GET[-1:]], id="all but its last octet, and that"),
        pytest.param([LONG], id="too long to be kept"),
        pytest.param([OLD], id="of HTTP/1.0"),
        pytest.param([ABSOLUTE], id="with an absolute target"),
        pytest.param([POST + b"abcde"], id="with a body"),
        pytest.param([POST, b"abcde"], id="and a body after it"),
    ],
)
async def test_the_same_request_over_and_over_looks_the_same_to_the_replica(proxy: Workers, pieces: list[bytes]) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for _ in range(4):
            for piece in pieces:
                await client.send(piece)
            assert (await client.answer()).body == b"ok"
    assert [message.raw for message in seen] == [seen[0].raw] * 4


async def test_octet_by_octet_it_looks_the_same_too(proxy: Workers) -> None:
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(GET)
        await client.answer()
        await client.drip(GET)
        await client.answer()
    assert seen[0].raw == seen[1].raw


async def test_requests_that_take_turns_are_not_mixed_up(proxy: Workers) -> None:
    heads = [GET, GET, POST + b"abcde", GET, ABSOLUTE, GET, LONG, GET, GET.replace(b"=2", b"=3"), GET, OLD, GET]
    seen: list[Message] = []
    async with witness(answering(seen=seen)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for head in heads:
            await client.send(head)
            await client.answer()
        await client.send(b"".join(heads))
        for _ in heads:
            await client.answer()
    apart, pipelined = seen[: len(heads)], seen[len(heads) :]
    assert [message.raw for message in apart] == [message.raw for message in pipelined]
    targets = ["/list?page=2", "/list?page=2", "/list", "/list?page=2", "/list", "/list?page=2", "/list?page=2", "/list?page=2"]
    assert [message.target for message in apart] == [*targets, "/list?page=3", "/list?page=2", "/list", "/list?page=2"]


@pytest.mark.parametrize(("limit", "status"), [("request_line", 414), ("head", 431)])
async def test_a_head_that_comes_again_is_held_to_the_limits_of_now(proxy: Workers, limit: str, status: int) -> None:
    async with witness(answering()) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        for _ in range(2):
            await client.send(GET)
            assert (await client.answer()).status == 200
        proxy.serve(service_of(replica.address), **{limit: 20})
        await client.send(GET)
        assert (await client.answer()).status == status


async def test_an_answer_s_head_that_comes_again_does_not_hide_what_follows_it(proxy: Workers) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
    answers = [head + b"\r\nabcd", head + b"\r\n\r\n\r\n", head + b"X-More: 1\r\n\r\nefgh", head + b"\r\nijkl"]
    async with witness(answering(*answers)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        got = []
        for _ in answers:
            await client.send(GET)
            got.append(await client.answer())
    assert [answer.body for answer in got] == [b"abcd", b"\r\n\r\n", b"efgh", b"ijkl"]
    assert [answer.field("x-more") for answer in got] == [None, None, "1", None]
