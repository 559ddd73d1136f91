"""Ports for instances."""

import random
import socket

import pytest

from autoscaler.cluster.engine import EngineError
from autoscaler.cluster.processes import ports
from autoscaler.cluster.processes.ports import FIRST, LAST, Ports


def test_no_port_is_given_twice_in_a_row_of_many() -> None:
    giver = Ports(random.Random(1))
    given = [giver.take() for _ in range(300)]
    assert len({*given}) == 300
    assert all(FIRST <= port <= LAST for port in given)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "127.0.0.9", "::1", "::"])  # noqa: S104 - each is an address to be noticed
def test_a_port_that_is_taken_on_any_address_is_passed_over(address: str) -> None:
    port = Ports(random.Random(5)).take()
    with socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET):
        assert Ports(random.Random(5)).take() != port


def test_when_all_ports_are_taken_the_error_says_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    port = Ports(random.Random(5)).take()
    monkeypatch.setattr(ports, "FIRST", port)
    monkeypatch.setattr(ports, "LAST", port)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(EngineError, match="no free port for a replica"):
        Ports(random.Random(5)).take()
