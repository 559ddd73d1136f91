"""What is shown of roles and proxies: on the command line, in /metrics, on /readyz."""

import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from sidecar.admin.application import _missing
from sidecar.cli import main
from sidecar.commands import Wrong
from sidecar.commands.serving import role_of
from sidecar.commands.status import program_lines
from sidecar.ledger import Ledger
from sidecar.metrics import registry
from sidecar.views import Overview, ProxyView, Role
from tests.admin.control import FakeControl, service

HEARD = ProxyView("10.0.0.7:9090", 6, 0.15, 2, 31, "")
AWAY = ProxyView("10.0.0.8:9090", 0, None, 0, 0, "no connection: it does not run")


def overview(role: Role, *proxies: ProxyView) -> Overview:
    made = FakeControl().overview()
    return replace(made, role=role, proxies=proxies, workers=() if role is Role.AUTOSCALER else made.workers)


def shown(given: Overview) -> list[str]:
    data: dict[str, Any] = asdict(given)
    return program_lines(data, data["started_at"] + 5, None)


def test_status_of_an_autoscaler_shows_its_proxies() -> None:
    first, *lines = shown(overview(Role.AUTOSCALER, HEARD, AWAY))
    assert first == "ecluse 0.1.0 (compiled), the autoscaler, pid 99, up 5.0 s, from ecluse.yaml"
    assert lines == [
        "proxy 10.0.0.7:9090: table 6; workers: 2; connections: 31; heard 150 ms ago",
        "proxy 10.0.0.8:9090: table 0; workers: 0; connections: 0; never heard; no connection: it does not run",
    ]
    assert shown(overview(Role.AUTOSCALER))[1:] == ["no proxy is found yet"]


def test_status_of_a_proxy_says_that_it_is_one() -> None:
    first, second, *_ = shown(overview(Role.PROXY))
    assert ", the proxy, " in first
    assert second == "listening on 127.0.0.1:8080; workers: 1; connections: 3"


def test_metrics_tell_of_each_proxy_how_old_its_readings_are(monkeypatch: pytest.MonkeyPatch) -> None:
    control = FakeControl()
    monkeypatch.setattr(control, "overview", lambda: overview(Role.AUTOSCALER, HEARD, AWAY))
    text = generate_latest(registry(control, Ledger())).decode()
    assert 'ecluse_proxy_reading_age_seconds{proxy="10.0.0.7:9090"} 0.15' in text
    assert 'ecluse_proxy_table_generation{proxy="10.0.0.8:9090"} 0.0' in text
    assert 'ecluse_proxy_reading_age_seconds{proxy="10.0.0.8:9090"}' not in text


@pytest.mark.parametrize(
    ("given", "waiting_for"),
    [
        pytest.param(overview(Role.AUTOSCALER, AWAY), "a proxy that carries requests", id="no proxy is heard"),
        pytest.param(overview(Role.AUTOSCALER, HEARD), "the proxies, for their routing tables", id="a proxy is behind"),
        pytest.param(overview(Role.PROXY), "the workers, for their routing tables", id="a worker of a proxy is behind"),
        pytest.param(overview(Role.ALL), "the workers, for their routing tables", id="a worker is behind"),
    ],
)
def test_readiness_says_what_it_waits_for(given: Overview, waiting_for: str) -> None:
    ready = replace(service("shop"), ready=1)
    assert _missing(given, [ready]) == [waiting_for]


@pytest.mark.parametrize(
    ("given", "environment", "role"),
    [
        pytest.param("", "", Role.ALL, id="nothing said: both in one"),
        pytest.param("proxy", "", Role.PROXY, id="by option"),
        pytest.param("", "autoscaler", Role.AUTOSCALER, id="by environment"),
        pytest.param("all", "proxy", Role.ALL, id="the option goes first"),
    ],
)
def test_the_role(monkeypatch: pytest.MonkeyPatch, given: str, environment: str, role: Role) -> None:
    monkeypatch.setenv("ECLUSE_ROLE", environment)
    assert role_of(given) is role


def test_a_role_that_there_is_not() -> None:
    with pytest.raises(Wrong, match="no role 'porxy'; did you mean 'proxy'"):
        role_of("porxy")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--role", "autoscaler", "ecluse.yaml"], "where the proxies' admin APIs are", id="no proxies named"),
        pytest.param(["--role", "proxy", "--", "serve"], "goes with a file", id="a command instead of a file"),
    ],
)
def test_a_role_with_nothing_to_do_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    (tmp_path / "ecluse.yaml").write_text('services: {web: {endpoints: ["127.0.0.1:1"]}}\n')
    monkeypatch.chdir(tmp_path)
    assert main(["run", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_proxy_has_no_use_for_a_cluster() -> None:
    """Not even the client is loaded: a proxy runs without the socket, and without the package."""
    check = "import sys, sidecar.proxy; print({name.partition('.')[0] for name in sys.modules} & {'docker', 'tenacity'})"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "set()\n"
