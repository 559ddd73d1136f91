"""A private engine is a real one, is alone on its plot, and leaves nothing behind."""

import subprocess
from pathlib import Path

import pytest

from tests.engines.daemon import Daemon, daemon, published
from tests.engines.images import NAME
from tests.engines.plots import ip
from tests.engines.reach import reach
from tests.support import wait_until


async def test_a_container_answers_on_a_published_port(engine: Daemon) -> None:
    engine.docker("run", "--detach", "--name", "shop", "--hostname", "shop-1", "--publish", "127.0.0.1::8000", f"{NAME}:2")
    said = await wait_until(lambda: reach(published(engine.inspect("shop"))))
    assert said
    assert (said.body, said.fields["x-replica"]) == (b"version 2", "shop-1")


async def test_containers_go_on_when_the_engine_crashes_and_are_its_own_again_afterwards(own_engine: Daemon) -> None:
    own_engine.docker("run", "--detach", "--name", "shop", "--publish", "127.0.0.1::8000", f"{NAME}:1")
    before = own_engine.inspect("shop")["State"]["StartedAt"]
    own_engine.kill()
    own_engine.start()
    described = own_engine.inspect("shop")
    assert described["State"]["StartedAt"] == before
    assert await wait_until(lambda: reach(published(described)))


def test_it_is_reached_over_tls_by_those_with_a_certificate(engine: Daemon) -> None:
    assert engine.certificates
    command = ["docker", "--host", engine.address, "--tlsverify", "info", "--format", "{{.Name}}"]
    known = {**engine.environment, "DOCKER_CERT_PATH": str(engine.certificates.folder)}
    unknown = {**engine.environment, "DOCKER_CERT_PATH": str(engine.folder)}
    assert subprocess.run(command, env=known, check=False, capture_output=True).stdout.decode().strip() == engine.machine.name
    assert subprocess.run(command, env=unknown, check=False, capture_output=True).returncode != 0


@pytest.mark.usefixtures("needs_docker")
def test_two_at_once_share_nothing_and_leave_nothing() -> None:
    with daemon() as one, daemon() as other:
        assert not one.plot.addresses.overlaps(other.plot.addresses)
        folders = [one.folder, other.folder]
        bridges = [one.plot.bridge, other.plot.bridge]
        assert all(bridge in ip("link") for bridge in bridges)
    assert not any(bridge in ip("link") for bridge in bridges)
    assert not any(folder.exists() for folder in folders)
    assert not any(str(folder) in Path("/proc/mounts").read_text() for folder in folders)
