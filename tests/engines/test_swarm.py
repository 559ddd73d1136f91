"""The Swarm in network namespaces is a real one: tasks are spread, answer from here, and are replaced when their node is lost."""

from tests.engines.swarm import Swarm
from tests.support import wait_until_blocking


async def test_tasks_on_every_node_answer_on_their_published_ports(swarm3: Swarm) -> None:
    swarm3.create("web", 6, "--env=VERSION=7")
    tasks = swarm3.settled("web", 6)
    assert len({task["NodeID"] for task in tasks}) == 3
    replicas = {(await swarm3.answers(task)).fields["x-replica"] for task in tasks}
    assert len(replicas) == 6


def test_a_lost_nodes_tasks_run_elsewhere_and_it_comes_back(swarm3: Swarm) -> None:
    swarm3.create("web", 3)
    swarm3.settled("web", 3)
    lost = swarm3.nodes[2]
    id_ = lost.id
    lost.power_off()
    try:
        wait_until_blocking(lambda: {task["NodeID"] for task in swarm3.running("web")} == _others(swarm3), deadline_s=60)
    finally:
        lost.power_on()
    wait_until_blocking(lambda: swarm3.manager.api("GET", f"/nodes/{id_}")["Status"]["State"] == "ready", deadline_s=60)


def _others(swarm3: Swarm) -> set[str]:
    return {node.id for node in swarm3.nodes if node.program.running}
