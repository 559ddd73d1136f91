"""The Swarm in network namespaces is a real one: tasks are spread, answer from here, and end with their node."""

from tests.engines.reach import reach
from tests.engines.swarm import Swarm, address_of
from tests.support import wait_until


async def test_tasks_on_every_node_answer_on_their_published_ports(swarm3: Swarm) -> None:
    swarm3.create("web", 6, "--env=VERSION=7")
    tasks = swarm3.settled("web", 6)
    assert len({task["NodeID"] for task in tasks}) == 3
    replicas = {(await swarm3.answers(task)).fields["x-replica"] for task in tasks}
    assert len(replicas) == 6


async def test_a_node_that_loses_its_power_is_gone_at_once_and_comes_back_as_a_member(swarm3: Swarm) -> None:
    swarm3.create("web", 3)
    lost = swarm3.nodes[2]
    id_ = lost.id
    address, port = address_of(swarm3, next(task for task in swarm3.settled("web", 3) if task["NodeID"] == id_))
    assert await wait_until(lambda: reach(port, address=address), deadline_s=60)
    lost.power_off()
    try:
        assert await reach(port, address=address) is None
        assert not lost.program.running
    finally:
        lost.power_on()
    await wait_until(lambda: lost.api("GET", "/info")["Swarm"]["LocalNodeState"] == "active", deadline_s=60)
    assert lost.id == id_
