"""The shared helpers do what the other tests rely on."""

import asyncio

import pytest

from tests.support import connect, free_port, get, tiny_app, wait_until, wait_until_blocking


async def test_waiting_gives_the_first_true_value() -> None:
    values = iter([0, None, 7])
    assert await wait_until(lambda: next(values)) == 7


async def test_waiting_in_vain_shows_the_condition() -> None:
    with pytest.raises(AssertionError, match="free_port"):
        await wait_until(lambda: free_port() < 0, deadline_s=0.02)


def test_waiting_without_an_event_loop_works_too() -> None:
    values = iter([False, True])
    assert wait_until_blocking(lambda: next(values))


async def test_the_tiny_app_answers_and_keeps_its_connection(tiny: int) -> None:
    async with connect(tiny) as client:
        assert (await client.request("GET", "/healthz")).body == b"ok"
        assert (await client.request("POST", "/echo", body=b"said")).body == b"said"
        assert (await client.request("POST", "/healthz?status=503")).status == 503
        assert (await client.request("GET", "/healthz")).status == 503
        await client.send(b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert (await client.answer()).body == b"abc"


async def test_the_tiny_app_finishes_what_is_in_flight_before_it_stops() -> None:
    with tiny_app() as (port, process):
        slow = asyncio.create_task(get(port, "/slow?ms=150"))
        async with connect(port) as client:
            await client.request()
            process.terminate()
            assert await client.at_end()
        assert (await slow).body == b"slow"
        assert await wait_until(lambda: process.poll() is not None)
        assert process.returncode == 0
