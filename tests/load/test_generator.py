"""The generator against real sockets: every request has an end that is counted, and time counts from when it was due."""

import gc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from sidecar.load import request as requests
from sidecar.load.arrivals import Spacing, arrivals
from sidecar.load.generator import Generator
from sidecar.load.quiet import quiet
from sidecar.load.tally import Measured
from sidecar.load.target import parse
from tests.load.listener import OK, Say, always, listener
from tests.support import free_port

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MALFORMED = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok"


def load(
    url: str,
    rate: float = 100,
    seconds: float = 0.2,
    *,
    connections: int = 8,
    timeout_s: float = 10.0,
    warm_up_s: float = 0.0,
    method: str = "GET",
    body: bytes = b"",
) -> Measured:
    """What evenly spaced requests come to; twenty unless told otherwise."""
    target = parse(url)
    request = requests.build(target.authority, target.path, method, (), body)
    with Generator(target, request, connections, timeout_s) as generator, quiet():
        return generator.run(arrivals(rate, seconds, Spacing.EVEN, Random(1)), seconds, warm_up_s)


def check_all_accounted(measured: Measured) -> None:
    assert measured.due == measured.answered + sum(measured.errors.values()) + measured.unfinished
    assert measured.answered == sum(measured.statuses.values())


def test_a_real_application_answers_every_request(tiny: int) -> None:
    measured = load(f"http://127.0.0.1:{tiny}/")
    assert (measured.due, measured.sent, measured.good, measured.bad) == (20, 20, 20, 0)
    assert measured.statuses == {"200": 20}
    assert measured.offered_rate == 100
    assert measured.achieved_rate > 0
    assert measured.in_flight > 0


@pytest.mark.parametrize("place", ["127.0.0.1", "::1", "unix"])
def test_over_every_kind_of_socket(place: str, tmp_path: Path) -> None:
    with listener(always(OK), str(tmp_path / "app.sock") if place == "unix" else place) as (app, _):
        assert load(app.url).good == 20


@pytest.mark.parametrize(
    ("say", "connections"),
    [
        pytest.param(always(CHUNKED, b"2\r\nok\r\n", b"0\r\n\r\n"), 1, id="in chunks"),
        pytest.param(always(OK[:9], OK[9:-1], OK[-1:]), 1, id="in pieces"),
        pytest.param(always(b"HTTP/1.1 200 OK\r\n\r\n", b"to the end", close=True), 20, id="to the end of the connection"),
        pytest.param(always(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), close=True), 20, id="that says close"),
        pytest.param(always(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), 1, id="that leads elsewhere"),
    ],
)
def test_an_answer_is_good(say: Callable[[int], Say], connections: int) -> None:
    with listener(say) as (app, _):
        measured = load(app.url, connections=1)
        assert (measured.good, measured.errors) == (20, {})
        assert app.connections == connections


@pytest.mark.parametrize(
    ("say", "errors"),
    [
        pytest.param(always(MALFORMED), {"malformed": 20}, id="that two parsers could read differently"),
        pytest.param(always(OK + b"more"), {"malformed": 20}, id="with octets after its end"),
        pytest.param(always(OK[:-1], close=True), {"broken": 20}, id="that breaks off"),
        pytest.param(always(close=True), {"broken": 20}, id="that never comes, but the end of the connection does"),
    ],
)
def test_an_answer_is_an_error(say: Callable[[int], Say], errors: dict[str, int]) -> None:
    with listener(say) as (app, _):
        measured = load(app.url)
    check_all_accounted(measured)
    assert (measured.errors, measured.answered, measured.bad) == (errors, 0, 20)
    assert measured.latency_s["p50"] is None


def test_answers_that_are_not_good_are_counted_and_are_no_latency() -> None:
    full = b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n"
    with listener(lambda number: Say((OK if number % 2 else full,))) as (app, _):
        measured = load(app.url, connections=1)
    check_all_accounted(measured)
    assert (measured.statuses, measured.good, measured.bad_share) == ({"200": 10, "503": 10}, 10, 0.5)


def test_where_nothing_listens_every_request_is_an_error() -> None:
    measured = load(f"http://127.0.0.1:{free_port()}/")
    check_all_accounted(measured)
    assert measured.errors == {"connect": 20}


def test_a_stall_shows_in_the_latency_of_all_that_were_due_in_it() -> None:
    """Coordinated omission: a generator that waits for each answer would see one slow request in five hundred."""
    with listener(lambda number: Say((OK,), stall_s=0.2 if number == 100 else 0.0)) as (app, _):
        measured = load(app.url, rate=500, seconds=1.0, connections=1)
    check_all_accounted(measured)
    latency = measured.latency_s
    assert measured.good == 500
    assert latency["p95"] is not None
    assert latency["max"] is not None
    assert latency["max"] >= 0.2
    assert latency["p95"] >= 0.1  # a fifth of the requests was due in the stall, a tenth in its first half


def test_requests_that_find_no_connection_wait_and_their_time_counts() -> None:
    with listener(lambda _: Say((OK,), stall_s=0.02)) as (app, _):
        measured = load(app.url, connections=1)
    assert (measured.good, app.connections) == (20, 1)
    assert measured.waited > 0
    assert measured.latency_s["max"] is not None
    assert measured.latency_s["max"] >= 0.2  # they are due within 0.2 s and take 0.4


def test_what_is_not_answered_in_time_is_an_error_that_took_so_long() -> None:
    with listener(lambda _: None) as (app, _):
        measured = load(app.url, connections=4, timeout_s=0.2)
    check_all_accounted(measured)
    assert (measured.errors, measured.sent >= 4) == ({"timeout": 20}, True)
    assert measured.latency_s["p50"] is not None
    assert measured.latency_s["p50"] >= 0.2


def test_too_many_that_wait_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.load.generator.QUEUE", 5)
    with listener(lambda _: None) as (app, _):
        measured = load(app.url, connections=2, timeout_s=0.3)
    check_all_accounted(measured)
    assert measured.errors == {"timeout": 7, "no_room": 13}


def test_a_warm_up_is_sent_and_not_counted() -> None:
    with listener(always(OK)) as (app, _):
        measured = load(app.url, warm_up_s=0.1)
        assert app.requests == 20
    assert (measured.due, measured.good, measured.seconds) == (10, 10, pytest.approx(0.1))


@pytest.mark.parametrize(("method", "errors"), [("GET", {}), ("POST", {"broken": 1})])
def test_a_get_on_a_connection_that_had_ended_is_sent_again_a_post_is_not(method: str, errors: dict[str, int]) -> None:
    """The second request on each connection meets its end instead of an answer, as when it is closed while idle."""
    with listener(lambda number: Say(() if number == 2 else (OK,), close=number == 2)) as (app, _):
        measured = load(app.url, connections=1, method=method)
    check_all_accounted(measured)
    assert (measured.repeated, measured.errors) == (len(errors) == 0, errors)
    assert measured.good == 20 - len(errors)


def test_idle_connections_that_end_are_replaced() -> None:
    with listener(always(OK)) as (app, close_all):
        target = parse(app.url)
        with Generator(target, requests.build("a", "/"), 4) as generator:
            generator.open_all()
            assert generator.run(arrivals(100, 0.1, Spacing.EVEN, Random(1)), 0.1).good == 10
            assert app.connections == 4
            close_all()
            again = generator.run(arrivals(100, 0.1, Spacing.EVEN, Random(1)), 0.1)
    assert (again.good, again.errors) == (10, {})


def test_a_body_larger_than_the_kernel_takes_at_once_arrives(tiny: int) -> None:
    body = b"x" * 8_000_000
    measured = load(f"http://127.0.0.1:{tiny}/echo", rate=10, seconds=0.2, method="POST", body=body)
    assert (measured.good, measured.errors) == (2, {})


def test_an_answer_that_comes_before_the_request_was_sent_ends_its_connection() -> None:
    """As 413 does. The listener answers the head, and the body would be the next request."""
    with listener(always(OK)) as (app, _):
        measured = load(app.url, rate=10, seconds=0.2, connections=1, method="POST", body=b"x" * 8_000_000)
        check_all_accounted(measured)
        assert app.connections == measured.due


def test_stopped_it_returns_at_once_with_what_was_measured() -> None:
    stop: list[Callable[[], None]] = []

    def answer(number: int) -> Say:
        if number == 10:
            stop[0]()
        return Say((OK,))

    with listener(answer) as (app, _), Generator(parse(app.url), requests.build("a", "/"), 4) as generator:
        stop.append(generator.stop)
        measured = generator.run(arrivals(100, 60, Spacing.EVEN, Random(1)), 60)
    check_all_accounted(measured)
    assert generator.stopped
    assert 9 <= measured.due < 6000
    assert measured.seconds < 60
    assert measured.achieved_rate > 0


def test_collection_of_garbage_is_as_it_was_afterwards() -> None:
    with suppress(ZeroDivisionError), quiet():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled()
