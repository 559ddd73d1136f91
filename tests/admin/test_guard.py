"""Who may ask the admin API for what."""

import pytest

from sidecar.admin.guard import Gate, host_name, is_loopback

LOOPBACK = Gate("127.0.0.1", "")
GUARDED = Gate("0.0.0.0", "sésame")  # noqa: S104 - nothing listens here
JSON = {"content-type": "application/json"}
LOCAL = {"host": "localhost:9090"}


@pytest.mark.parametrize(
    ("method", "fields", "status"),
    [
        pytest.param("GET", LOCAL, None, id="localhost may read"),
        pytest.param("GET", {"host": "[::1]:9090"}, None, id="the IPv6 loopback may read"),
        pytest.param("GET", {"host": "127.0.0.1"}, None, id="the listening address may read"),
        pytest.param("GET", {"host": "evil.example:9090"}, 421, id="a name pointed at 127.0.0.1 may not read"),
        pytest.param("GET", {"host": "127.0.0.1.evil.example"}, 421, id="a name that begins like loopback may not read"),
        pytest.param("GET", {}, 421, id="no Host may not read"),
        pytest.param("POST", {**LOCAL, **JSON}, None, id="a program may change"),
        pytest.param("POST", LOCAL, 415, id="a body without a type may not change"),
        pytest.param("POST", {**LOCAL, "content-type": "text/plain"}, 415, id="a form's type may not change"),
        pytest.param("POST", {**LOCAL, "content-type": "application/json; charset=utf-8"}, None, id="a charset changes nothing"),
        pytest.param("POST", {**LOCAL, **JSON, "origin": "http://localhost:9090"}, None, id="its own page may change"),
        pytest.param(
            "POST", {**LOCAL, **JSON, "origin": "http://localhost:8080"}, 403, id="a page of another port may not change"
        ),
        pytest.param("POST", {**LOCAL, **JSON, "origin": "null"}, 403, id="a page without origin may not change"),
        pytest.param("POST", {**LOCAL, **JSON, "sec-fetch-site": "cross-site"}, 403, id="a page of another site may not change"),
        pytest.param("POST", {**LOCAL, **JSON, "sec-fetch-site": "same-site"}, 403, id="a neighbour's page may not change"),
        pytest.param("POST", {"host": "evil.example", **JSON}, 421, id="a rebound name may not change"),
    ],
)
def test_without_a_token(method: str, fields: dict[str, str], status: int | None) -> None:
    refusal = LOOPBACK.refusal(method, "/api/reload", fields)
    assert (refusal and refusal.status) == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({}, 401, id="none is refused"),
        pytest.param({"authorization": "Bearer wrong"}, 401, id="a wrong one is refused"),
        pytest.param({"authorization": "Basic sésame"}, 401, id="another scheme is refused"),
        pytest.param({"authorization": "sésame"}, 401, id="one without scheme is refused"),
        pytest.param({"authorization": "bearer " + "sésame".encode().decode("latin-1")}, None, id="the right one will do"),
    ],
)
def test_a_token_is_asked_for_whatever_the_host(fields: dict[str, str], status: int | None) -> None:
    refusal = GUARDED.refusal("GET", "/metrics", {"host": "ecluse:9090", **fields})
    assert (refusal and refusal.status) == status


def test_the_token_does_not_open_the_door_to_other_pages() -> None:
    fields = {"authorization": "Bearer " + "sésame".encode().decode("latin-1"), **JSON, "origin": "https://evil.example"}
    refusal = GUARDED.refusal("POST", "/api/reload", {"host": "ecluse:9090", **fields})
    assert refusal
    assert refusal.status == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_open_to_all(path: str) -> None:
    assert GUARDED.refusal("GET", path, {"host": "10.0.0.7"}) is None
    assert LOOPBACK.refusal("GET", path, {"host": "10.0.0.7"}) is None


@pytest.mark.parametrize(
    ("field", "name", "loopback"),
    [
        ("localhost", "localhost", True),
        ("LOCALHOST.:80", "localhost", True),
        ("ecluse.localhost:80", "ecluse.localhost", True),
        ("127.0.0.53:80", "127.0.0.53", True),
        ("[::1]", "::1", True),
        ("10.0.0.1:80", "10.0.0.1", False),
        ("example.com", "example.com", False),
        ("", "", False),
    ],
)
def test_a_host_is_loopback_or_not(field: str, name: str, loopback: bool) -> None:
    assert host_name(field) == name
    assert is_loopback(host_name(field)) is loopback
