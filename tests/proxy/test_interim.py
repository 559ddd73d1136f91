"""Interim answers (1xx) and `Expect: 100-continue`, RFC 9110 sections 10.1.1 and 15.2."""

import pytest

from tests.proxy.wire import Wire, dial
from tests.proxy.witness import OK, Script, witness
from tests.proxy.workers import Workers, service_of

EXPECTING = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"


async def test_100_is_passed_on_before_the_body_comes(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        assert (await wire.head()).field("expect") == "100-continue"
        await wire.send(CONTINUE)
        assert await wire.exactly(5) == b"hello"
        await wire.send(OK)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(EXPECTING)
        assert (await client.head()).status == 100
        await client.send(b"hello")
        assert (await client.answer()).body == b"ok"


def refusing(status: int) -> Script:
    async def script(wire: Wire, _number: int) -> None:
        await wire.head()
        await wire.send(b"HTTP/1.1 %d Refused\r\nContent-Length: 2\r\n\r\nno" % status)
        await wire.more()

    return script


@pytest.mark.parametrize("status", [413, 417, 401])
async def test_a_final_answer_instead_of_100_is_passed_on_and_the_connection_closed(proxy: Workers, status: int) -> None:
    async with witness(refusing(status)) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(EXPECTING)
        answer = await client.answer()
        assert (answer.status, answer.body, answer.field("connection")) == (status, b"no", "close")
        assert await client.ends()
        assert replica.got.partition(b"\r\n\r\n")[2] == b""  # no octet of a body nobody sent


async def test_a_replica_that_never_says_100_still_gets_the_body_of_a_client_that_does_not_wait(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        assert (await wire.request()).body == b"hello"
        await wire.send(OK)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(EXPECTING)
        await client.send(b"hello")
        assert (await client.answer()).body == b"ok"


async def test_a_client_that_waits_for_a_100_that_never_comes_is_not_left_hanging(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.request()

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address), body_idle_s=0.3)
        await client.send(EXPECTING)
        assert (await client.answer()).status in {408, 504}
        assert await client.ends()


async def test_an_expectation_other_than_100_continue_is_refused(proxy: Workers) -> None:
    async with dial(proxy.port) as client:
        await client.send(EXPECTING.replace(b"100-continue", b"a-miracle"))
        assert (await client.answer()).status == 417
        assert await client.ends()


async def test_several_interim_answers_come_in_order_with_their_fields(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.drip(HINTS + HINTS.replace(b"/a.css", b"/b.css") + b"HTTP/1.1 102 Processing\r\n\r\n" + OK)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        heads = [await client.head() for _ in range(3)]
        assert [(head.status, head.field("link")) for head in heads] == [
            (103, "</a.css>; rel=preload"),
            (103, "</b.css>; rel=preload"),
            (102, None),
        ]
        assert (await client.answer()).body == b"ok"


async def test_an_http_1_0_client_gets_no_interim_answer(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        await wire.send(HINTS + CONTINUE + OK)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert (await client.head()).status == 200


async def test_interim_answers_without_end_become_502(proxy: Workers) -> None:
    async def script(wire: Wire, _number: int) -> None:
        await wire.request()
        while True:
            await wire.send(HINTS)

    async with witness(script) as replica, dial(proxy.port) as client:
        proxy.serve(service_of(replica.address))
        await client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert (await client.answer()).status == 502
