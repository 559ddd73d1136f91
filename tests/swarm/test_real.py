"""On a real Swarm of three nodes: counts, removals that were foreseen, updates, drained and lost nodes, and what is made from an image."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from autoscaler.cluster.engine import Discovered, EngineError, Image, InstanceSpec, InstanceStatus, SwarmService
from tests.engines.images import NAME
from tests.engines.reach import reach
from tests.engines.swarm import Swarm
from tests.support import wait_until
from tests.swarm.conftest import DEADLINE_S, WEB, Sight, look


def spec_of(swarm3: Swarm) -> dict[str, Any]:
    spec: dict[str, Any] = swarm3.manager.api("GET", "/services/web")["Spec"]
    return spec


async def test_only_the_count_is_written_and_what_others_wrote_is_told_and_brought_back(swarm3: Swarm, sight: Sight) -> None:
    labels = ("--label=com.docker.stack.namespace=shop", "--label=team=blue")
    swarm3.create("web", 3, *labels, "--env=VERSION=7", "--stop-grace-period=7s", "--limit-memory=64M")
    before = spec_of(swarm3)
    first = {one.id for one in await sight.settled(3)}
    started = await asyncio.gather(*(sight.swarm.start(WEB) for _ in range(2)))
    everything = await sight.settled(5)
    assert {one.id for one in everything} == first | {one.id for one in started}
    assert spec_of(swarm3) == {**before, "Mode": {"Replicated": {"Replicas": 5}}}
    for one in everything:
        address, _, port = one.address.rpartition(":")
        answer = await wait_until(lambda port=int(port), address=address: reach(port, "/", address), DEADLINE_S)  # type: ignore[misc]
        assert answer.fields["x-version"] == "7"
    swarm3.scale("web", 1)
    words = "was set from 5 to 1, not by Écluse (probably by `docker stack deploy` of shop, or `docker service scale`)"
    assert words in await sight.hears("count_reset")
    await sight.settled(1)
    await asyncio.gather(*(sight.swarm.start(WEB) for _ in range(2)))
    await sight.settled(3)


async def test_what_swarm_removes_was_foreseen_also_where_nodes_are_unevenly_full(
    swarm3: Swarm, sight: Sight, capsys: pytest.CaptureFixture[str]
) -> None:
    _fill(swarm3, (7, 4, 2))
    await wait_until(lambda: len(sight.swarm.removal_order("shop")) == 13, DEADLINE_S)
    for count in (1, 2, 1, 3, 2):
        order = sight.swarm.removal_order("shop")
        await asyncio.gather(*(sight.swarm.stop(one, 10.0) for one in reversed(order[:count])))
        assert {*sight.swarm.removal_order("shop")} == {*order[count:]}
    with capsys.disabled():
        print(f"\npredicted victims: {sight.swarm.predictions('shop')[0]} of 9")
    assert sight.swarm.predictions("shop") == (9, 0)


def _fill(swarm3: Swarm, tasks: tuple[int, ...]) -> None:
    """So many tasks on each node, which do nothing: the others take no new ones while one is filled."""
    quiet = ("--detach", "--no-resolve-image", "--tty", "--stop-signal=SIGKILL")
    for number, node in enumerate(swarm3.nodes):
        for other in swarm3.nodes:
            swarm3.docker("node", "update", f"--availability={'active' if other is node else 'pause'}", other.name)
        if number:
            swarm3.scale("web", sum(tasks[: number + 1]))
        else:
            swarm3.docker("service", "create", *quiet, "--name=web", f"--replicas={tasks[0]}", f"{NAME}:1", "/bin/sh")
        swarm3.settled("web", sum(tasks[: number + 1]))


@pytest.mark.parametrize("order", ["start-first", "stop-first"])
async def test_in_a_rolling_update_every_slot_counts_once_all_the_time(swarm3: Swarm, sight: Sight, order: str) -> None:
    swarm3.create("web", 2)
    before = {one.id for one in await sight.settled(2)}
    sight.counts.clear()
    swarm3.docker(
        "service",
        "update",
        "--detach",
        "--no-resolve-image",
        f"--update-order={order}",
        "--update-monitor=100ms",
        f"--image={NAME}:2",
        "web",
    )
    await wait_until(lambda: "is completed" in sight.words("service_update"), DEADLINE_S)
    assert not before & {one.id for one in await sight.settled(2)}
    assert {*sight.counts} == {2}


async def test_tasks_of_a_drained_node_are_replaced_elsewhere_and_counted_once(swarm3: Swarm, sight: Sight) -> None:
    swarm3.create("web", 3)
    await sight.settled(3)
    sight.counts.clear()
    drained = swarm3.nodes[1]
    swarm3.docker("node", "update", "--availability=drain", drained.name)
    await wait_until(
        lambda: drained.id not in {task["NodeID"] for task in swarm3.running("web")} and len(swarm3.running("web")) == 3,
        DEADLINE_S,
    )
    assert not [one for one in await sight.settled(3) if one.address.startswith(f"{drained.address}:")]
    assert {*sight.counts} <= {3}


async def test_tasks_of_a_lost_node_are_leaving_and_it_is_told(swarm3: Swarm, sight: Sight) -> None:
    swarm3.create("web", 3, "--restart-delay=0s")
    await sight.settled(3)
    lost = swarm3.nodes[2]
    lost.pull_cable()
    try:
        assert lost.name in await sight.hears("machine_down")
        assert not [one for one in await sight.settled(3) if one.address.startswith(f"{lost.address}:")]
    finally:
        lost.plug_in()
    await sight.hears("machine_up")


async def test_a_task_without_a_place_says_why_and_goes_first(swarm3: Swarm, sight: Sight) -> None:
    swarm3.create("web", 3, "--replicas-max-per-node=1")
    running = {one.id for one in await sight.settled(3)}
    waiting = await sight.swarm.start(WEB)
    words = await wait_until(lambda: sight.swarm.full("shop"), DEADLINE_S)
    assert words.startswith("Swarm: no suitable node (max replicas per node limit exceed")
    assert waiting.status is InstanceStatus.PENDING
    assert sight.swarm.removal_order("shop")[0] == waiting.id
    await sight.swarm.stop(waiting.id, 10.0)
    assert {one.id for one in await sight.settled(3)} == running
    assert sight.swarm.full("shop") == ""


async def test_services_describe_themselves_by_labels(swarm3: Swarm, sight: Sight) -> None:
    swarm3.create("api", 0, "--label=ecluse.enable=true", "--label=ecluse.port=8000", "--label=team=blue")
    swarm3.create("off", 0, "--label=ecluse.enable=false")
    found = Discovered("api", {"ecluse.enable": "true", "ecluse.port": "8000"}, SwarmService("api"))
    await wait_until(lambda: sight.swarm.discovered() == (found,), DEADLINE_S)
    swarm3.docker("service", "rm", "api")
    await wait_until(lambda: sight.swarm.discovered() == () and sight.changes.count("") == 2, DEADLINE_S)


async def test_a_service_is_made_from_an_image_reached_over_its_network_updated_and_removed_with_it(swarm3: Swarm) -> None:
    swarm3.docker("network", "create", "--driver=overlay", "front")
    image = Image(
        f"{NAME}:1", port=8000, networks=("front",), labels={"team": "blue"}, memory=64 << 20, cpus=0.5, volumes=("/cache",)
    )
    spec = InstanceSpec("shop", environment={"VERSION": "one"}, stop_grace_s=7.0, source=image)
    async with look(swarm3.manager.endpoint, spec=spec, attached=True) as sight:
        await wait_until(lambda: sight.changes, DEADLINE_S)
        assert await sight.shown() == ()
        await asyncio.gather(*(sight.swarm.start(spec) for _ in range(2)))
        first = {one.id for one in await sight.settled(2)}
        assert sight.swarm.way("shop") == "over network front"
        made = swarm3.manager.api("GET", "/services/shop")["Spec"]
        container = made["TaskTemplate"]["ContainerSpec"]
        assert (made["Mode"]["Replicated"]["Replicas"], container["StopGracePeriod"]) == (2, 7_000_000_000)
        assert made["TaskTemplate"]["Resources"]["Limits"] == {"NanoCPUs": 500_000_000, "MemoryBytes": 64 << 20}
        sight.swarm.declare(replace(spec, environment={"VERSION": "two"}))
        await wait_until(lambda: not first & sight.running, DEADLINE_S)
        sight.swarm.forget("shop")
        await wait_until(lambda: swarm3.manager.api("GET", "/services") == [], DEADLINE_S)


async def test_a_service_of_that_name_that_others_made_is_left_alone(swarm3: Swarm) -> None:
    swarm3.create("shop", 0)
    spec = InstanceSpec("shop", source=Image(f"{NAME}:1", port=8000))
    async with look(swarm3.manager.endpoint, spec=spec) as sight:
        await wait_until(lambda: sight.swarm.trouble("shop"), DEADLINE_S)
        with pytest.raises(EngineError, match="was not made by this Écluse"):
            await sight.swarm.start(spec)
        sight.swarm.forget("shop")
    assert [service["Spec"]["Name"] for service in swarm3.manager.api("GET", "/services")] == ["shop"]
