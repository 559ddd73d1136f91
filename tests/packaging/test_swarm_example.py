"""examples/swarm as it is written, on a real Swarm of three machines: Écluse scales its neighbour over all of them."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engines.reach import reach
from tests.engines.swarm import Swarm
from tests.packaging import image
from tests.packaging.examples import change, images, load_nginx
from tests.support import wait_until
from tests.system.load import wrk

PORT = 8080


class Stack:
    """The stack `shop`. Écluse and the socket proxy run on the manager."""

    def __init__(self, swarm: Swarm) -> None:
        self.swarm = swarm
        self.address = swarm.manager.address

    def ecluse(self, *words: str, service: str = "shop_ecluse") -> str:
        """What `ecluse WORDS...` prints in the container of a service."""
        container = self.swarm.manager.docker("ps", "--quiet", f"--filter=name={service}")
        return self.swarm.manager.docker("exec", container, "ecluse", *words)

    def running(self) -> int:
        return len(self.swarm.running("shop_web"))

    def machines(self) -> set[str]:
        """Where the application runs."""
        return {task["NodeID"] for task in self.swarm.running("shop_web")}

    async def serves(self) -> bool:
        """Whether the application answers through Écluse."""
        said = await reach(PORT, address=self.address)
        return said is not None and said.status == 200


@contextmanager
def stack(swarm: Swarm, folder: Path, file: str) -> Iterator[Stack]:
    """`docker stack deploy` of a file in examples/swarm, until it is removed again."""
    shutil.copytree(image.ROOT / "examples" / "swarm", folder)
    change(folder)
    manager = swarm.manager
    command = ["docker", "stack", "deploy", f"--compose-file={file}", "--resolve-image=never", "shop"]
    subprocess.run(command, cwd=folder, env=manager.environment | images(manager), check=True, capture_output=True)
    try:
        yield Stack(swarm)
    finally:
        for service in swarm.docker("stack", "services", "--format={{.Name}}", "shop").split():
            print(swarm.docker("service", "logs", "--raw", "--tail=100", service))  # pytest shows it with a failure
        swarm.docker("stack", "rm", "shop")


@pytest.fixture
def equipped(swarm3: Swarm, local_tar: bytes, needs_nginx: None) -> Swarm:
    """A Swarm whose manager has all images that the example needs; the application's is on every machine."""
    image.load(swarm3.manager, local_tar)
    load_nginx(swarm3.manager)
    return swarm3


async def test_ecluse_scales_a_service_of_its_own_stack_over_all_machines(equipped: Swarm, tmp_path: Path) -> None:
    with stack(equipped, tmp_path / "swarm", "stack.yml") as one:
        await wait_until(one.serves, deadline_s=60)
        async with wrk(PORT, "/?ms=50", connections=32, pause_ms=0, address=one.address) as load:
            await wait_until(lambda: one.running() >= 3, deadline_s=60)
            assert len(one.machines()) > 1
            one.ecluse("scale", "web", "1")
            await asyncio.to_thread(equipped.settled, "shop_web", 1)
            outcome = await load.end()
        assert outcome.lost == 0, outcome
