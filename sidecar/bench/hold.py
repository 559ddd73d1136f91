"""Keeps a service's number of replicas as it is while a load goes to it, and gives it back to its autoscaler, whatever happens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sidecar.client import Client, Refused, Unreachable

WAIT_S = 60.0  # for as many replicas as are held to be READY
LOOK_EVERY_S = 0.2


class NoReplica(Exception):  # noqa: N818 - said in words, not a fault of the program
    """No replica of the service is READY, and none became so."""


def can_hold(service: dict[str, Any]) -> bool:
    """Whether an autoscaler could change the count meanwhile; one that is held by hand, or only thinks aloud, cannot."""
    return bool(service["scalable"] and not service["dry_run"] and service["override"] is None)


@contextmanager
def held(api: Client, service: dict[str, Any], say: Callable[[str], None]) -> Iterator[None]:
    """For as long as this is open. Raises Refused, Unreachable."""
    name = service["name"]
    count = min(max(service["ready"], service["min_replicas"], 1), service["max_replicas"])
    say(f"{name} is held at {count} replica{'' if count == 1 else 's'} until the end, then scaled by its rules again")
    try:
        api.post(f"/api/services/{name}/scale", {"replicas": count})
        yield
    finally:
        _give_back(api, name, say)


def _give_back(api: Client, name: str, say: Callable[[str], None]) -> None:
    try:
        api.post(f"/api/services/{name}/scale", {"replicas": "auto"})
    except (Refused, Unreachable) as error:
        say(f"{name} may still be held: {error}; `ecluse scale {name} auto` gives it back to its autoscaler")


class Replicas:
    """How many replicas of a service are READY, from step to step."""

    def __init__(self, api: Client, name: str, say: Callable[[str], None]) -> None:
        self._api = api
        self._name = name
        self._say = say
        self._last = 0

    def ready(self, stopped: Callable[[], bool]) -> int:
        """Once all that are held are READY, or after WAIT_S. What was known last serves while the admin API does not answer.

        Raises NoReplica; Refused and Unreachable where nothing is known yet.
        """
        try:
            self._last = self._wait(stopped)
        except (Refused, Unreachable) as error:
            if not self._last:
                raise
            self._say(f"taking {self._last} for the number of ready replicas: {error}")
        return self._last

    def _wait(self, stopped: Callable[[], bool]) -> int:
        end = time.monotonic() + WAIT_S
        while True:
            service = self._api.get(f"/api/services/{self._name}")
            ready = int(service["ready"])
            late = time.monotonic() > end
            if late and not ready:
                raise NoReplica(f"no replica of {self._name} became ready within {WAIT_S:g} s; see `ecluse status {self._name}`")
            if late or stopped() or ready >= max(1, service["override"] or 0):
                return ready
            time.sleep(LOOK_EVERY_S)
