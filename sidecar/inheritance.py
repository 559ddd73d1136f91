"""What proxies go on with when their autoscaler was started again, until it knows better.

Replicas that were READY in the table that the proxies have stay so until the engine has said what is there, and then until the probes
have: an autoscaler that begins must not take away replicas only because it has not looked yet. Pure; times are CLOCK_MONOTONIC seconds.
"""

from collections.abc import Sequence
from dataclasses import replace

from balancer.table import ReplicaEntry, ReplicaState, ServiceEntry

LONGEST_S = 10.0  # for which replicas that the engine lists are believed in; a probe's first verdict takes a second or two


class Inheritance:
    """One service's. former: its entry in the table that was found; None: there was none, and nothing is inherited.

    ready_at_s: since when its replicas were READY.
    """

    def __init__(self, former: ServiceEntry | None, now_s: float) -> None:
        self._ready = {_key(entry): entry for entry in former.replicas if entry.state is ReplicaState.READY} if former else {}
        self._until_s = now_s + LONGEST_S
        self.ready_at_s = {entry.id: entry.ready_at_s for entry in self._ready.values()}

    def ended(self, known: bool, now_s: float) -> bool:
        """Whether it ends now, which is said once. known: the engine has said what is there."""
        if not known:
            self._until_s = now_s + LONGEST_S
        over = bool(self._ready) and now_s >= self._until_s
        if over:
            self._ready = {}
        return over

    def shown(self, entries: Sequence[ReplicaEntry], known: bool) -> tuple[ReplicaEntry, ...]:
        """A service's replicas as they belong into the routing table. entries: as this program knows them."""
        if not known or not entries:
            return tuple(self._ready.values()) or tuple(entries)
        return tuple(self._believed(entry) for entry in entries)

    def _believed(self, entry: ReplicaEntry) -> ReplicaEntry:
        inherited = entry.state is ReplicaState.STARTING and _key(entry) in self._ready
        return replace(entry, state=ReplicaState.READY, ready_at_s=self.ready_at_s[entry.id]) if inherited else entry


def _key(entry: ReplicaEntry) -> tuple[str, int, str]:
    return entry.id, entry.slot, entry.address
