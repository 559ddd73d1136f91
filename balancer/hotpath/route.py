"""Which service a request is for: by Host, then by the longest path prefix.

Invariants: a prefix matches whole segments ("/api" matches "/api" and "/api/x", not "/apix"), as in a Kubernetes Ingress; an exact
Host comes before a wildcard, a longer wildcard before a shorter one, any Host last, and a path that none of a Host's routes has is
looked for in the next. `*.example.com` is any name below example.com, however deep. No I/O.
"""

from balancer.hotpath.service import Service


class Router:
    """The routes of one routing table."""

    def __init__(self, routes: list[tuple[bytes, bytes, Service]]) -> None:
        """routes: (host, path, service); host b"" is any, b"*.example.com" a wildcard."""
        self.exact: dict[bytes, list[tuple[bytes, Service]]] = {}
        self.below: dict[bytes, list[tuple[bytes, Service]]] = {}
        self.default: list[tuple[bytes, Service]] = []
        for host, path, service in routes:
            self._rules_for(host.lower()).append((path.rstrip(b"/") or b"/", service))
        for rules in (*self.exact.values(), *self.below.values(), self.default):
            rules.sort(key=_longest_first)

    def _rules_for(self, host: bytes) -> list[tuple[bytes, Service]]:
        if not host:
            return self.default
        if host[:2] == b"*.":
            return self.below.setdefault(host[1:], [])
        return self.exact.setdefault(host, [])

    def match(self, host: bytes, target: bytes) -> Service | None:
        """The service for a Host (lower case, no port) and a request target in origin-form, or None."""
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


def longest_prefix(rules: list[tuple[bytes, Service]], target: bytes) -> Service | None:
    """The service of the first rule that matches; rules stand with the longest path first."""
    for rule in rules:
        path = rule[0]
        size = len(path)
        if size == 1:  # "/", which also takes "*"
            return rule[1]
        if target.startswith(path) and (len(target) == size or target[size : size + 1] in (b"/", b"?")):
            return rule[1]
    return None


def _longest_first(rule: tuple[bytes, Service]) -> int:
    return -len(rule[0])
