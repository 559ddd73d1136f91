"""What is said of replicas that are found or started and do not become READY, and of names that do not resolve."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from autoscaler.cluster.dns import Dns
from sidecar import engines
from tests.controller.house import House, house
from tests.support import free_port, wait_until


def events(it: House, *kinds: str) -> list[tuple[str, str]]:
    """(kind, message) of those of service "web", oldest first."""
    found = [event for event in reversed(it.controller.events(1000)) if event["service"] == "web"]
    return [(event["kind"], event["message"]) for event in found if event["kind"] in kinds]


async def test_an_endpoint_where_nothing_listens_is_found_and_then_said_to_be_not_ready(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    async with house(tmp_path, f'services:\n  web: {{endpoints: ["{address}"]}}\n') as it:
        await wait_until(lambda: "not_ready" in it.kinds(), 20)
        assert events(it, "found", "starting", "not_ready") == [
            ("found", f"at {address}"),
            ("not_ready", f"is not ready yet: nothing listens on {address}"),
        ]


async def test_a_command_that_never_listens_is_said_to_be_not_ready(tmp_path: Path) -> None:
    async with house(tmp_path, f"services:\n  web: {{command: {json.dumps(['sleep', '1000'])}}}\n") as it:
        await wait_until(lambda: "not_ready" in it.kinds(), 20)
        address = it.web().replicas[0].address
        assert events(it, "not_ready") == [("not_ready", f"is not ready yet: nothing listens on {address}")]


async def test_a_name_that_does_not_resolve_is_said_once_and_when_it_is_over(
    tmp_path: Path, tiny: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[str] = []

    def resolver(name: str) -> Sequence[str]:
        assert name == "tasks.web"
        return tuple(known)

    monkeypatch.setattr(engines, "Dns", lambda clock: Dns(resolver, interval_s=0.05, clock=clock))
    async with house(tmp_path, f'services:\n  web: {{dns: "tasks.web:{tiny}"}}\n') as it:
        await wait_until(lambda: "resolve_failed" in it.kinds())
        for _ in range(3):
            it.controller._services.tick()
        known.append("127.0.0.1")
        await wait_until(lambda: "resolved" in it.kinds())
        await it.ready()
        known.clear()
        await wait_until(lambda: it.kinds().count("resolve_failed") == 2)
        assert events(it, "resolve_failed", "resolved")[:2] == [
            ("resolve_failed", f"tasks.web:{tiny}: the name has no addresses"),
            ("resolved", f"tasks.web:{tiny} has addresses again"),
        ]
