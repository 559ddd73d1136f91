"""Rows of the result and the goals they are held against. Data only; the arithmetic is in `ratios.py`."""

from dataclasses import dataclass

REFERENCES = ("nginx", "haproxy")
BETTER = "the better"  # of the two references, in the same round
ITSELF = ""  # the figure as it stands


@dataclass(frozen=True, slots=True)
class Goal:
    """What `peer` has to reach against another peer, the better reference or nothing but the bound."""

    peer: str
    bound: float
    against: str = BETTER
    at_most: bool = False

    def met_by(self, compared: float) -> bool:
        """Whether a comparison is good enough, to the two decimals that are printed."""
        value = round(compared, 2)
        return value <= self.bound if self.at_most else value >= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One row. against: what its printed comparison refers to. difference: compare by subtraction, for figures that may be 0."""

    name: str
    meaning: str
    unit: str
    goals: tuple[Goal, ...] = ()
    against: str = BETTER
    difference: bool = False
