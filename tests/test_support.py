"""The shared helpers do what the other tests rely on."""

import asyncio

import pytest

from tests.support import connect, free_port, get, in_virtual_time, tiny_app, wait_until, wait_until_blocking


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


def test_an_hour_of_virtual_time_passes_at_once_and_exactly() -> None:
    async def story() -> float:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(1))
        return asyncio.get_running_loop().time() - began

    assert in_virtual_time(story) == pytest.approx(3600)


def test_a_story_that_waits_for_nothing_fails_instead_of_hanging() -> None:
    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match="for ever"):
        in_virtual_time(story)
