"""One place that tells a signal's value, the service as a whole or one replica, and what is known from it."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from probes.signals.spec import SignalSpec, SignalType


class Reading(NamedTuple):
    """What a signal says at one moment. value: None where it says nothing that can be used; why: then, in words. age_s: since it was read
    or pushed, None before the first time."""

    value: float | None
    age_s: float | None
    why: str = ""


@dataclass(slots=True, eq=False)
class Source:
    """replica: "" where the service as a whole is told of. told_s: when the value was read or pushed. failing: why the last request gave
    none, or why no push counts any more; "" while all is well. news: set by every push."""

    service: str
    replica: str
    address: str
    spec: SignalSpec
    value: float = 0.0
    told_s: float | None = None
    failing: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pushed(self) -> bool:
        """Whether others come with the value, and nobody is asked."""
        return self.spec.type is SignalType.EXTERNAL

    def reading(self, now_s: float) -> Reading:
        """What it says at now_s."""
        if self.told_s is None:
            return Reading(None, None, self.failing or ("nothing was pushed yet" if self.pushed else "not read yet"))
        age_s = max(0.0, now_s - self.told_s)
        if age_s <= self.spec.stale_after_s:
            return Reading(self.value, age_s)
        how = "pushed" if self.pushed else "read"
        last = f"; {self.failing}" if self.failing and not self.pushed else ""
        return Reading(None, age_s, f"the last value was {how} {age_s:.0f} s ago{last}")


def alike(one: SignalSpec, other: SignalSpec) -> bool:
    """Whether both tell the same number: how often it is asked for, and how long it counts, make no difference."""
    return one == replace(other, interval_s=one.interval_s, timeout_s=one.timeout_s, stale_after_s=one.stale_after_s)
