"""Replicas cloned from a Compose service, beside Compose's own container: Compose takes them for its own, and we leave its one alone."""

import asyncio
from dataclasses import replace

import pytest

from autoscaler.cluster.engine import Clone, EngineError, InstanceSpec, InstanceStatus
from tests.engines.compose import Project, project
from tests.engines.daemon import Daemon
from tests.engines.images import NAME
from tests.moby.conftest import Yard, until_it_answers
from tests.support import free_port, wait_until

WEB = InstanceSpec("web", source=Clone("web"))
RICH = """
services:
  web:
    image: IMAGE
    ports: ["127.0.0.1:PORT:8000", "8001"]
    environment: {COLOUR: green}
    labels: {team: blue}
    volumes: ["data:/data", "/scratch"]
    networks: {front: {aliases: [shop]}, back: {}}
    mem_limit: 64m
    restart: always
networks: {front: {}, back: {}}
volumes: {data: {}}
"""


async def test_clones_stand_beside_composes_own_container_and_compose_takes_them_for_its_own(
    compose: Project, yard: Yard
) -> None:
    instances = await yard.start(WEB, 2)
    for instance in instances:
        await until_it_answers(instance)
    assert {(one.id, one.foreign, one.outdated) for one in await yard.docker.list("web")} == {
        ("shop_web_1", True, False),
        ("shop_web_2", False, False),
        ("shop_web_3", False, False),
    }
    assert len(compose.containers("web")) == 3
    with pytest.raises(EngineError, match="shop_web_1 was not started by Écluse"):
        await yard.docker.stop("shop_web_1", 1.0)
    await yard.docker.stop("shop_web_2", 5.0)
    assert yard.containers() == ["shop_web_1", "shop_web_3"]
    assert "web_3  | listening" in compose.run("logs")
    await asyncio.to_thread(compose.down)
    assert yard.containers() == []
    assert await wait_until(lambda: "start it once" in yard.docker.trouble("web"), 10)
    with pytest.raises(EngineError, match='no container of a Compose service "web"'):
        await yard.docker.start(WEB)


async def test_compose_up_and_stop_are_noticed_told_and_answered(compose: Project, yard: Yard) -> None:
    await yard.start(WEB, 3)
    up = asyncio.create_task(asyncio.to_thread(compose.up))
    await wait_until(lambda: yard.said("stopped_outside"), 20)
    (instance,) = await yard.start(WEB)
    await up
    await until_it_answers(instance)
    assert "put back" in yard.said("stopped_outside")[0]
    left = {one.id for one in await yard.docker.list("web") if one.status is InstanceStatus.RUNNING}
    assert {"shop_web_1", instance.id} <= left

    await asyncio.to_thread(compose.run, "stop", "--timeout", "2")
    with pytest.raises(EngineError, match="was stopped"):
        await yard.docker.start(WEB)
    await asyncio.to_thread(compose.run, "start")
    await wait_until(lambda: yard.docker.trouble("web") == "", 10)
    await yard.start(WEB)


async def test_a_recreated_template_makes_clones_outdated(compose: Project, yard: Yard) -> None:
    await yard.start(WEB, 1)
    compose.write(f"services: {{web: {{image: '{NAME}:2', ports: ['127.0.0.1::8000']}}}}")
    await asyncio.to_thread(compose.up, "--scale", "web=2")
    await wait_until(lambda: yard.docker.trouble("web") == "", 10)

    async def settled() -> bool:
        return [one.outdated for one in await yard.docker.list("web") if one.status is InstanceStatus.RUNNING] == [False, False]

    await wait_until(settled, 10)
    (instance,) = await yard.start(WEB)
    assert yard.daemon.inspect(instance.id)["Config"]["Image"] == f"{NAME}:2"


async def test_a_clone_has_all_that_its_template_has_and_nothing_that_only_one_can_have(
    needs_compose: None, engine: Daemon, yard: Yard
) -> None:
    with project(engine, RICH.replace("PORT", str(free_port())).replace("IMAGE", f"{NAME}:1")):
        (instance,) = await yard.start(replace(WEB, source=Clone("web", port=8000)))
        old, new = engine.inspect("shop_web_1"), engine.inspect(instance.id)
        await yard.docker.stop(instance.id, 0.0)
    assert set(new["Config"]["Env"]) == set(old["Config"]["Env"])
    assert new["Config"]["Labels"].items() >= {"team": "blue", "com.docker.compose.container-number": "2"}.items()
    assert new["Config"]["Hostname"] == new["Id"][:12]
    assert new["HostConfig"]["Memory"] == 64 << 20
    assert new["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert set(new["HostConfig"]["PortBindings"]) == {"8000/tcp", "8001/tcp"}
    assert all(place == [{"HostIp": "127.0.0.1", "HostPort": ""}] for place in new["HostConfig"]["PortBindings"].values())
    assert _volume(new, "/data") == _volume(old, "/data")
    assert _volume(new, "/scratch") != _volume(old, "/scratch")
    assert {name: sorted(set(end["Aliases"]) - {new["Id"][:12]}) for name, end in new["NetworkSettings"]["Networks"].items()} == {
        "shop_front": ["shop", "web"],
        "shop_back": ["web"],
    }


def _volume(described: dict[str, list[dict[str, str]]], path: str) -> str:
    return next(mount["Name"] for mount in described["Mounts"] if mount["Destination"] == path)
