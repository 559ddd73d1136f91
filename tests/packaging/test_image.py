"""The image: who runs in it, how Docker learns of its health, and that it ends as it should as the first process of a container."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from balancer import hotpath
from tests.engines.daemon import Daemon
from tests.engines.images import NAME as APPLICATION
from tests.engines.reach import reach
from tests.packaging.image import NAME, USER
from tests.support import TINY, free_port, wait_until

FILE = """
listen: 0.0.0.0:8080
services:
  app: {command: "python /tiny.py {port}"}
"""
HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")
WATCHED = ("--health-interval=1s", "--health-retries=1", "--health-start-period=1ms")


@pytest.fixture
def run(local: Daemon, tmp_path: Path) -> Callable[..., str]:
    """Start a container with that file, in the background: its address."""

    def running(*options: str) -> str:
        (tmp_path / "ecluse.yaml").write_text(FILE)
        files = (f"--volume={tmp_path}/ecluse.yaml:/etc/ecluse/ecluse.yaml:ro", f"--volume={TINY}:/tiny.py:ro")
        local.docker("run", "--detach", "--name=ecluse", *files, *options, NAME)
        return str(local.inspect("ecluse")["NetworkSettings"]["IPAddress"])

    return running


async def health(engine: Daemon, wanted: str) -> None:
    await wait_until(lambda: engine.inspect("ecluse")["State"]["Health"]["Status"] == wanted, deadline_s=60)


async def serves(address: str) -> bool:
    said = await reach(8080, address=address)
    return said is not None and said.status == 200


def in_flight(engine: Daemon) -> bool:
    """By what `ecluse status` says inside of the container."""
    services = json.loads(engine.docker("exec", "ecluse", "ecluse", "status", "--json"))["services"]
    return any(replica["reading"]["in_flight"] for service in services for replica in service["replicas"])


def test_it_is_the_build_that_was_put_in_and_nothing_in_it_runs_as_root(local: Daemon) -> None:
    line = "import os; from balancer import hotpath; print(hotpath.build(), os.getuid(), os.getgroups(), os.access('.', os.W_OK))"
    said = local.docker("run", "--rm", "--entrypoint=python", NAME, "-c", line)
    assert said == f"{hotpath.build()} {USER} [{USER}] False"


async def test_it_needs_no_rights_and_no_place_to_write_and_ends_in_order_as_a_containers_first_process(
    local: Daemon, run: Callable[..., str]
) -> None:
    address = run(*HARDENED, *WATCHED)
    await health(local, "healthy")
    await wait_until(lambda: serves(address), deadline_s=60)
    slow = asyncio.create_task(reach(8080, "/slow?ms=2000", address))
    await wait_until(lambda: in_flight(local), deadline_s=30)
    local.docker("kill", "--signal=TERM", "ecluse")
    said = await slow
    assert said
    assert said.status == 200
    await wait_until(lambda: local.inspect("ecluse")["State"]["Status"] == "exited", deadline_s=60)
    assert local.inspect("ecluse")["State"]["ExitCode"] == 0


async def test_it_is_unhealthy_when_nothing_answers_at_the_admin_api(local: Daemon, run: Callable[..., str]) -> None:
    run(*WATCHED, f"--env=ECLUSE_ADMIN=127.0.0.1:{free_port()}")
    await health(local, "unhealthy")


async def test_as_it_comes_it_finds_services_by_their_labels_and_is_not_root_with_the_socket(local: Daemon) -> None:
    socket, group = local.socket, local.socket.stat().st_gid
    local.docker("run", "--detach", "--label=ecluse.enable=true", f"{APPLICATION}:2")
    local.docker("run", "--detach", "--name=ecluse", f"--volume={socket}:/var/run/docker.sock", f"--group-add={group}", NAME)
    address = str(local.inspect("ecluse")["NetworkSettings"]["IPAddress"])
    await wait_until(lambda: serves(address), deadline_s=60)
