"""`slo` mode on applications that it has never seen: only the objective is given. Request by request (`queues`), in virtual time."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest

from autoscaler import slo
from autoscaler.memory import Learned
from autoscaler.rules import Rules, Slo
from tests.autoscaler.queues import Limited, Queues, Shared, Size, Station, even, exponential, heavy

LEARNT_S = 420.0  # the first step down after what it took to begin comes after the stabilization window of 300 s
NOISE = 0.05  # of the windows may miss the objective


class App(NamedTuple):
    """least: the fewest replicas that meet the objective in 95 % of the windows at `rate`, and at three times the rate."""

    objective_s: float
    station: Callable[[], Station]
    size: Size
    rate: float
    least: tuple[int, int]


APPS = {
    "a processor": App(0.3, Shared, exponential(0.02), 50, (2, 4)),
    "waits": App(0.3, Limited, even(0.08, 0.12), 30, (1, 1)),
    "four at once": App(0.5, lambda: Limited(4), exponential(0.1), 30, (2, 3)),
    "refuses beyond eight": App(0.5, lambda: Limited(8, refuses=True), even(0.16, 0.24), 30, (2, 4)),
    "heavy tails": App(0.4, Shared, heavy(0.008, 1.0), 50, (1, 3)),
}
every_app = pytest.mark.parametrize("app", APPS.values(), ids=APPS.keys())


def service(app: App, replicas: int = 1, most: int = 20) -> Queues:
    return Queues(Rules(1, most, slo=Slo(app.objective_s)), app.station, app.size, replicas)


def learned(world: Queues) -> Learned:
    assert world.memory.learned
    return world.memory.learned


def words(world: Queues) -> str:
    assert world.rules.slo
    return slo.told(learned(world), world.rules.slo)


@every_app
def test_the_objective_holds_with_few_replicas_and_a_steady_count(app: App) -> None:
    world = service(app).run(app.rate, 900)
    assert world.missed(60) <= NOISE
    assert world.mean_ready(LEARNT_S) <= app.least[0] * 1.5 + 0.5
    assert len([at_s for at_s, _ in world.path if at_s > LEARNT_S]) <= 2


@every_app
def test_it_holds_when_the_load_triples(app: App) -> None:
    world = service(app).run(app.rate, 400)
    began_s = world.now_s
    world.run(3 * app.rate, 600)
    assert world.missed(began_s + 30) <= NOISE
    assert world.mean_ready(began_s + LEARNT_S) <= app.least[1] * 2


def test_a_day_goes_up_and_comes_down_again() -> None:
    app = APPS["a processor"]
    world = service(app)
    for part in range(120):
        world.run(app.rate * (1.6 - 1.4 * math.cos(2 * math.pi * part / 120)), 15)
    assert world.missed(0) <= NOISE
    assert max(count for _, count in world.path) <= 7
    assert world.desired <= 2


def test_from_too_many_replicas_it_goes_down_to_what_is_needed() -> None:
    app = APPS["waits"]
    world = service(app, replicas=6).run(app.rate, 1500)
    assert world.missed(0) == 0
    assert world.desired == 1


def test_an_application_that_becomes_slower_by_and_by_gets_more_replicas() -> None:
    world = service(App(0.2, Shared, exponential(0.01), 60, (1, 1))).run(60, 400)
    for step in range(12):
        world.size = exponential(0.01 * 1.08**step)
        world.run(60, 60)
    assert world.missed(60) <= NOISE
    assert world.desired > 1


def test_one_that_becomes_quicker_gives_its_replicas_back() -> None:
    world = service(App(0.5, Shared, exponential(0.05), 24, (2, 2))).run(24, 500)
    before = world.desired
    world.size = exponential(0.01)
    world.run(24, 4000)
    assert world.desired < before
    assert world.missed(60) <= NOISE


def test_one_that_is_slow_by_itself_does_not_run_away() -> None:
    """As when its database is slow: every request takes a second, whatever the number of replicas."""
    world = service(APPS["waits"]).run(50, 300)
    world.size = even(0.8, 1.2)
    world.run(50, 1500)
    assert max(count for _, count in world.path) <= 8
    assert "so more would not help" in words(world)
    assert "so more would not help" in world.last.recommended[0].why
    settled = len(world.path)
    world.size = APPS["waits"].size
    world.run(50, 600)
    assert all(count <= 3 for _, count in world.path[settled:])
    assert world.missed(world.now_s - 300) == 0


def test_one_that_answers_only_errors_gets_no_replicas_for_it() -> None:
    world = service(App(0.3, lambda: Limited(0, refuses=True), even(0.1, 0.1), 50, (1, 1)))
    world.run(50, 300)
    assert (world.desired, world.path) == (1, [])
    assert learned(world).failed


def test_too_few_answers_for_the_percentile_teach_nothing() -> None:
    """A request in ten seconds; and the second replica, which nothing needs, is given back."""
    world = service(APPS["waits"], replicas=2).run(0.1, 400)
    assert learned(world).observations == ()
    assert "nothing is known yet" in words(world)
    assert world.desired == 1


def test_before_anything_is_known_the_count_is_held() -> None:
    world = service(APPS["a processor"], replicas=3).run(100, 9)
    assert (world.desired, world.path) == (3, [])


def test_what_is_learned_stays_within_its_bounds() -> None:
    app = APPS["waits"]
    world = Queues(Rules(1, 20, slo=Slo(0.3, min_concurrency=2, max_concurrency=5)), app.station, app.size, 1).run(100, 200)
    assert learned(world).concurrency == 5
    assert world.desired >= 2


def test_it_says_what_was_learned_and_from_what() -> None:
    world = service(APPS["a processor"]).run(50, 200)
    assert words(world).startswith("p95 stays under 300 ms up to ")
    assert " requests at once per replica (" in words(world)
    assert ", seen " in words(world)
    assert words(world) in world.last.recommended[0].why
    assert [each.metric.name for each in world.last.recommended] == [slo.NAME, slo.RATE_NAME]


def test_what_is_kept_is_bounded() -> None:
    app = APPS["heavy tails"]
    world = service(app)
    for part in range(40):
        world.run(app.rate * (1 + part % 4), 25)
    assert len(learned(world).observations) <= 40
