"""Who may ask the admin API for what: decided from the request's head alone, before any handler sees it.

- A token, where one is set; `listener` refuses to listen beyond loopback without one.
- Without the token, Host must name this machine's loopback, the listening address or one of `admin.hosts`, so that a page whose name
  was pointed at our address (DNS rebinding) is refused. Whoever knows the token is no such page: then any Host will do.
- No page of another origin gets anything (Origin, Sec-Fetch-Site), read or written, but a link to here may be followed. What changes
  something must also say it is JSON, which a form cannot. There are no CORS fields: nothing of ours is meant for other pages.
- /healthz and /readyz need no token: they say which services are not ready and no more. Those who ask (kubelet, Docker) name an address
  as Host, or nothing; a name that is not ours is refused here too.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sidecar.admin.problem import Problem

OPEN = frozenset({"/healthz", "/readyz"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CAREFUL = (
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)

_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<other>[^\[\]:/@\s]*))(?::[0-9]*)?", re.IGNORECASE)

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Gate:
    """address: what the API listens on, as in the configuration but without the port. token: "" is none.

    hosts: other names and addresses that it is known by, in lower case.
    """

    address: str
    token: str
    hosts: frozenset[str] = frozenset()

    def refusal(self, method: str, path: str, fields: Mapping[str, str]) -> Problem | None:
        """Why the request is refused, None if it is not. fields: names in lower case."""
        return self._stranger(method, path, fields) or _foreign(method, fields) or (None if method in SAFE else _formed(fields))

    def _stranger(self, method: str, path: str, fields: Mapping[str, str]) -> Problem | None:
        if self.token and _has_token(fields.get("authorization", ""), self.token):
            return None
        is_open = path in OPEN and method in SAFE
        name = host_name(fields.get("host", ""))
        if not (self._is_own(name) or (is_open and _is_no_name(name, fields))):
            return Problem(421, "wrong_host", f"Host {name!r} is not this API's; admin.hosts can name it{self._or_token()}")
        if self.token and not is_open:
            return Problem(401, "unauthorized", "send the admin token: Authorization: Bearer TOKEN (ecluse reads ECLUSE_TOKEN)")
        return None

    def _or_token(self) -> str:
        return ", and with the admin token any will do" if self.token else ""

    def _is_own(self, name: str) -> bool:
        return is_loopback(name) or name in self.hosts or _covers(self.address, name)


def _foreign(method: str, fields: Mapping[str, str]) -> Problem | None:
    site = fields.get("sec-fetch-site", "none")
    if site not in {"none", "same-origin"} and not (method in SAFE and _follows_link(fields)):
        return Problem(403, "cross_origin", "a page of another origin gets nothing here")
    origin = fields.get("origin")
    if origin is not None and origin not in {f"{scheme}://{fields.get('host', '')}" for scheme in ("http", "https")}:
        return Problem(403, "cross_origin", f"a page of {origin} gets nothing here")
    return None


def _follows_link(fields: Mapping[str, str]) -> bool:
    """Whether the answer becomes a page of its own, of which the page with the link sees nothing (Fetch Metadata, section 2)."""
    return fields.get("sec-fetch-mode") == "navigate" and fields.get("sec-fetch-dest") == "document"


def _formed(fields: Mapping[str, str]) -> Problem | None:
    if fields.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return Problem(415, "not_json", "send Content-Type: application/json")
    return None


def _has_token(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), token.encode())


def host_name(field: str) -> str:
    """The name or address in a Host field, without port and brackets, in lower case; "" where it is neither."""
    parts = _HOST.fullmatch(field)
    return (parts["six"] or parts["other"]).rstrip(".").lower() if parts else ""


def is_loopback(name: str) -> bool:
    """Whether a name or address can only mean this machine."""
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def _covers(listening: str, name: str) -> bool:
    """Whether `name` is an address that is listened on. To any address (0.0.0.0, ::) all are: only names can be rebound."""
    own, address = _address(listening), _address(name)
    return own is not None and address is not None and (own.is_unspecified or own == address)


def _is_no_name(name: str, fields: Mapping[str, str]) -> bool:
    """An address, or no Host at all (HTTP/1.0), which no browser sends."""
    return _address(name) is not None or "host" not in fields


def _address(name: str) -> Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


class Guard:
    """The gate as ASGI middleware."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._gate.refusal(scope["method"], scope["path"], Headers(scope=scope))
        app = refusal.response() if refusal else self._app
        await app(scope, receive, send)
