"""Requests that are held while no replica is READY, in the order in which they came: at most so many, and none for longer than allowed."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Party:
    """Requests that came together."""

    at_s: float
    requests: float


class Lobby:
    """most, timeout_s: the service's max_held and wake_timeout."""

    def __init__(self, most: int, timeout_s: float) -> None:
        self.requests = 0.0
        self._most, self._timeout_s = most, timeout_s
        self._parties: deque[Party] = deque()

    def enter(self, now_s: float, requests: float) -> float:
        """Hold them as far as there is room. Returns how many were refused."""
        held = min(requests, max(0.0, self._most - self.requests))
        if held:
            self._parties.append(Party(now_s, held))
            self.requests += held
        return requests - held

    def give_up(self, now_s: float) -> float:
        """How many have waited for too long, and are gone."""
        lost = 0.0
        while self._parties and self._parties[0].at_s <= now_s - self._timeout_s:
            lost += self._parties.popleft().requests
        self.requests -= lost
        return lost

    def leave(self) -> list[Party]:
        """All of them: there is a replica."""
        parties, self.requests = list(self._parties), 0.0
        self._parties.clear()
        return parties
