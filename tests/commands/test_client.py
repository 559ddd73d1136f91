"""The client says in words what is wrong with the other side."""

import pytest

from sidecar.client import Client, Message, Refused, Unreachable, messages
from tests.support import tiny_app


def test_something_else_on_the_port_is_no_admin_api() -> None:
    with (
        tiny_app() as (port, _),
        Client(f"127.0.0.1:{port}") as client,
        pytest.raises(Unreachable, match="no admin API of ecluse"),
    ):
        client.get("/healthz")


def test_an_unknown_path_is_refused_with_a_word(admin: str) -> None:
    with Client(admin) as client, pytest.raises(Refused) as refused:
        client.get("/api/nothing")
    assert (refused.value.status, refused.value.word) == (404, "not_found")


def test_a_stream_is_refused_before_it_begins(admin: str) -> None:
    with Client(admin) as client, pytest.raises(Refused, match="no service 'shep'"):
        next(client.follow("/api/services/shep/logs"))


def test_an_environment_proxy_is_not_asked(admin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Client(admin) as client:
        assert client.get("/healthz") == {"status": "ok"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["data: a", ""], [Message("a")]),
        (["id: 7", "event: decision", "data: {}", ""], [Message("{}", "decision", "7")]),
        (["data: a", "data: b", ""], [Message("a\nb")]),
        ([": open", "", ": still here", "", "data:x", ""], [Message("x")]),
        (["data: cut off"], []),
    ],
)
def test_a_stream_is_read_as_the_standard_says(lines: list[str], expected: list[Message]) -> None:
    assert list(messages(iter(lines))) == expected
