"""The Docker engine hangs, or is restarted, under load: traffic goes on, `status` says what is wrong, and afterwards all is as before."""

from pathlib import Path

from tests.engines.compose import project
from tests.engines.daemon import Daemon
from tests.support import wait_until
from tests.system.containers import CHANGE_S, COMPOSE, IMAGE, Seen, in_front_of, lives, on_docker, under_load
from tests.system.figures import note
from tests.system.program import Program

CONNECTIONS = 8
UNPUBLISHED = "services: {web: {image: IMAGE}}"


def trouble(program: Program) -> str:
    words: str = program.service()["conditions"].get("engine", "")
    return words


async def goes_on(program: Program) -> None:
    """Scaling does."""
    await wait_until(lambda: not trouble(program), CHANGE_S)
    await program.ready(3, deadline_s=CHANGE_S)
    program.scale(2)
    await program.ready(2, deadline_s=CHANGE_S)


async def test_an_engine_that_hangs_fails_no_request_and_what_was_asked_meanwhile_is_done_once(
    tmp_path: Path, engine: Daemon
) -> None:
    seen = Seen()
    async with in_front_of(tmp_path, IMAGE, on_docker(engine)) as program:
        await program.up()
        program.scale(2)
        await program.ready(2)
        before = lives(engine)
        async with under_load(program, seen):
            engine.freeze()
            try:
                program.scale(3)
                await wait_until(lambda: trouble(program), CHANGE_S)
                shown = (await program.command("status")).out
            finally:
                engine.thaw()
            await program.ready(3, deadline_s=CHANGE_S)
            after = lives(engine)
            await goes_on(program)
    note(f"docker engine hung: {seen.words}")
    assert before.items() <= after.items()  # none was started again
    assert len(after) == 3  # none was started twice
    assert "engine" in shown
    assert seen.lost == 0, seen.outcomes


async def test_when_an_engine_is_restarted_traffic_goes_on_over_what_is_reached(
    tmp_path: Path, engine: Daemon, needs_compose: None
) -> None:
    """Ports published on loopback are carried by its own processes and end with it; the project's own container needs none."""
    seen = Seen()
    with project(engine, UNPUBLISHED.replace("IMAGE", IMAGE["image"])) as shop:
        async with in_front_of(tmp_path, COMPOSE, on_docker(engine)) as program:
            await program.up()
            program.scale(3)
            await program.ready(3, deadline_s=CHANGE_S)
            before = lives(engine)
            async with under_load(program, seen):
                engine.stop()
                try:
                    await wait_until(lambda: trouble(program), CHANGE_S)
                    await wait_until(lambda: list(program.states().values()) == ["ready", "ejected", "ejected"], CHANGE_S)
                finally:
                    engine.start()
                await program.ready(3, deadline_s=CHANGE_S)
                after = lives(engine)
                await goes_on(program)
            assert len(shop.containers("web")) == 2
    note(f"docker engine restarted: {seen.words}")
    assert after == before
    assert seen.lost <= CONNECTIONS, seen.outcomes  # what was in flight in those processes
