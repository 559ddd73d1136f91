"""What a new configuration changes, and what it cannot."""

from dataclasses import replace

import pytest

from balancer.table import Settings
from sidecar.config import Config, Docker, Route, Service
from sidecar.reload import Changes, changes, needs_restart

WEB = Service("web", (Route("", "/"),), command=("serve",))
API = Service("api", (Route("", "/api"),), endpoints=(("10.0.0.5:80", 1),), engine="fixed")
OLD = Config("ecluse.yaml", (WEB, API))
NEWER_WEB = replace(WEB, command=("serve", "--new"))
MOVED_API = replace(API, endpoints=(), dns="api:80", engine="dns")
QUIETER = replace(API, queue=5)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        pytest.param(OLD, Changes(), id="the same file changes nothing"),
        pytest.param(replace(OLD, services=(WEB,)), Changes(removed=("api",)), id="a service that is missing is removed"),
        pytest.param(replace(OLD, services=(API, WEB)), Changes(), id="the order of services is no change"),
        pytest.param(replace(OLD, services=(NEWER_WEB, QUIETER)), Changes(changed=(NEWER_WEB, QUIETER)), id="changed in place"),
        pytest.param(
            replace(OLD, services=(WEB, MOVED_API)),
            Changes(added=(MOVED_API,), removed=("api",)),
            id="another engine is a removal and an addition",
        ),
        pytest.param(replace(OLD, listen=("127.0.0.1:1",)), Changes(listen=True), id="other listeners"),
        pytest.param(replace(OLD, settings=Settings(access_log="-")), Changes(settings=True), id="other settings"),
    ],
)
def test_changes(new: Config, expected: Changes) -> None:
    assert changes(OLD, new) == expected


def test_changes_are_said_in_words() -> None:
    new = replace(OLD, services=(NEWER_WEB, replace(WEB, name="shop")), listen=("127.0.0.1:1",))
    assert str(changes(OLD, new)) == "shop added, api removed, web changed, other addresses to listen on"
    assert str(Changes()) == "nothing changed"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        pytest.param(replace(OLD, workers=3), "workers cannot change while ecluse runs (0 -> 3)", id="workers"),
        pytest.param(replace(OLD, engine="docker"), "engine cannot change while ecluse runs (processes -> docker)", id="engine"),
        pytest.param(
            replace(OLD, docker=Docker(hosts=("tcp://a", "tcp://b"))),
            "docker.host cannot change while ecluse runs (not given -> tcp://a, tcp://b): stop it",
            id="the cluster's endpoint",
        ),
        pytest.param(
            replace(OLD, docker=Docker(owner="us")), "docker.owner cannot change while ecluse runs (ecluse -> us)", id="the owner"
        ),
        pytest.param(
            replace(OLD, docker=Docker(labels=False)), "docker.labels cannot change while ecluse runs (yes -> no)", id="labels"
        ),
        pytest.param(
            replace(OLD, docker=Docker(tls_verify=True)),
            "docker.tls_verify cannot change while ecluse runs (not given -> yes)",
            id="TLS",
        ),
        pytest.param(replace(OLD, admin_listen="127.0.0.1:1"), "admin.listen cannot change", id="the admin address"),
        pytest.param(replace(OLD, admin_token="secret"), "admin.token cannot change", id="the admin token"),  # noqa: S106 - none
    ],
)
def test_what_needs_a_restart_is_said(new: Config, words: str) -> None:
    (error,) = needs_restart(OLD, new)
    assert error.startswith(words)
    assert "secret" not in error
