"""The Swarm in network namespaces is a real one: tasks are spread, answer from here, and end with their node."""

from tests.engines.mender import mending
from tests.engines.reach import reach
from tests.engines.swarm import Swarm, address_of
from tests.support import wait_until


async def test_tasks_on_every_node_answer_on_their_published_ports(swarm3: Swarm) -> None:
    swarm3.create("web", 6, "--env=VERSION=7")
    tasks = swarm3.settled("web", 6)
    assert len({task["NodeID"] for task in tasks}) == 3
    replicas = {(await swarm3.answers(task)).fields["x-replica"] for task in tasks}
    assert len(replicas) == 6


async def test_a_node_that_loses_its_power_is_gone_at_once(own_swarm: Swarm) -> None:
    own_swarm.create("web", 3)
    lost = own_swarm.nodes[2]
    tasks = own_swarm.settled("web", 3)
    address, port = address_of(own_swarm, next(task for task in tasks if task["NodeID"] == lost.id))
    assert await wait_until(lambda: reach(port, address=address), deadline_s=60)
    lost.power_off()
    assert await reach(port, address=address) is None
    assert not lost.program.running


async def test_a_task_whose_port_docker_forgot_is_ended_and_another_one_comes(swarm3: Swarm) -> None:
    swarm3.create("web", 1)
    (task,) = swarm3.settled("web", 1)
    address, port = address_of(swarm3, task)
    assert await wait_until(lambda: reach(port, address=address), deadline_s=60)
    machine = swarm3.node(task["NodeID"]).machine
    machine.run("iptables", "--table=nat", "--flush", "DOCKER")
    machine.run("pkill", "--full", f"docker-proxy.*-host-port {port} ")
    assert await reach(port, address=address) is None
    told: list[str] = []
    with mending(swarm3, told.append):
        await wait_until(lambda: told, deadline_s=30)
        await wait_until(lambda: [each for each in swarm3.running("web") if each["ID"] != task["ID"]], deadline_s=60)
    (other,) = swarm3.settled("web", 1)
    assert (await swarm3.answers(other)).status == 200
