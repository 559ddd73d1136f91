"""The forecasts of one service: one for each metric that counts requests, and only while its rules ask for them.

The horizon is the rules' own, or as long as a replica takes to start and LEAST_AHEAD_S, so that what is raised is there in time.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from autoscaler.forecaster import Forecaster
from autoscaler.rules import REQUESTS, MetricType, Rules
from autoscaler.season import Bin
from autoscaler.snapshot import Forecast

START_S: Final = 30.0  # a replica's start-up time while it is unknown
LEAST_AHEAD_S: Final = 60.0


class Forecasts:
    """Empty and free of cost while `rules.forecast` is None."""

    def __init__(self) -> None:
        self._bins: dict[str, list[Bin]] = {}
        self._forecasters: dict[str, Forecaster] = {}
        self._ended: list[Bin] = []

    def restore(self, bins: Iterable[Bin]) -> None:
        """What is known of the past; at any time, since whoever keeps it may take a while to tell."""
        for bin_ in bins:
            self._bins.setdefault(bin_.metric, []).append(bin_)
            self._forecasters.pop(bin_.metric, None)

    def observe(self, wall_s: float, totals: Mapping[str, float], rules: Rules, start_s: float | None) -> dict[str, Forecast]:
        """What is to be expected now. totals: by metric, as `Forecaster.observe` takes them."""
        if rules.forecast is None:
            self._forecasters.clear()
            return {}
        horizon_s = rules.forecast.horizon_s or (start_s or START_S) + LEAST_AHEAD_S
        told = {metric: self._told(metric, wall_s, totals[metric], horizon_s) for metric in counted(rules)}
        return {metric: forecast for metric, forecast in told.items() if forecast is not None}

    def take_ended(self) -> list[Bin]:
        """The bins that have ended since the last call, to be kept."""
        ended, self._ended = self._ended, []
        return ended

    def _told(self, metric: str, wall_s: float, total: float, horizon_s: float) -> Forecast | None:
        forecaster = self._forecasters.get(metric)
        if forecaster is None:
            forecaster = self._forecasters[metric] = Forecaster(metric, horizon_s, self._bins.pop(metric, ()))
        ended = forecaster.observe(wall_s, total)
        if ended is not None:
            self._ended.append(ended)
        return forecaster.forecast(wall_s, horizon_s)


def counted(rules: Rules) -> set[str]:
    """The metrics that are forecast: those that count requests as they come, also where an objective decides what a replica carries."""
    metrics = {metric.key for metric in rules.metrics if metric.type in REQUESTS}
    return metrics | ({MetricType.CONCURRENCY.value} if rules.slo else set())
