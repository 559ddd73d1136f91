"""Free TCP ports on 127.0.0.1 for instances.

They lie below Linux's default range of ephemeral ports (32768 to 60999): from there the workers' own connections to replicas take
their source ports, thousands of which may be in TIME_WAIT, and any of them could take a port between its choice and its use.
"""

import random
import socket
from collections import deque

from autoscaler.cluster.engine import EngineError

FIRST, LAST = 20_000, 32_767
REMEMBERED = 4096  # ports given last, not given again: what started may not listen yet
TRIES = 1000


class Ports:
    """Gives ports, one each."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._recent: deque[int] = deque(maxlen=REMEMBERED)

    def take(self) -> int:
        """A port that is free and was not given lately. Raises EngineError."""
        for _ in range(TRIES):
            port = self._rng.randint(FIRST, LAST)
            if port not in self._recent and _is_free(port):
                self._recent.append(port)
                return port
        raise EngineError(f"no free port for a replica from {FIRST} to {LAST} in {TRIES} tries; see what listens there: ss -ltn")


def _is_free(port: int) -> bool:
    """Whether it could be bound on every address, so that the application may choose its own."""
    dual = socket.has_dualstack_ipv6()
    with socket.socket(socket.AF_INET6 if dual else socket.AF_INET) as sock:
        if dual:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            sock.bind(("", port))
        except OSError:
            return False
        return True
