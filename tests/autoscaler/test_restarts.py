"""A restart changes no decision but what it cannot know: windows, policies and bursts that began before it end at their time."""

import pytest

from tests.autoscaler.world import World, concurrency, scale_down_after

WINDOW_S = 100.0
FALL_S = 120.0


def fallen(at_s: float | None, replicas_end: bool = False) -> World:
    """Six replicas whose load falls to that of one after two minutes; a restart so many seconds later; and the window long over."""
    world = World(concurrency(behavior=scale_down_after(WINDOW_S)), 6, start_s=3.0).run(60, FALL_S)
    if at_s is None:
        return world.run(8, 300)
    return world.run(8, at_s).restart(replicas_end).run(8, 300 - at_s)


@pytest.mark.parametrize("replicas_end", [False, True], ids=["replicas go on", "replicas end with it"])
@pytest.mark.parametrize("at_s", [1.0, 30.0, 90.0, 98.0])
def test_a_window_that_began_before_a_restart_ends_at_its_time(at_s: float, replicas_end: bool) -> None:
    undisturbed, restarted = fallen(None), fallen(at_s, replicas_end)
    (down_s, _), (restarted_s, _) = undisturbed.path[0], restarted.path[0]
    assert FALL_S + WINDOW_S <= restarted_s <= down_s
    assert restarted.desired == undisturbed.desired == 1


@pytest.mark.parametrize("replicas_end", [False, True], ids=["replicas go on", "replicas end with it"])
def test_a_window_begins_where_the_load_falls_soon_after_a_restart(replicas_end: bool) -> None:
    world = World(concurrency(behavior=scale_down_after(WINDOW_S)), 6, start_s=3.0).run(60, FALL_S)
    world.restart(replicas_end).run(60, 50).run(8, 300)
    assert world.path[0][0] >= FALL_S + 50 + WINDOW_S


def test_a_restart_in_a_steady_load_changes_nothing() -> None:
    world = World(concurrency(behavior=scale_down_after(WINDOW_S)), 6).run(60, FALL_S)
    for _ in range(5):
        world.restart().run(60, 40)
    assert world.path == []
