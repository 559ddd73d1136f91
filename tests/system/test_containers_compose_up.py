"""`docker-compose up -d` again while the service is scaled: Compose takes the clones away, and Écluse puts them back and says why."""

import time
from pathlib import Path

from tests.engines.compose import Project
from tests.engines.daemon import Daemon
from tests.system.containers import CHANGE_S, COMPOSE, Seen, in_front_of, on_docker, under_load
from tests.system.figures import note
from tests.system.program import Program

SCALED = 5
CONNECTIONS = 8


async def back_s(program: Program) -> float:
    """How long it takes from now until all are READY."""
    began_s = time.monotonic()
    await program.ready(SCALED, deadline_s=CHANGE_S)
    return time.monotonic() - began_s


async def test_a_count_that_compose_up_resets_is_put_back(tmp_path: Path, engine: Daemon, compose: Project) -> None:
    seen = Seen()
    async with in_front_of(tmp_path, COMPOSE, on_docker(engine)) as program:
        await program.up()
        program.scale(SCALED)
        await program.ready(SCALED, deadline_s=CHANGE_S)
        async with under_load(program, seen, connections=CONNECTIONS):
            compose.up()
            took_s = await back_s(program)
        assert len(compose.containers("web")) == SCALED
        (told,) = program.events("stopped_outside")
        assert told["message"].endswith("stopped by somebody else, as `compose up` does; the count is put back")
    note(f"docker-compose up -d while scaled to {SCALED}: back at {SCALED} after {took_s:.1f} s; {seen.words}")
    assert seen.lost <= CONNECTIONS, seen.outcomes  # each learns at most once that its replica has gone
