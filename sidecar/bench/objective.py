"""What the application should keep: "p95 under 300ms"."""

import re
from dataclasses import dataclass

from sidecar.bench.step import Step
from sidecar.load.tally import SHARES

_FORM = re.compile(r"(p[0-9.]+)\s*(?:under|below|<=?)\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Objective:
    """quantile: "p95". text: the limit as it was written."""

    quantile: str
    limit_s: float
    text: str

    def met_by(self, step: Step) -> bool:
        """Whether the step kept it."""
        return step.latency_s(self.quantile) <= self.limit_s

    def __str__(self) -> str:
        return f"{self.quantile} under {self.text}"


def parse(text: str) -> Objective:
    """Raises ValueError, in words."""
    from sidecar.configuration.quantities import duration  # noqa: PLC0415 - pydantic comes with it; other commands do without

    parts = _FORM.fullmatch(text.strip())
    if not parts or parts[1] not in SHARES:
        raise ValueError(f"{text!r} is not an objective such as 'p95 under 300ms', with one of {', '.join(SHARES)}")
    return Objective(parts[1], duration(parts[2]), parts[2])
