"""Where Écluse stands, what stands beside it, and what containers use: on a real engine."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from autoscaler.cluster.engine import Clone, Discovered, EngineError, Image, InstanceSpec, InstanceStatus, Labelled
from tests.engines.compose import Project
from tests.engines.daemon import Daemon
from tests.engines.images import NAME
from tests.engines.reach import reach
from tests.moby.conftest import SHOP, Yard, opened
from tests.support import wait_until


@pytest.fixture
async def inside(engine: Daemon) -> AsyncIterator[Yard]:
    """`Docker` of an Écluse that runs in a container of this engine, in a network of its own."""
    engine.docker("network", "create", "inner")
    own = engine.docker("run", "--detach", "--network", "inner", f"{NAME}:1")
    async with opened(engine, candidates=lambda: {own}) as one:
        yield one


async def test_inside_a_container_replicas_join_its_network_and_publish_nothing(inside: Yard) -> None:
    (instance,) = await inside.start(SHOP)
    made = inside.daemon.inspect(instance.id)
    assert instance.address == f"{made['NetworkSettings']['Networks']['inner']['IPAddress']}:8000"
    assert made["HostConfig"]["PortBindings"] in ({}, None)
    assert inside.docker.way("shop") == "over the shared network inner"
    address = instance.address.partition(":")[0]
    assert await wait_until(lambda: reach(8000, address=address), 30)


async def test_inside_a_container_a_replica_elsewhere_cannot_be_reached_and_says_so(inside: Yard) -> None:
    inside.daemon.docker("network", "create", "outer")
    (instance,) = await inside.start(replace(SHOP, source=Image(f"{NAME}:1", networks=("outer",))))
    assert (instance.status, instance.address) == (InstanceStatus.PENDING, "")
    assert "is in no network that Écluse's own container is in (inner)" in instance.detail
    assert instance.detail == inside.docker.trouble("shop")


async def test_labels_describe_services_that_come_and_go(yard: Yard) -> None:
    words = ["--label", "ecluse.enable=true", "--label", "ecluse.service=cart", "--label", "ecluse.host=cart.example.com"]
    yard.daemon.docker("run", "--detach", "--name", "one", *words, f"{NAME}:1")
    yard.daemon.docker("run", "--detach", "--name", "two", "--label", "ecluse.enable=false", f"{NAME}:1")
    written = {"ecluse.enable": "true", "ecluse.service": "cart", "ecluse.host": "cart.example.com"}
    await wait_until(lambda: yard.docker.discovered() == [Discovered("cart", written, Labelled("cart"))], 30)
    assert "" in yard.changes

    spec = InstanceSpec("cart", source=Labelled("cart"))
    yard.docker.declare(spec)
    (found,) = await yard.docker.list("cart")
    assert (found.id, found.foreign, found.status) == ("one", True, InstanceStatus.RUNNING)
    assert yard.docker.way("cart") == "over its own address in network bridge"
    with pytest.raises(EngineError, match="only found here"):
        await yard.docker.start(spec)
    with pytest.raises(EngineError, match="not started by Écluse"):
        await yard.docker.stop("one", 1.0)
    yard.daemon.docker("rm", "--force", "one")
    await wait_until(lambda: yard.docker.discovered() == [], 30)


LABELLED = f"""
services:
  web:
    image: {NAME}:1
    labels: {{ecluse.enable: "true", ecluse.autoscale.max_replicas: "3"}}
"""


async def test_a_labelled_compose_service_is_one_service_however_many_containers_it_has(compose: Project, yard: Yard) -> None:
    compose.write(LABELLED)
    compose.up()
    written = {"ecluse.enable": "true", "ecluse.autoscale.max_replicas": "3"}
    expected = [Discovered("web", written, Clone("web", "shop"))]
    await wait_until(lambda: yard.docker.discovered() == expected, 30)
    await yard.start(InstanceSpec("web", source=Clone("web", "shop")), 2)
    await wait_until(lambda: len(yard.docker._census.watch.rows) == 3, 30)
    assert yard.docker.discovered() == expected


async def test_what_containers_use_is_measured_once_somebody_asks(yard: Yard) -> None:
    image = Image(f"{NAME}:1", cpus=0.5, memory=64 << 20)
    spec = replace(SHOP, source=image, environment={"CPU": "0.2", "MEMORY": str(20 << 20)})
    (instance,) = await yard.start(spec)
    assert yard.docker.usage(instance.id) is None
    first = await wait_until(lambda: yard.docker.usage(instance.id), 30)
    later = await wait_until(lambda: (now := yard.docker.usage(instance.id)) and now.cpu_s > first.cpu_s and now, 30)
    assert later.at_s > first.at_s
    assert later.cpus == 0.5
    assert 20 << 20 < later.memory < 64 << 20 == later.memory_limit
    await yard.docker.stop(instance.id, 0.0)
    assert yard.docker.usage(instance.id) is None
