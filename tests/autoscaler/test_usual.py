"""What is usual: the level since the last step, and what counts as noise."""

import random

import pytest

from autoscaler.usual import Usual, noise_share, stands_out, usual

SERVICE_S = 0.1
RNG = random.Random(1)
NOISE = [RNG.gauss(0.0, 1.0) for _ in range(60)]


def known(*values: float) -> Usual:
    """Of so many seconds."""
    found = usual([(1.0, value) for value in values], SERVICE_S)
    assert found is not None
    return found


def sees(doubled: Usual) -> bool:
    """Whether twice the level would stand out in the next second."""
    return stands_out(doubled.level, doubled.noise(1.0, SERVICE_S))


HIDDEN = {
    "the beginning of the load": [*[0.0] * 30, *[10.0] * 10],
    "a beginning in the middle of a second": [*[0.0] * 30, 5.0, *[10.0] * 20],
    "an earlier rise": [*[5.0] * 30, *[10.0] * 10],
    "an earlier fall": [*[40.0] * 30, *[10.0] * 10],
    "three steps in a minute": [*[0.0] * 15, *[5.0] * 15, *[40.0] * 15, *[10.0] * 15],
    "a slow rise and then a level": [*[float(value) for value in range(10)], *[10.0] * 15],
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_came_before_the_level_is_not_noise(name: str) -> None:
    found = known(*HIDDEN[name])
    assert found.level == pytest.approx(10.0, abs=0.6)
    assert sees(found)


WILD = {
    "peaks of one second": [40.0 if second % 10 == 0 else 5.0 for second in range(60)],
    "a wave": [abs(second % 12 - 6) * 5.0 for second in range(60)],
    "a load now on, now off": [30.0 if second % 6 < 3 else 0.0 for second in range(60)],
}


@pytest.mark.parametrize("name", WILD)
def test_what_keeps_coming_back_is_noise(name: str) -> None:
    found = known(*WILD[name])
    assert not stands_out(max(WILD[name]) - found.level, found.noise(1.0, SERVICE_S))


def test_noise_around_a_level_is_measured_as_it_is() -> None:
    found = known(*(100.0 + value for value in NOISE))
    assert found.length_s == 60.0
    assert found.level == pytest.approx(100.0, abs=0.5)
    assert found.deviation == pytest.approx((1.0 + 100 / 61) ** 0.5, rel=0.3)


def test_noise_before_and_after_a_step_does_not_hide_the_step() -> None:
    found = known(*(10.0 + value for value in NOISE[:40]), *(20.0 + value for value in NOISE[40:]))
    assert found.length_s == 20.0
    assert found.level == pytest.approx(20.0, abs=1.0)


def test_two_seconds_are_no_level() -> None:
    assert usual([(1.0, 5.0), (1.0, 5.0)], SERVICE_S) is None
    assert usual([], SERVICE_S) is None


def test_the_longer_a_level_is_seen_the_surer_it_is() -> None:
    noises = [known(*[10.0] * seconds).noise(1.0, SERVICE_S) for seconds in (3, 6, 12, 60)]
    assert noises == sorted(noises, reverse=True)
    assert not stands_out(4.0, noises[0])
    assert stands_out(4.0, noises[-1])


def test_one_request_more_is_no_step_however_quiet_it_was() -> None:
    assert not stands_out(1.4, 0.0)


@pytest.mark.parametrize(
    ("window_s", "service_s", "share"),
    [(1, 0.1, 1.0), (4, 0.1, 0.52), (4, 1.0, 0.71), (4, 1e9, 1.0), (4, 0.0, 0.5), (4, 1e-9, 0.5)],
)
def test_longer_means_vary_less_unless_requests_are_long(window_s: float, service_s: float, share: float) -> None:
    assert noise_share(window_s, service_s) == pytest.approx(share, abs=0.01)
