"""What Écluse asks of an engine is what docs/docker.md says, and the socket proxies of the examples let through that and nothing else."""

import inspect
import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from autoscaler.cluster.moby.api import Api, Messages
from tests.engines.daemon import Daemon
from tests.engines.images import NAME
from tests.packaging.image import ROOT
from tests.packaging.socket_proxy import SocketProxy, socket_proxy
from tests.support import wait_until_blocking

# What it may be asked by whoever got into the place of Écluse: other calls, and other ways of writing the allowed ones.
REFUSED = {
    "a program started in a container": "POST /v1.41/containers/web-1/exec",
    "a container attached to": "POST /v1.41/containers/web-1/attach",
    "files taken out of a container": "GET /v1.41/containers/web-1/archive?path=/etc/shadow",
    "files put into a container": "PUT /v1.41/containers/web-1/archive?path=/etc",
    "a container killed": "POST /v1.41/containers/web-1/kill",
    "a container's limits changed": "POST /v1.41/containers/web-1/update",
    "an image built": "POST /v1.41/build",
    "an image pushed": "POST /v1.41/images/shop/push",
    "an image removed": "DELETE /v1.41/images/shop",
    "an image loaded": "POST /v1.41/images/load",
    "what there is to know of the engine": "GET /v1.41/info",
    "volumes listed": "GET /v1.41/volumes",
    "networks made": "POST /v1.41/networks/create",
    "secrets listed": "GET /v1.41/secrets",
    "configs listed": "GET /v1.41/configs",
    "a swarm begun": "POST /v1.41/swarm/init",
    "the key of a swarm": "GET /v1.41/swarm/unlockkey",
    "plugins listed": "GET /v1.41/plugins",
    "a session begun": "POST /v1.41/session",
    "everything pruned": "POST /v1.41/containers/prune",
    "an allowed path with another method": "PUT /v1.41/containers/json",
    "an allowed path without a version": "GET /containers/json",
    "an allowed path with something before it": "GET /x/v1.41/containers/json",
    "an allowed path with something after it": "GET /v1.41/containers/json/x",
    "a way back to the parent": "GET /v1.41/images/../volumes/json",
    "a way back to the parent, encoded": "GET /v1.41/images/%2e%2e/volumes/json",
    "an id with a slash, encoded": "POST /v1.41/containers/web-1%2Fexec/start",
    "a second slash": "GET /v1.41//secrets",
    "a whole URL": "GET http://docker/v1.41/secrets",
}
NAMES = {
    "{id}": "web-1",
    "{name}": "registry.example.com:5000/team/shop%40sha256:0000000000000000000000000000000000000000000000000000000000000000",
}


def documented(engine: str = "") -> set[str]:
    """The calls in the table of docs/docker.md, as "GET /containers/{id}/json"; those that an engine needs, or all."""
    text = (ROOT / "docs" / "docker.md").read_text()
    rows = re.findall(r"^\| `((?:GET|POST|DELETE) [^`]+)` \| (yes|-) \| (yes|-) \|", text, re.MULTILINE)
    columns = {"docker": 1, "swarm": 2}
    return {row[0] for row in rows if not engine or row[columns[engine]] == "yes"}


def written() -> set[str]:
    """The calls that `Api` can make, by what its methods say of themselves; and the one with which it asks for the version."""
    methods = [
        inspect.getdoc(method) or "" for name, method in inspect.getmembers(Api, inspect.isfunction) if not name.startswith("_")
    ]
    calls = [re.match(r"(GET|POST|DELETE) [^\s:,]+", said) for said in methods]
    return {call[0] for call in calls if call} | {"GET /version"}


def as_sent(call: str) -> str:
    """A documented call as it goes over the wire."""
    method, path = call.split(" ")
    for placeholder, name in NAMES.items():
        path = path.replace(placeholder, name)
    return f"{method} {path}" if path == "/version" else f"{method} /v1.41{path}"


def status(port: int, sent: str) -> int:
    """Of the answer to a request, which is sent as it is written here."""
    method, target = sent.split(" ")
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, target)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def first(messages: Messages) -> Any:
    """Of a stream, which ends with it."""
    with closing(messages):
        return next(iter(messages))


@pytest.fixture
def proxy(needs_nginx: None, request: pytest.FixtureRequest, engine: Daemon, tmp_path: Path) -> Iterator[SocketProxy]:
    with socket_proxy(request.param, engine, tmp_path) as one:
        yield one


def at_will() -> set[str]:
    """Those that only exec probes need, and that are refused unless somebody lets them through."""
    text = (ROOT / "docs" / "docker.md").read_text()
    return set(re.findall(r"^\| `((?:GET|POST|DELETE) [^`]+)` \| probes \| - \|", text, re.MULTILINE))


def test_the_table_is_all_that_is_ever_asked() -> None:
    assert documented() | at_will() == written()
    assert at_will() == {"POST /containers/{id}/exec"}


@pytest.mark.parametrize(
    ("proxy", "engine_name"),
    [
        pytest.param("compose/socket-proxy.conf", "docker", id="docker"),
        pytest.param("swarm/socket-proxy.conf", "swarm", id="swarm"),
    ],
    indirect=["proxy"],
)
def test_a_socket_proxy_lets_through_what_its_engine_needs_and_nothing_else(proxy: SocketProxy, engine_name: str) -> None:
    needed = documented(engine_name)
    passed = {call for call in documented() if status(proxy.port, as_sent(call)) != 403}
    assert passed == needed
    assert {said for said, sent in REFUSED.items() if status(proxy.port, sent) not in {403, 405}} == set()


@pytest.mark.parametrize("proxy", ["compose/socket-proxy.conf"], indirect=True, ids=["docker"])
def test_a_container_lives_its_whole_life_through_a_socket_proxy(proxy: SocketProxy, engine: Daemon) -> None:
    api = Api(proxy.where)
    made = api.create("shop-1", {"Image": f"{NAME}:1"})
    api.start(made)
    wait_until_blocking(lambda: "listening" in api.logs(made, 10), deadline_s=60)
    assert first(api.stats(made))["id"] == made
    api.stop(made, 60)
    assert first(api.events(0, {"container": [made]}))["Action"] == "create"
    api.remove(made)
    assert api.containers({"name": ["shop-1"]}) == []
    assert proxy.refused() == []
