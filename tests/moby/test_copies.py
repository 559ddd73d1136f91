"""Replicas copied from one container that no Compose project has made."""

import pytest

from autoscaler.cluster.engine import Copy, EngineError, InstanceSpec, InstanceStatus
from tests.engines.daemon import Daemon
from tests.engines.images import NAME
from tests.moby.conftest import Yard, until_it_answers
from tests.support import wait_until

WIKI = InstanceSpec("wiki", source=Copy("wiki"))
LIMITS = ("--memory=64m", "--memory-reservation=48m")


def run(engine: Daemon, tag: int) -> None:
    """The container that is copied, with what only one container can have beside what all can."""
    own = ("--name=wiki", "--publish=127.0.0.1::8000", "--hostname=library", "--restart=always")
    engine.docker("run", "--detach", *own, "--env=COLOUR=green", *LIMITS, f"{NAME}:{tag}")


async def test_copies_stand_beside_the_container_which_is_never_stopped(engine: Daemon, yard: Yard) -> None:
    run(engine, 1)
    instances = await yard.start(WIKI, 2)
    for instance in instances:
        await until_it_answers(instance)
    assert {(one.id, one.foreign, one.outdated) for one in await yard.docker.list("wiki")} == {
        ("wiki", True, False),
        ("wiki-2", False, False),
        ("wiki-3", False, False),
    }
    copy = engine.inspect("wiki-2")
    assert "COLOUR=green" in copy["Config"]["Env"]
    assert copy["HostConfig"]["Memory"] == 64 << 20
    assert copy["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert "com.docker.compose.container-number" not in copy["Config"]["Labels"]
    with pytest.raises(EngineError, match="wiki was not started by Écluse"):
        await yard.docker.stop("wiki", 1.0)


async def test_memory_that_is_reserved_for_a_container_is_what_it_and_its_copies_are_said_to_need(
    engine: Daemon, yard: Yard
) -> None:
    run(engine, 1)
    await yard.start(WIKI, 1)
    for name in ("wiki", "wiki-2"):
        used = await wait_until(lambda name=name: yard.docker.usage(name), 30)
        assert (used.memory_limit, used.memory_request) == (64 << 20, 48 << 20)


async def test_copies_of_a_container_that_was_replaced_are_outdated(engine: Daemon, yard: Yard) -> None:
    run(engine, 1)
    await yard.start(WIKI, 1)
    engine.docker("rm", "--force", "wiki")
    assert await wait_until(lambda: yard.docker.trouble("wiki") == 'there is no container "wiki" to copy; start it once', 10)
    with pytest.raises(EngineError, match="start it once"):
        await yard.docker.start(WIKI)
    run(engine, 2)

    async def outdated() -> dict[str, bool]:
        return {one.id: one.outdated for one in await yard.docker.list("wiki") if one.status is InstanceStatus.RUNNING}

    async def is_seen() -> bool:
        return await outdated() == {"wiki": False, "wiki-2": True}

    await wait_until(is_seen, 20)
    (instance,) = await yard.start(WIKI)
    assert yard.daemon.inspect(instance.id)["Config"]["Image"] == f"{NAME}:2"


async def test_one_of_a_compose_project_is_left_to_compose(engine: Daemon, yard: Yard) -> None:
    labels = ("--label=com.docker.compose.project=shop", "--label=com.docker.compose.service=web")
    engine.docker("run", "--detach", "--name=wiki", *labels, f"{NAME}:1")
    yard.docker.declare(WIKI)
    with pytest.raises(EngineError, match='one of Compose service "web"; write compose: web instead'):
        await yard.start(WIKI)
