"""Overload, request by request: what is asked for is what the arrivals need, however much has piled up; no load is taken for a backlog."""

from dataclasses import replace

import pytest

from autoscaler.rules import Rules
from tests.autoscaler.queues import Limited, Queues, even
from tests.autoscaler.world import World, concurrency

TARGET = 20.0  # requests at once, of which a replica can just take as many; 14 are planned for
RULES = replace(concurrency(TARGET), metrics=(replace(concurrency(TARGET).metrics[0], target_utilization=0.7),))


def overloaded(rules: Rules = RULES, start_s: float = 10.0) -> Queues:
    """100 requests per second on one replica, that can take 200, for a minute."""
    return Queues(rules, lambda: Limited(int(TARGET)), even(0.05, 0.15), 1, start_s).run(100, 60)  # type: ignore[return-value]  # it is itself


def most(world: World) -> int:
    return max([count for _, count in world.path], default=1)


@pytest.mark.parametrize(("rate", "needed"), [(240, 2), (400, 3), (600, 5), (1000, 8)])
def test_a_rise_while_replicas_start_asks_for_what_the_arrivals_need_twice_that_at_most(rate: int, needed: int) -> None:
    world = overloaded().run(rate, 60)
    assert needed <= most(world) <= 2 * needed


def test_with_count_backlog_what_piled_up_is_load_too() -> None:
    assert most(overloaded(replace(RULES, count_backlog=True)).run(600, 30)) >= 10


def test_replicas_that_start_slowly_are_not_asked_for_again_and_again() -> None:
    world = overloaded(start_s=60.0).run(400, 60)
    assert most(world) <= 5


def test_a_backlog_is_said_to_be_left_out() -> None:
    world = overloaded().run(400, 10)
    assert any("that is only to be caught up with" in each.why for decision in world.decisions for each in decision.recommended)


def test_requests_that_become_heavier_are_followed_until_they_fit() -> None:
    world = overloaded()
    world.size = even(0.25, 0.35)
    world.run(100, 120)
    assert world.desired == 3  # 100/s x 0.3 s = 30 at once, 14 each
    assert all(latency_s < 0.4 for at_s, latency_s in world.windows if at_s > 150)


def test_clients_that_wait_for_their_answers_are_no_backlog() -> None:
    world = World(concurrency(), 2, cap=10.0).run(20, 60).run(80, 90)
    assert world.desired == 8
