"""Round numbers and round times to write beside an axis. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

TIMES_S: Final = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    604_800,
    2_419_200,
)
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Axis:
    """From low to high, drawn from `begin` to `end`."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Where it stands."""
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)


def rounded_up(value: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten, not below the value."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(digit * power for digit in (1, 2, 2.5, 5, 10) if digit * power >= value * (1 - 1e-9))


def numbers(high: float, most: int) -> list[float]:
    """At most so many round numbers from 0 to `high`, evenly apart."""
    step = rounded_up(high / (most - 1)) if high > 0 else 1.0
    return [step * number for number in range(int(high / step + 1e-9) + 1)]


def times(start_s: float, length_s: float, most: int) -> list[tuple[float, str]]:
    """At most so many round moments (seconds since the epoch, in UTC) within a length of time, each as it is written."""
    step = next((step for step in TIMES_S if length_s / step <= most), TIMES_S[-1])
    first = math.ceil(start_s / step) * step
    moments: Sequence[float] = [first + step * number for number in range(int((start_s + length_s - first) // step) + 1)]
    return [(at_s, _written(at_s, step)) for at_s in moments]


def _written(at_s: float, step: int) -> str:
    form = "%b %d" if step >= DAY_S else "%H:%M" if step >= 60 else "%H:%M:%S"
    if step < DAY_S and at_s % DAY_S == 0:
        form = "%b %d"
    return datetime.fromtimestamp(at_s, UTC).strftime(form)
