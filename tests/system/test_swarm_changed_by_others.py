"""A Swarm service that others change under load: another image, or another count. Écluse follows the first and undoes the second."""

import time
from pathlib import Path

import pytest
import yaml

from tests.engines.images import NAME
from tests.engines.swarm import Swarm
from tests.support import get, wait_until
from tests.system.containers import CHANGE_S, SWARM, Seen, in_front_of, on_swarm, under_load
from tests.system.figures import note
from tests.system.program import Program

REPLICAS = 4
STACK = {
    "version": "3.8",
    "services": {"web": {"image": f"{NAME}:1", "ports": [{"target": 8000, "mode": "host"}], "deploy": {"replicas": 1}}},
}


async def versions(program: Program) -> set[str]:
    """Of many answers."""
    return {(await get(program.port)).fields["x-version"] for _ in range(5 * REPLICAS)}


def updated(swarm3: Swarm) -> bool:
    state: str = swarm3.manager.api("GET", "/services/web")["UpdateStatus"]["State"]
    return state == "completed"


@pytest.mark.parametrize("order", ["stop-first", "start-first"])
async def test_a_rolling_update_fails_no_request(tmp_path: Path, swarm3: Swarm, order: str) -> None:
    swarm3.create("web", REPLICAS, f"--update-order={order}", "--update-monitor=100ms")
    seen = Seen()
    async with in_front_of(tmp_path, SWARM, on_swarm(swarm3.managers), min_replicas=REPLICAS, max_replicas=REPLICAS) as program:
        await program.up(REPLICAS)
        async with under_load(program, seen):
            assert await versions(program) == {"1"}
            swarm3.docker("service", "update", "--detach", "--no-resolve-image", f"--image={NAME}:2", "web")
            await wait_until(lambda: updated(swarm3), CHANGE_S)
            await program.ready(REPLICAS, deadline_s=CHANGE_S)
            assert await versions(program) == {"2"}
    note(f"swarm rolling update, {order}: {seen.words}")
    assert seen.lost == 0, seen.outcomes


def deploy(swarm3: Swarm, folder: Path) -> None:
    file = folder / "stack.yaml"
    file.write_text(yaml.safe_dump(STACK))
    swarm3.docker("stack", "deploy", "--resolve-image=never", f"--compose-file={file}", "shop")


@pytest.mark.parametrize("how", ["docker stack deploy", "docker service scale"])
async def test_a_count_that_others_reset_is_told_and_put_back(tmp_path: Path, swarm3: Swarm, how: str) -> None:
    deploy(swarm3, tmp_path)
    seen = Seen()
    async with in_front_of(tmp_path, {"swarm": "shop_web"}, on_swarm(swarm3.managers)) as program:
        await program.up()
        program.scale(5)
        await program.ready(5, deadline_s=CHANGE_S)
        async with under_load(program, seen):
            if how == "docker stack deploy":
                deploy(swarm3, tmp_path)
            else:
                swarm3.scale("shop_web", 1)
            began_s = time.monotonic()
            await wait_until(lambda: program.events("count_reset"), CHANGE_S)
            await wait_until(lambda: len(swarm3.running("shop_web")) == 5, CHANGE_S)
            await program.ready(5, deadline_s=CHANGE_S)
            took_s = time.monotonic() - began_s
        (told,) = program.events("count_reset")
        assert told["message"].startswith("the count of shop_web was set from 5 to 1, not by Écluse")
    note(f"swarm, {how}: back at 5 after {took_s:.1f} s; {seen.words}")
    assert seen.lost == 0, seen.outcomes
