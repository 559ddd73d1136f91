"""Which service a request is for: by Host, then by the longest path prefix.

Invariants: a prefix matches whole segments ("/api" matches "/api" and "/api/x", not "/apix"), as in a Kubernetes Ingress; an exact
Host comes before a wildcard, a longer wildcard before a shorter one, any Host last, and a path that none of a Host's routes has is
looked for in the next. `*.example.com` is any name below example.com, however deep. A path that others may read in another way than
it stands there leads somewhere only if every reading leads to the same route (`paths.py`). No I/O.
"""

from balancer.hotpath.meter import Rate
from balancer.hotpath.paths import READ_MOST, is_plain, path_of, readings
from balancer.hotpath.service import NORMAL, Service


class Route:
    """Where requests go, and what they keep to on the way.

    service: None for a path that cannot be read in one way. body_most: octets of a request's body; 0: no limit of its own.
    guarded: there is more to look at than the service.
    """

    def __init__(self, service: Service | None, priority: int = NORMAL, body_most: int = 0, rates: tuple[Rate, ...] = ()) -> None:
        self.service = service
        self.priority = priority
        self.body_most = body_most
        self.rates = rates
        self.guarded = service is None or body_most > 0 or len(rates) > 0


AMBIGUOUS = Route(None)


class Router:
    """The routes of one routing table."""

    def __init__(self, routes: list[tuple[bytes, bytes, Route]]) -> None:
        """routes: (host, path, route); host b"" is any, b"*.example.com" a wildcard."""
        self.exact: dict[bytes, list[tuple[bytes, Route]]] = {}
        self.below: dict[bytes, list[tuple[bytes, Route]]] = {}
        self.default: list[tuple[bytes, Route]] = []
        self.by_path = False  # whether the path decides anything
        for host, path, route in routes:
            prefix = path.rstrip(b"/") or b"/"
            self.by_path = self.by_path or prefix != b"/"
            self._rules_for(host.lower()).append((prefix, route))
        for rules in (*self.exact.values(), *self.below.values(), self.default):
            rules.sort(key=_longest_first)

    def _rules_for(self, host: bytes) -> list[tuple[bytes, Route]]:
        if not host:
            return self.default
        if host[:2] == b"*.":
            return self.below.setdefault(host[1:], [])
        return self.exact.setdefault(host, [])

    def match(self, host: bytes, target: bytes) -> Route | None:
        """The route for a Host (lower case, no port) and a request target in origin-form; None: there is none."""
        if self.by_path and not is_plain(path_of(target)):
            return self.match_every_reading(host, path_of(target))
        return self.match_as_it_stands(host, target)

    def match_every_reading(self, host: bytes, path: bytes) -> Route | None:
        """The route to which the path leads however it is read; AMBIGUOUS if that is not one."""
        if len(path) > READ_MOST:
            return AMBIGUOUS
        found = {self.match_as_it_stands(host, reading) for reading in readings(path)}
        return found.pop() if len(found) == 1 else AMBIGUOUS

    def match_as_it_stands(self, host: bytes, target: bytes) -> Route | None:
        """The same for a path that is read in one way only."""
        if self.exact:
            rules = self.exact.get(host)
            if rules is not None:
                found = longest_prefix(rules, target)
                if found is not None:
                    return found
        if self.below:
            dot = host.find(b".")
            while dot >= 0:
                rules = self.below.get(host[dot:])
                if rules is not None:
                    found = longest_prefix(rules, target)
                    if found is not None:
                        return found
                dot = host.find(b".", dot + 1)
        return longest_prefix(self.default, target)


def longest_prefix(rules: list[tuple[bytes, Route]], target: bytes) -> Route | None:
    """The route of the first rule that matches; rules stand with the longest path first."""
    for rule in rules:
        path = rule[0]
        size = len(path)
        if size == 1:  # "/", which also takes "*"
            return rule[1]
        if target.startswith(path) and (len(target) == size or target[size : size + 1] in (b"/", b"?")):
            return rule[1]
    return None


def _longest_first(rule: tuple[bytes, Route]) -> int:
    return -len(rule[0])
