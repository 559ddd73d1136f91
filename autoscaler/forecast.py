"""Raising replicas ahead of what the service's own history says is coming; never lowering them.

A forecast is followed while its measured error is within `error_limit`, so it switches itself off when it is wrong, and on again when it
is right. It asks for what the load then needs by the same targets as the load now.
"""

from autoscaler.decision import Stage, name_of, number
from autoscaler.ratio import replicas_for
from autoscaler.rules import REQUESTS, ForecastRules, MetricRule, Rules
from autoscaler.snapshot import Forecast, Snapshot


def raise_for_forecast(count: int, snapshot: Snapshot, rules: Rules) -> Stage:
    """The count, raised to what the forecast asks for."""
    if rules.forecast is None:
        return Stage("forecast", count, count, "steady", "no forecast is asked for")
    metrics = [metric for metric in rules.metrics if metric.type in REQUESTS and metric.key in snapshot.forecasts]
    told = [_ask(metric, snapshot.forecasts[metric.key], rules.forecast) for metric in metrics]
    if not told:
        return Stage("forecast", count, count, "steady", "the history is too short for a forecast")
    needed, why = max(told)
    if needed > count:
        return Stage("forecast", count, needed, "forecast", why)
    return Stage("forecast", count, count, "steady", why)


def _ask(metric: MetricRule, forecast: Forecast, rules: ForecastRules) -> tuple[int, str]:
    """(replicas, why); 0 replicas where it is not followed."""
    if forecast.error is None:
        return 0, "there are too few forecasts to tell how wrong they are, so they are not followed"
    if forecast.error > rules.error_limit:
        return (
            0,
            f"forecasts are off by {forecast.error:.0%} on average, more than {rules.error_limit:.0%}, so they are not followed",
        )
    needed = replicas_for(forecast.load, metric.effective_target)
    told = f"{name_of(metric)} is expected to be {number(forecast.load)} in {forecast.horizon_s:.0f} s"
    return needed, f"{told} (such forecasts are off by {forecast.error:.0%} on average): {needed} needed"
