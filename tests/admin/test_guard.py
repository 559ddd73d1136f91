"""Who may ask the admin API for what."""

import pytest

from sidecar.admin.guard import Gate, host_name, is_loopback

LOOPBACK = Gate("127.0.0.1", "")
GUARDED = Gate("0.0.0.0", "sésame")  # noqa: S104 - nothing listens here
JSON = {"content-type": "application/json"}
CROSS = {"sec-fetch-site": "cross-site"}
LINK = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
LOCAL = {"host": "localhost:9090"}
TOKEN = {"authorization": "Bearer " + "sésame".encode().decode("latin-1")}
NAMED = Gate("10.0.0.5", "", frozenset({"admin.example.com", "fd00::7"}))


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
        pytest.param("GET", {**LOCAL, "sec-fetch-site": "none"}, None, id="whoever types the address may read"),
        pytest.param("GET", {**LOCAL, "sec-fetch-site": "same-origin"}, None, id="its own page may read"),
        pytest.param("GET", {**LOCAL, "sec-fetch-site": "cross-site"}, 403, id="an image on another site's page may not read"),
        pytest.param("GET", {**LOCAL, "sec-fetch-site": "same-site"}, 403, id="a neighbour's page may not read"),
        pytest.param("GET", {**LOCAL, "origin": "http://evil.example"}, 403, id="a script of another site's page may not read"),
        pytest.param("GET", {**LOCAL, **CROSS, **LINK}, None, id="a link on another site's page may be followed"),
        pytest.param("POST", {**LOCAL, **JSON, **CROSS, **LINK}, 403, id="a form on another site's page may not change"),
        pytest.param(
            "GET", {**LOCAL, **CROSS, **LINK, "sec-fetch-dest": "iframe"}, 403, id="a frame on another site's page may not read"
        ),
        pytest.param("OPTIONS", {**LOCAL, "origin": "http://evil.example"}, 403, id="another origin's preflight is refused"),
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
        pytest.param(
            {"authorization": "Bearer wrong", "host": "ecluse"}, 421, id="at another name a wrong one is the wrong place"
        ),
        pytest.param({**TOKEN, "host": "ecluse"}, None, id="the right one will do at any name"),
        pytest.param({**TOKEN, "host": "ecluse", "origin": "https://evil.example"}, 403, id="it opens nothing to other pages"),
    ],
)
def test_a_token(fields: dict[str, str], status: int | None) -> None:
    refusal = GUARDED.refusal("GET", "/metrics", {"host": "10.0.0.7:9090", **fields})
    assert (refusal and refusal.status) == status


@pytest.mark.parametrize(
    ("gate", "host", "known"),
    [
        pytest.param(LOOPBACK, "10.0.0.7", False, id="on loopback another address of this machine is none of ours"),
        pytest.param(NAMED, "10.0.0.5:9090", True, id="the address listened on is"),
        pytest.param(NAMED, "10.0.0.7:9090", False, id="another one is not"),
        pytest.param(NAMED, "Admin.Example.Com.:9090", True, id="a name of admin.hosts is, in any case and with a final dot"),
        pytest.param(NAMED, "www.admin.example.com", False, id="a name below it is not"),
        pytest.param(NAMED, "[fd00::7]:9090", True, id="an address of admin.hosts is"),
        pytest.param(Gate("0.0.0.0", ""), "10.0.0.7:9090", True, id="listening everywhere any address is"),  # noqa: S104
        pytest.param(Gate("::", ""), "[fd00::7]:9090", True, id="listening everywhere any IPv6 address is"),
        pytest.param(Gate("::", ""), "evil.example", False, id="listening everywhere a name is not"),
        pytest.param(LOOPBACK, "localhost:1@evil.example", False, id="what is no Host at all is not"),
        pytest.param(LOOPBACK, "[::1]evil.example", False, id="nor what goes on after brackets"),
    ],
)
def test_the_hosts_it_answers_to(gate: Gate, host: str, known: bool) -> None:
    assert (gate.refusal("GET", "/metrics", {"host": host}) is None) is known


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("gate", [GUARDED, LOOPBACK], ids=["with a token", "without"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"host": "10.0.0.7"}, None, id="open to whoever knows an address"),
        pytest.param({}, None, id="open to HTTP/1.0"),
        pytest.param({"host": "evil.example"}, 421, id="closed to a rebound name"),
        pytest.param({"host": ""}, 421, id="closed to an empty name"),
        pytest.param({**LOCAL, **CROSS}, 403, id="closed to other pages"),
    ],
)
def test_health_is(gate: Gate, path: str, fields: dict[str, str], status: int | None) -> None:
    refusal = gate.refusal("GET", path, fields)
    assert (refusal and refusal.status) == status


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
        ("localhost@evil.example", "", False),
        ("localhost:80:80", "", False),
    ],
)
def test_a_host_is_loopback_or_not(field: str, name: str, loopback: bool) -> None:
    assert host_name(field) == name
    assert is_loopback(host_name(field)) is loopback
