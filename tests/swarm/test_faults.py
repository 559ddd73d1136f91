"""What goes wrong between the engine and its managers: answers that fail, hang or are lost, managers that end."""

from collections.abc import Callable, Coroutine, Iterator

import pytest

from autoscaler.cluster.engine import EngineError, Instance
from tests.engines import swarm as engines
from tests.engines.faulty import Faulty, faulty
from tests.engines.images import NAME
from tests.support import wait_until
from tests.swarm.conftest import DEADLINE_S, WEB, look
from tests.swarm.toy import STALE


@pytest.fixture
def middle(swarm3: engines.Swarm) -> Iterator[Faulty]:
    """A man in the middle in front of the only manager."""
    with faulty(swarm3.manager.socket, swarm3.manager.folder / "middle.sock") as one:
        yield one


NO_LEADER = "rpc error: code = Unknown desc = The swarm does not have a leader."
FAULTS: dict[str, Callable[[Faulty], None]] = {
    "a manager that is none": lambda middle: middle.answer(503, "This node is not a swarm manager.", path=PATH, times=2),
    "no leader": lambda middle: middle.answer(500, NO_LEADER, path=PATH, times=2),
    "no answer": lambda middle: middle.drop(path=PATH, times=2),
    "slow answers": lambda middle: middle.delay(0.5, path=PATH, times=2),
    "an answer that is lost": lambda middle: middle.lose("POST", PATH, times=1),
    "somebody who comes first": lambda middle: middle.answer(500, STALE, "POST", PATH, times=2),
}
PATH = ".*/services.*"


async def test_whatever_is_answered_each_start_counts_once(swarm3: engines.Swarm, middle: Faulty) -> None:
    idle = ("--detach", "--no-resolve-image", "--tty", "--stop-signal=SIGKILL")
    swarm3.docker("service", "create", *idle, "--name=web", "--replicas=1", f"{NAME}:1", "/bin/sh")
    async with look(f"unix://{middle.socket}") as sight:
        await wait_until(lambda: len(sight.swarm.removal_order("shop")) == 1, DEADLINE_S)
        for replicas, (name, fault) in enumerate(FAULTS.items(), 2):
            fault(middle)
            await sight.swarm.start(WEB)
            count = swarm3.manager.api("GET", "/services/web")["Spec"]["Mode"]["Replicated"]["Replicas"]
            assert (name, count, len(sight.swarm.removal_order("shop"))) == (name, replicas, replicas)
            middle.heal()
        assert not sight.words("count_reset")


async def test_only_what_is_documented_is_asked(swarm3: engines.Swarm, middle: Faulty) -> None:
    swarm3.create("web", 1)
    middle.allow(("GET", "/(version|services|tasks|nodes)"), ("POST", "/services/[^/]+/update"))
    async with look(f"unix://{middle.socket}") as sight:
        await sight.settled(1)
        await sight.swarm.start(WEB)
        await sight.settled(2)
        await sight.swarm.stop(sight.swarm.removal_order("shop")[0], 10.0)
        await sight.settled(1)


async def test_when_the_leader_is_lost_the_next_manager_is_asked(application: bytes) -> None:
    with engines.swarm(application, nodes=3, managers=3) as three:
        three.create("web", 0)
        async with look(*(node.endpoint for node in three.nodes)) as sight:
            await wait_until(lambda: sight.changes, DEADLINE_S)
            three.nodes[0].kill()
            started = await _patiently(lambda: sight.swarm.start(WEB))
            assert started in sight.swarm.removal_order("shop")
            assert three.nodes[1].endpoint in sight.words("manager_changed")


async def _patiently(start: Callable[[], Coroutine[object, object, Instance]]) -> str:
    """As a fleet does: again after it failed. The id of what was started."""

    async def once() -> str:
        try:
            return (await start()).id
        except EngineError:
            return ""

    return await wait_until(once, DEADLINE_S)
