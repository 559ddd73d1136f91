"""Who may ask the admin API for what: decided from the request's head alone, before any handler sees it.

- A token, where one is set; `listener` refuses to listen beyond loopback without one.
- Without a token, Host must name this machine's loopback or the listening address, so that a page whose name was pointed at
  127.0.0.1 (DNS rebinding) is refused. Whoever knows the token is no such page: then any Host will do.
- What changes something must not come from another site's page (Origin, Sec-Fetch-Site), and must say it is JSON, which a form
  cannot.
- /healthz and /readyz are open: they say which services are not ready and no more, and those who ask (kubelet, Docker) have neither
  token nor name.
"""

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sidecar.admin.problem import Problem

OPEN = frozenset({"/healthz", "/readyz"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CAREFUL = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


@dataclass(frozen=True, slots=True)
class Gate:
    """address: what the API listens on, as in the configuration but without the port. token: "" is none."""

    address: str
    token: str

    def refusal(self, method: str, path: str, fields: Mapping[str, str]) -> Problem | None:
        """Why the request is refused, None if it is not. fields: names in lower case."""
        if path in OPEN and method in SAFE:
            return None
        return self._stranger(fields) or (None if method in SAFE else _foreign(fields))

    def _stranger(self, fields: Mapping[str, str]) -> Problem | None:
        if self.token:
            if _has_token(fields.get("authorization", ""), self.token):
                return None
            return Problem(401, "unauthorized", "send the admin token: Authorization: Bearer TOKEN (ecluse reads ECLUSE_TOKEN)")
        name = host_name(fields.get("host", ""))
        if is_loopback(name) or name == self.address:
            return None
        return Problem(421, "wrong_host", f"Host {name!r} is not this API's; without a token it answers to localhost only")


def _foreign(fields: Mapping[str, str]) -> Problem | None:
    if fields.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return Problem(403, "cross_origin", "a page of another origin may not change anything here")
    origin = fields.get("origin")
    if origin is not None and origin not in {f"{scheme}://{fields.get('host', '')}" for scheme in ("http", "https")}:
        return Problem(403, "cross_origin", f"a page of {origin} may not change anything here")
    if fields.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return Problem(415, "not_json", "send Content-Type: application/json")
    return None


def _has_token(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), token.encode())


def host_name(field: str) -> str:
    """The name or address in a Host field, without port and brackets, in lower case."""
    if field.startswith("["):
        return field[1:].partition("]")[0].lower()
    return field.partition(":")[0].rstrip(".").lower()


def is_loopback(name: str) -> bool:
    """Whether a name or address can only mean this machine."""
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Guard:
    """The gate as ASGI middleware; it also marks every answer as not to be stored or sniffed."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._gate.refusal(scope["method"], scope["path"], Headers(scope=scope))
        app = refusal.response() if refusal else self._app
        await app(scope, receive, _careful(send))


def _careful(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *CAREFUL]
        await send(message)

    return sending
