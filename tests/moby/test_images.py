"""Replicas from an image on a real engine: made, reached, stopped, removed, and nothing else touched."""

import asyncio
from dataclasses import replace

import pytest

from autoscaler.cluster.engine import EngineError, Healthcheck, Image, InstanceSpec, InstanceStatus
from tests.engines.images import NAME, python
from tests.moby.conftest import SHOP, Yard, opened, until_it_answers
from tests.support import wait_until


async def test_a_container_is_started_reached_and_removed(yard: Yard) -> None:
    (instance,) = await yard.start(SHOP)
    assert instance.id == "lock-shop-1"
    assert instance.status is InstanceStatus.RUNNING
    await until_it_answers(instance)
    assert yard.docker.way("shop") == "over a port published on 127.0.0.1"
    assert await yard.names() == ["lock-shop-1"]
    await yard.docker.stop(instance.id, 5.0)
    assert await yard.names() == []
    assert yard.containers() == []


async def test_all_that_is_configured_reaches_the_engine(yard: Yard) -> None:
    yard.daemon.docker("network", "create", "front")
    yard.daemon.docker("network", "create", "back")
    image = Image(
        f"{NAME}:1",
        port=8123,
        networks=("front", "back"),
        volumes=("data:/data", "/srv:/host:ro", "/scratch"),
        cpus=0.5,
        memory=64 << 20,
        labels={"team": "blue"},
        stop_signal="SIGINT",
        healthcheck=Healthcheck(("CMD", "/bin/sh", "-c", "exit 0"), interval_s=5, timeout_s=2, retries=4, start_period_s=1),
    )
    command = (python(), "-c", "import time; time.sleep(60)", "{port}", "{name}")
    spec = InstanceSpec("shop", command, {"COLOUR": "green"}, directory="/usr", stop_grace_s=0.5, source=image)
    (instance,) = await yard.start(spec)
    made = yard.daemon.inspect(instance.id)
    config, host = made["Config"], made["HostConfig"]
    assert config["Cmd"][-2:] == ["8123", "lock-shop-1"]
    assert {"COLOUR=green", "PORT=8123", "ECLUSE_REPLICA=lock-shop-1"} <= set(config["Env"])
    assert config["Labels"].items() >= {"team": "blue", "ecluse.managed-by": "lock", "ecluse.managed-service": "shop"}.items()
    assert (config["StopSignal"], config["StopTimeout"], config["WorkingDir"]) == ("SIGINT", 1, "/usr")
    assert config["Healthcheck"]["Retries"] == 4
    assert (host["NanoCpus"], host["Memory"], host["RestartPolicy"]["Name"]) == (500_000_000, 64 << 20, "no")
    assert set(host["Binds"]) == {"data:/data", "/srv:/host:ro"}
    assert {mount["Destination"] for mount in made["Mounts"]} == {"/data", "/host", "/scratch"}
    networks = made["NetworkSettings"]["Networks"]
    assert set(networks) == {"front", "back"}
    assert all("shop" in network["Aliases"] for network in networks.values())
    await yard.docker.stop(instance.id, 0.0)


async def test_many_starts_at_once_have_names_of_their_own(yard: Yard) -> None:
    instances = await yard.start(SHOP, 4)
    assert sorted(instance.id for instance in instances) == [f"lock-shop-{number}" for number in range(1, 5)]
    assert len({instance.address for instance in instances}) == 4
    await asyncio.gather(*(yard.docker.stop(instance.id, 0.0) for instance in instances))
    assert yard.containers() == []


async def test_a_name_rests_before_it_is_given_again(yard: Yard) -> None:
    (first,) = await yard.start(SHOP)
    await yard.docker.stop(first.id, 0.0)
    (second,) = await yard.start(SHOP)
    assert second.id == "lock-shop-2"


async def test_a_name_that_a_stranger_has_is_passed_over_and_the_stranger_left_alone(yard: Yard) -> None:
    yard.daemon.docker("create", "--name", "lock-shop-1", f"{NAME}:1")
    (instance,) = await yard.start(SHOP)
    assert instance.id == "lock-shop-2"
    assert await yard.names() == ["lock-shop-2"]
    with pytest.raises(EngineError, match="no container lock-shop-1"):
        await yard.docker.restart("lock-shop-1")
    await yard.docker.stop("lock-shop-1", 0.0)
    assert "lock-shop-1" in yard.containers()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param(replace(SHOP, command=("/no/such",)), "no such file", id="a-command-that-does-not-exist"),
        pytest.param(
            replace(SHOP, source=Image(f"{NAME}:1", networks=("nowhere",))),
            'no network "nowhere"',
            id="a-network-that-does-not-exist",
        ),
        pytest.param(
            replace(SHOP, source=Image(f"{NAME}:1", volumes=("./here:/there",))), "here", id="a-path-that-is-not-absolute"
        ),
        pytest.param(
            replace(SHOP, source=Image("127.0.0.1:1/nothing:1")), "127.0.0.1:1/nothing:1", id="an-image-that-cannot-be-had"
        ),
    ],
)
async def test_a_start_that_fails_says_why_and_leaves_nothing_behind(yard: Yard, spec: InstanceSpec, words: str) -> None:
    with pytest.raises(EngineError, match=words):
        await yard.start(spec)
    assert yard.containers() == []
    assert await yard.names() == []


async def test_another_specification_makes_containers_outdated(yard: Yard) -> None:
    await yard.start(SHOP)
    yard.docker.declare(replace(SHOP, environment={"COLOUR": "red"}))
    assert [instance.outdated for instance in await yard.docker.list("shop")] == [True]
    yard.docker.declare(SHOP)
    assert [instance.outdated for instance in await yard.docker.list("shop")] == [False]


async def test_the_next_ecluse_takes_over_what_runs_without_restarting_it(yard: Yard) -> None:
    before = await yard.start(SHOP, 2)
    await yard.docker.close()
    async with opened(yard.daemon) as later:
        later.docker.declare(SHOP)
        after = await later.docker.list("shop")
        assert {(one.id, one.pid, one.address) for one in after} == {(one.id, one.pid, one.address) for one in before}
        assert not any(one.outdated or one.foreign for one in after)
        await asyncio.gather(*(later.docker.stop(one.id, 0.0) for one in after))
        assert later.containers() == []


async def test_one_ecluse_leaves_the_containers_of_another_alone(yard: Yard) -> None:
    (instance,) = await yard.start(SHOP)
    async with opened(yard.daemon, owner="other") as other:
        other.docker.declare(SHOP)
        assert await other.docker.list("shop") == ()
        await other.docker.stop(instance.id, 0.0)
    assert await yard.names() == ["lock-shop-1"]


async def test_a_stop_that_is_ignored_ends_in_sigkill_after_the_grace(yard: Yard) -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    (instance,) = await yard.start(replace(SHOP, command=(python(), "-I", "-S", "-c", script)))
    await wait_until(lambda: "deaf" in yard.daemon.docker("logs", instance.id), 30)
    stopping = asyncio.create_task(yard.docker.stop(instance.id, 1.0))
    await wait_until(lambda: yard.one(instance.id), 5)
    await wait_until(lambda: "shop" in yard.changes, 5)
    await stopping
    assert yard.containers() == []
