"""From what one replica carried to what to write under `services`."""

import math
from dataclasses import dataclass

from sidecar.bench.objective import Objective

UTILIZATION = 0.7  # room for what comes while a new replica starts; that of the default rule
DEVIATIONS = 3  # N independent requests on average are more than N + 3 sqrt(N) in three moments of a thousand (Poisson)


@dataclass(frozen=True, slots=True)
class Rule:
    """target: requests at once that one replica carries. max_concurrency: the most of them that it should get."""

    target: float
    max_concurrency: int
    objective: Objective | None = None


def rule_for(in_flight: float, objective: Objective | None = None) -> Rule:
    """From the mean number of requests in each replica at the knee, or at the highest rate that meets the objective."""
    target = max(0.01, float(f"{in_flight:.2g}"))
    return Rule(target, math.ceil(target + DEVIATIONS * math.sqrt(target)), objective)


def as_yaml(service: str, rule: Rule) -> list[str]:
    """Lines to paste; a service's own keys go beside them."""
    lines = [
        "services:",
        f"  {service}:",
        f"    balance: {{max_concurrency: {rule.max_concurrency}}}",
        "    autoscale:",
        "      metrics:",
        f"        - {{type: concurrency, target: {rule.target:g}, target_utilization: {UTILIZATION:.0%}}}",
    ]
    if rule.objective:
        percentile, limit = rule.objective.quantile.removeprefix("p"), rule.objective.text
        lines.append(f"        - {{type: latency, percentile: {percentile}, target: {limit}}}")
    return lines
