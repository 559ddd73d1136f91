"""The wheel of deadlines: never early, at most two ticks late, and what was let go of stays let go."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from balancer.hotpath.watched import Watched
from balancer.hotpath.wheel import TICK_US, Wheel
from tests.hotpath.strategies import THOROUGH

START_US = 50 * TICK_US + 12_345


class Alarm(Watched):
    """Something with a deadline; remembers when it expired, and whether it was ended for a fault of its own."""

    def __init__(self, deadline_us: int = 0, then: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.deadline_us = deadline_us
        self.failed = False
        self.expired_us: list[int] = []
        self.then = then

    def expire(self, now_us: int) -> None:
        self.expired_us.append(now_us)
        self.deadline_us = 0
        if self.then is not None:
            self.then()

    def fail(self) -> None:
        self.failed = True


def watched(wheel: Wheel, deadline_us: int, then: Callable[[], None] | None = None) -> Alarm:
    alarm = Alarm(deadline_us, then)
    wheel.watch(alarm)
    return alarm


def test_nothing_expires_before_its_deadline() -> None:
    wheel = Wheel(START_US)
    alarm = watched(wheel, START_US + 3 * TICK_US)
    wheel.advance(START_US + 3 * TICK_US - 1)
    assert not alarm.expired_us


def test_a_deadline_that_is_over_already_expires_at_the_next_tick() -> None:
    wheel = Wheel(START_US)
    alarm = watched(wheel, START_US - 10 * TICK_US)
    wheel.advance(START_US + TICK_US)
    assert len(alarm.expired_us) == 1


def test_a_deadline_that_moved_on_is_looked_at_again() -> None:
    wheel = Wheel(START_US)
    alarm = watched(wheel, START_US + TICK_US)
    alarm.deadline_us = START_US + 40 * TICK_US
    for tick in range(1, 40):
        wheel.advance(START_US + tick * TICK_US)
    assert not alarm.expired_us
    wheel.advance(START_US + 42 * TICK_US)
    assert len(alarm.expired_us) == 1


def test_a_deadline_that_came_nearer_is_kept_once_it_is_watched_again() -> None:
    wheel = Wheel(START_US)
    alarm = watched(wheel, START_US + 40 * TICK_US)
    alarm.deadline_us = START_US + 5 * TICK_US
    wheel.watch(alarm)
    for tick in range(1, 60):
        wheel.advance(START_US + tick * TICK_US)
    assert len(alarm.expired_us) == 1
    assert START_US + 5 * TICK_US <= alarm.expired_us[0] <= START_US + 7 * TICK_US


def test_a_deadline_that_was_taken_back_lets_go_of_the_thing() -> None:
    wheel = Wheel(START_US)
    alarm = watched(wheel, START_US + TICK_US)
    alarm.deadline_us = 0
    wheel.advance(START_US + 5 * TICK_US)
    assert not alarm.expired_us
    assert not wheel.buckets


def test_what_is_let_go_of_leaves_nothing_behind() -> None:
    wheel = Wheel(START_US)
    alarm = watched(wheel, START_US + TICK_US)
    wheel.forget(alarm)
    wheel.forget(alarm)
    wheel.advance(START_US + 5 * TICK_US)
    assert not alarm.expired_us
    assert not wheel.buckets


def test_a_thing_let_go_of_by_another_one_that_expires_in_the_same_tick_does_not_expire() -> None:
    wheel = Wheel(START_US)
    pair: list[Alarm] = []

    def forget_both() -> None:
        for alarm in pair:
            wheel.forget(alarm)

    pair += [watched(wheel, START_US + TICK_US, forget_both), watched(wheel, START_US + TICK_US, forget_both)]
    wheel.advance(START_US + 3 * TICK_US)
    assert sorted(len(alarm.expired_us) for alarm in pair) == [0, 1]


def test_a_thing_may_be_put_back_while_it_expires() -> None:
    wheel = Wheel(START_US)

    def again() -> None:
        alarm.deadline_us = START_US + 10 * TICK_US
        wheel.watch(alarm)

    alarm = watched(wheel, START_US + TICK_US, again)
    for tick in range(1, 13):
        alarm.then = again if tick < 5 else None
        wheel.advance(START_US + tick * TICK_US)
    assert len(alarm.expired_us) == 2


def test_a_fault_in_one_thing_ends_that_thing_only() -> None:
    wheel = Wheel(START_US)
    alarms = [watched(wheel, START_US + TICK_US, lambda: 1 // 0), watched(wheel, START_US + TICK_US)]
    wheel.advance(START_US + 3 * TICK_US)
    assert [alarm.failed for alarm in alarms] == [True, False]
    assert [len(alarm.expired_us) for alarm in alarms] == [1, 1]


def test_after_a_long_pause_everything_due_expires_in_the_order_of_ticks() -> None:
    wheel = Wheel(START_US)
    order: list[int] = []
    for after in (900, 5, 40):
        watched(wheel, START_US + after * TICK_US, lambda after=after: order.append(after))
    wheel.advance(START_US + 10**9 * TICK_US)
    assert order == [5, 40, 900]


@THOROUGH
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(-3 * TICK_US, 30 * TICK_US), st.booleans()), max_size=20),
    st.lists(st.integers(0, 19), max_size=6),
)
def test_each_thing_expires_once_at_its_deadline_or_up_to_two_ticks_later(
    plan: list[tuple[int, int, bool]], forgotten: list[int]
) -> None:
    """plan: (tick in which it is watched, deadline after that moment, whether the deadline then moves three ticks on)."""
    wheel = Wheel(START_US)
    alarms: dict[int, tuple[Alarm, int]] = {}
    for tick in range(70):
        now_us = START_US + tick * TICK_US
        wheel.advance(now_us)
        for number, (at, after_us, moves) in enumerate(plan):
            if at == tick:
                alarms[number] = (watched(wheel, now_us + after_us), now_us)
                if moves:
                    alarms[number][0].deadline_us += 3 * TICK_US
            if at + 1 == tick and number in forgotten and not alarms[number][0].expired_us:
                wheel.forget(alarms[number][0])
                alarms[number][0].deadline_us = 0
    for number, (alarm, watched_us) in alarms.items():
        if number in forgotten and not alarm.expired_us:
            continue
        _, after_us, moves = plan[number]
        due_us = max(watched_us + after_us + (3 * TICK_US if moves else 0), watched_us)
        assert len(alarm.expired_us) == 1
        assert due_us <= alarm.expired_us[0] <= due_us + 2 * TICK_US
    assert not any(wheel.buckets.values())
