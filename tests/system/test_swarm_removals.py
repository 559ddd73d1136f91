"""Which tasks Swarm will remove is foreseen: they are drained first, and no request notices.

Predicted victims are compared with actual ones over at least thirty removals with CI=true, ten otherwise.
"""

import random
from pathlib import Path

import pytest

from tests.engines.swarm import Swarm
from tests.system.containers import CHANGE_S, SWARM, Seen, in_front_of, on_swarm, removed, under_load
from tests.system.figures import note
from tests.system.program import Program
from tests.system.tools import in_full

REMOVALS = in_full(30, 10)
MAXIMUM = 9


async def up_and_down(program: Program, rng: random.Random) -> None:
    """Steps of any size, until enough have been removed."""
    count = 1
    while removed(program) < REMOVALS:
        count = rng.choice([other for other in range(1, MAXIMUM + 1) if other != count])
        program.scale(count)
        await program.ready(count, deadline_s=CHANGE_S)


@pytest.mark.timeout(in_full(300, 120))
async def test_swarm_removes_those_that_were_drained(tmp_path: Path, swarm3: Swarm) -> None:
    swarm3.create("web", 1)
    seen = Seen()
    async with in_front_of(tmp_path, SWARM, on_swarm(swarm3.managers), max_replicas=MAXIMUM) as program:
        await program.up()
        async with under_load(program, seen):
            await up_and_down(program, random.Random(4))
        predictions = program.metrics("ecluse_predictions_total")
        hits, misses = (predictions[f'{{result="{result}",service="web"}}'] for result in ("hit", "miss"))
        note(f"swarm predictions: {hits:.0f} hits, {misses:.0f} misses ({hits / (hits + misses):.1%}); {seen.words}")
        assert program.events("prediction_missed") == []
    assert hits >= REMOVALS
    assert seen.lost == 0, seen.outcomes
