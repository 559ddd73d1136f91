"""Which processor cores the proxy, the load and the origin run on, so that they do not push each other about."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """One core for the proxy, and those of the others. pair: for two workers; it overlaps with the others where cores are few."""

    proxy: tuple[int, ...]
    load: tuple[int, ...]
    origin: tuple[int, ...]
    pair: tuple[int, ...]


def share_out(available: list[int]) -> Cores:
    """Of at least one core. The proxy has one to itself if there are two; origin and load share the other one."""
    first, second, *others = available * 2 if len(available) == 1 else available
    load, origin = (others[0], others[1]) if len(others) > 1 else (second, second)
    return Cores((first,), (load,), (origin,), (first, second) if len(others) > 1 else tuple(dict.fromkeys((first, second))))


def of_this_machine() -> Cores:
    """Those that this process may use."""
    return share_out(sorted(os.sched_getaffinity(0)))
