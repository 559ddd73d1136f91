"""A decision as JSON, with all that explains it: what `explain` prints, what the state keeps, what the admin API gives."""

from dataclasses import asdict
from typing import Any

from autoscaler.conditions import conditions
from autoscaler.decision import Decision, name_of


def as_json(decision: Decision) -> dict[str, Any]:
    """Metrics by name, with `reason`, `sentence` and the HPA's `conditions` beside what they are made from."""
    recommended = [{**each._asdict(), "metric": name_of(each.metric)} for each in decision.recommended]
    stages = [stage._asdict() for stage in decision.stages]
    told = [{name: value for name, value in asdict(each).items() if name != "since_s"} for each in conditions(decision)]
    made = {"reason": decision.reason, "sentence": decision.sentence, "conditions": told}
    return {**asdict(decision), "recommended": recommended, "stages": stages, **made}
