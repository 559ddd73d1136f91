"""Forecasts: what a service's own past says, how wrong that was, and what is made of it."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from autoscaler.decide import decide
from autoscaler.forecast import raise_for_forecast
from autoscaler.forecaster import BIN_S, DAY, KEPT, WEEK, Forecaster
from autoscaler.forecasts import Forecasts
from autoscaler.memory import Memory
from autoscaler.rules import ForecastRules, MetricRule, MetricType, Rules, Slo
from autoscaler.season import Bin
from autoscaler.snapshot import Forecast, ReplicaSample, Sample, Snapshot
from balancer.table import ReplicaState

START = 19_000 * DAY  # a bin that begins a day
AHEAD_S = 90.0
Load = Callable[[int], float]


def day(number: int) -> float:
    """Quiet at night, 110 at noon."""
    return 60 - 50 * math.cos(2 * math.pi * number / DAY)


def weekly(number: int) -> float:
    """The same, but nothing on two days of seven."""
    return 0.0 if number // DAY % 7 > 4 else day(number)


def past(load: Load, bins: int) -> Iterator[Bin]:
    for number in range(START - bins, START):
        yield Bin("rps", number * BIN_S, BIN_S, load(number), load(number))


def play(forecaster: Forecaster, load: Load, bins: int) -> tuple[float, list[Bin]]:
    """Observe so many bins once a minute. Returns the total, and the bins that ended."""
    total, ended = 0.0, []
    forecaster.observe(START * BIN_S, 0.0)
    for minute in range(1, bins * 5 + 1):
        total += load(START + (minute - 1) // 5) * 60
        ended.append(forecaster.observe(START * BIN_S + minute * 60, total))
    return total, [each for each in ended if each]


@pytest.mark.parametrize(
    ("load", "bins", "wrong"),
    [
        pytest.param(day, 2 * DAY, 0.02, id="two days are enough for a daily peak"),
        pytest.param(weekly, 4 * WEEK, 0.02, id="four weeks know the weekend"),
        pytest.param(lambda number: day(number) * (1 + 0.2 * (number >= START)), 7 * DAY, 0.3, id="a day on a higher level"),
    ],
)
def test_what_comes_again_is_forecast(load: Load, bins: int, wrong: float) -> None:
    forecaster = Forecaster("rps", AHEAD_S, past(load, bins))
    for hour in range(24):
        told = forecaster.forecast((START + 12 * hour) * BIN_S, AHEAD_S)
        assert told is not None
        assert told.load == pytest.approx(load(START + 12 * hour), rel=wrong, abs=2.0)


def test_the_error_is_that_of_forecasts_made_as_long_before_as_they_are_needed() -> None:
    exact = Forecaster("rps", AHEAD_S, past(day, 7 * DAY)).forecast(START * BIN_S, AHEAD_S)
    rng = random.Random(5)
    noise = Forecaster("rps", AHEAD_S, past(lambda _: rng.uniform(0, 100), 7 * DAY)).forecast(START * BIN_S, AHEAD_S)
    assert exact is not None
    assert noise is not None
    assert exact.error == pytest.approx(0.0, abs=0.01)
    assert noise.error is not None
    assert noise.error > 0.4


def test_without_an_earlier_day_there_is_no_forecast_and_with_few_no_error() -> None:
    assert Forecaster("rps", AHEAD_S, past(day, DAY // 2)).forecast(START * BIN_S, AHEAD_S) is None
    young = Forecaster("rps", AHEAD_S, past(day, DAY + 20)).forecast(START * BIN_S, AHEAD_S)
    assert young is not None
    assert young.error is None


def test_bins_end_with_their_mean_and_their_peak_and_are_what_a_restart_goes_on_with() -> None:
    forecaster = Forecaster("rps", AHEAD_S, past(day, 3 * DAY))
    _, ended = play(forecaster, day, 12)
    assert [each.start_s for each in ended] == [(START + number) * BIN_S for number in range(12)]
    assert [each.load for each in ended] == pytest.approx([day(START + number) for number in range(12)])
    again = Forecaster("rps", AHEAD_S, [*past(day, 3 * DAY), *ended])
    at_s = (START + 12) * BIN_S
    assert again.forecast(at_s, AHEAD_S) == forecaster.forecast(at_s, AHEAD_S)


def test_a_bin_of_which_little_was_seen_is_not_kept() -> None:
    forecaster = Forecaster("rps", AHEAD_S)
    assert forecaster.observe(START * BIN_S + 200, 0.0) is None
    assert forecaster.observe(START * BIN_S + 310, 1100.0) is None
    assert forecaster.observe(START * BIN_S + 1000, 5000.0) is None  # away for too long
    assert forecaster.observe(START * BIN_S + 1210, 9000.0) is None
    assert forecaster.observe(START * BIN_S + 1500, 12000.0) is not None


def test_what_is_kept_is_bounded() -> None:
    forecaster = Forecaster("rps", AHEAD_S, past(day, 2 * KEPT))
    play(forecaster, day, 2)
    assert len(forecaster._loads) <= KEPT


RULES = Rules(1, 50, (MetricRule(MetricType.RPS, 10.0),), forecast=ForecastRules())


def snapshot(load: float, forecast: Forecast | None) -> Snapshot:
    serving = tuple(ReplicaSample(f"r{n}", ReplicaState.READY, 1e6, {"rps": Sample(load / 3, load / 3)}) for n in range(3))
    return Snapshot(100.0, "shop", 3, serving, forecasts={"rps": forecast} if forecast else {})


@pytest.mark.parametrize(
    ("forecast", "desired", "says"),
    [
        pytest.param(
            Forecast(60.0, 90.0, 0.1), 6, "expected to be 60 in 90 s", id="a higher load to come raises the count ahead of it"
        ),
        pytest.param(Forecast(5.0, 90.0, 0.1), 3, "", id="a lower one to come never lowers it"),
        pytest.param(Forecast(80.0, 90.0, 0.31), 3, "", id="forecasts that are too wrong are not followed"),
        pytest.param(Forecast(80.0, 90.0, None), 3, "", id="nor are those of which nobody knows how wrong they are"),
        pytest.param(None, 3, "", id="no history, no forecast"),
    ],
)
def test_a_forecast_may_only_raise(forecast: Forecast | None, desired: int, says: str) -> None:
    decision, _ = decide(snapshot(30.0, forecast), RULES, Memory())
    assert decision.desired == desired
    assert says in decision.sentence


def test_why_a_forecast_is_not_followed_is_told() -> None:
    stage = raise_for_forecast(3, snapshot(30.0, Forecast(80.0, 90.0, 0.55)), RULES)
    assert stage.why == "forecasts are off by 55% on average, more than 30%, so they are not followed"
    assert raise_for_forecast(3, snapshot(30.0, None), replace(RULES, forecast=None)).why == "no forecast is asked for"


def test_a_service_is_forecast_by_what_counts_requests_and_only_where_it_is_asked_for() -> None:
    forecasts = Forecasts()
    forecasts.restore(past(day, 3 * DAY))
    totals = {"rps": 0.0, "concurrency": 0.0}
    assert forecasts.observe(START * BIN_S, totals, replace(RULES, forecast=None), None) == {}
    assert set(forecasts.observe(START * BIN_S, totals, RULES, 30.0)) == {"rps"}
    objective = Rules(1, 9, slo=Slo(0.3), forecast=ForecastRules())
    assert set(forecasts.observe(START * BIN_S + 1, totals, objective, None)) == set()


def test_a_daily_peak_finds_its_replicas_there_before_it_comes() -> None:
    """The load triples within five minutes at the same time each day; after three days its replicas are there when it does."""

    def load(number: int) -> float:
        return 60.0 if number % DAY >= DAY // 2 else 20.0

    forecaster = Forecaster("rps", 300.0, past(load, 3 * DAY))
    before = forecaster.forecast((START + DAY // 2) * BIN_S - 450, 300.0)
    ahead = forecaster.forecast((START + DAY // 2) * BIN_S - 60, 300.0)
    assert before is not None
    assert ahead is not None
    assert before.load == pytest.approx(20.0)
    assert decide(snapshot(20.0, ahead), RULES, Memory())[0].desired == 6
