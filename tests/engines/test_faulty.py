"""The man in the middle lets through what it should, and fails as it is told."""

import json
import socket
from collections.abc import Callable

import pytest

from tests.engines.api import RefusedError, ask
from tests.engines.daemon import Daemon
from tests.engines.faulty import Faulty

LIST = "/containers/json"


def test_everything_passes_and_is_written_down(middle: Faulty, engine: Daemon) -> None:
    middle_info, info = (ask(path, "GET", "/info") for path in (middle.socket, engine.socket))
    assert middle_info["ID"] == info["ID"]
    ask(middle.socket, "POST", "/networks/create", {"Name": "through"})
    assert "through" in engine.docker("network", "ls")
    assert middle.calls == [("GET", "/info"), ("POST", "/networks/create")]


def test_an_error_is_answered_as_often_as_it_was_asked_for(middle: Faulty) -> None:
    middle.answer(503, "no leader", method="GET", path=LIST, times=1)
    assert ask(middle.socket, "GET", "/volumes")
    with pytest.raises(RefusedError, match="no leader"):
        ask(middle.socket, "GET", LIST)
    assert ask(middle.socket, "GET", LIST) == []


@pytest.mark.parametrize("fault", [Faulty.drop, Faulty.lose])
def test_a_connection_that_closes_without_an_answer(middle: Faulty, engine: Daemon, fault: Callable[..., None]) -> None:
    fault(middle, path="/networks/create")
    with pytest.raises(ConnectionError):
        ask(middle.socket, "POST", "/networks/create", {"Name": "maybe"})
    assert ("maybe" in engine.docker("network", "ls")) == (fault is Faulty.lose)


def test_an_engine_that_is_gone_and_comes_back(middle: Faulty) -> None:
    middle.refuse()
    with pytest.raises(FileNotFoundError):
        ask(middle.socket, "GET", LIST)
    middle.accept()
    assert ask(middle.socket, "GET", LIST) == []


def test_a_list_of_what_is_allowed(middle: Faulty) -> None:
    middle.allow(("GET", "/containers/.*"))
    assert ask(middle.socket, "GET", LIST) == []
    with pytest.raises(RefusedError, match="not on the list") as refused:
        ask(middle.socket, "GET", "/info")
    assert refused.value.status == 403


def test_a_stream_flows_until_it_is_cut_in_the_middle(middle: Faulty, engine: Daemon) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(middle.socket))
        client.sendall(b"GET /v1.41/events HTTP/1.1\r\nHost: engine\r\n\r\n")
        assert b"200 OK" in client.recv(4096)
        engine.docker("network", "create", "seen")
        event = client.recv(4096).split(b"\r\n")[1]
        assert json.loads(event)["Actor"]["Attributes"]["name"] == "seen"
        middle.cut("/events")
        assert client.recv(4096) == b""


def test_what_hangs_is_released_by_healing(middle: Faulty) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        middle.hang(path=LIST)
        client.connect(str(middle.socket))
        client.sendall(f"GET {LIST} HTTP/1.1\r\nHost: engine\r\n\r\n".encode())
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(20)
        middle.heal()
        assert client.recv(1) == b""
