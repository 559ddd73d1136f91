"""When a crashed instance is started again: delays that grow, and forget. Pure: no clock, no randomness of its own."""

from dataclasses import dataclass

_DOUBLINGS = 30  # beyond which doubling cannot matter


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Delays of first_s, twice that, and so on up to longest_s, each up to `jitter` (a share) shorter.

    settled_s: who ran for so long begins anew. loop_after: crashes in a row that make a crash loop.
    """

    first_s: float = 1.0
    longest_s: float = 60.0
    jitter: float = 0.2
    settled_s: float = 60.0
    loop_after: int = 3


@dataclass(frozen=True, slots=True)
class Crashes:
    """Crashes in a row, none of them after a settled run, and when the first one was."""

    count: int = 0
    first_at_s: float = 0.0


def after_crash(crashes: Crashes, policy: RestartPolicy, ran_s: float, now_s: float) -> Crashes:
    """One more, after a run of ran_s."""
    if crashes.count == 0 or ran_s >= policy.settled_s:
        return Crashes(1, now_s)
    return Crashes(crashes.count + 1, crashes.first_at_s)


def delay_s(crashes: Crashes, policy: RestartPolicy, random: float) -> float:
    """How long to wait before the next start. random: from 0 to 1."""
    doublings = min(crashes.count - 1, _DOUBLINGS)
    return min(policy.longest_s, policy.first_s * 2.0**doublings) * (1 - policy.jitter * random)
