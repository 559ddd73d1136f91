"""The queueing station against what is known of queues."""

import math
import random

import pytest

from sidecar.simulation.station import Station


def settled(rate: float, servers: int, cv: float = 1.0) -> Station:
    """A station of one-second requests that has come to rest."""
    station = Station(1.0, cv, random.Random(1).gauss)
    for _ in range(3000):
        station.advance(rate, round(rate), 1.0, servers)
    return station


def erlang_c(load: float, servers: int) -> float:
    """The probability that one who comes has to wait, in M/M/c (Erlang, 1917)."""
    terms = [load**n / math.factorial(n) for n in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


@pytest.mark.parametrize("busy", [0.3, 0.6, 0.8, 0.95])
def test_one_server_holds_what_m_m_1_holds(busy: float) -> None:
    assert settled(busy, 1).mean == pytest.approx(busy / (1 - busy), rel=0.01)


@pytest.mark.parametrize(("load", "servers"), [(3.0, 5), (8.0, 10), (18.0, 20), (90.0, 100)])
def test_many_servers_hold_about_what_m_m_c_holds(load: float, servers: int) -> None:
    queue = erlang_c(load, servers) * load / (servers - load)
    assert settled(load, servers).mean == pytest.approx(load + queue, rel=0.15)


def test_requests_that_all_take_as_long_wait_half_as_long() -> None:
    waiting = [settled(0.9, 1, cv).mean - 0.9 for cv in (0.0, 1.0)]
    assert waiting[0] == pytest.approx(waiting[1] / 2, rel=0.02)


def test_in_overload_it_grows_by_what_is_not_served() -> None:
    station = settled(5.0, 10)
    before = station.mean
    for _ in range(100):
        station.advance(14.0, 14, 1.0, 10)
    assert station.mean - before == pytest.approx(100 * 4.0, rel=0.05)
