"""The octets of the one request that a load repeats."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from balancer.hotpath.head import IDEMPOTENT, is_method

_FIELD = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e]*)")
_OURS = frozenset({"content-length", "transfer-encoding"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})  # an empty body is said too: RFC 9110 section 8.6
USUAL = (("user-agent", "User-Agent: ecluse-bench"), ("accept", "Accept: */*"))


@dataclass(frozen=True, slots=True)
class Request:
    """One request. repeatable: it may be sent again on another connection. bodiless: no answer to it has a body."""

    octets: bytes
    repeatable: bool
    bodiless: bool


def build(authority: str, path: str, method: str = "GET", fields: Sequence[str] = (), body: bytes = b"") -> Request:
    """fields: "Name: value" each; instead of our own of the same name. Raises ValueError."""
    if not is_method(method.encode()):
        raise ValueError(f"{method!r} is not a method such as GET or POST")
    given = [_line(field) for field in fields]
    names = {name for name, _ in given}
    usual = [(name, line) for name, line in (("host", f"Host: {authority}"), *USUAL) if name not in names]
    length = [("", f"Content-Length: {len(body)}")] if body or method in _WITH_BODY else []
    lines = "".join(f"{line}\r\n" for _, line in (*usual, *given, *length))
    head = f"{method} {path} HTTP/1.1\r\n{lines}\r\n"
    return Request(head.encode("ascii") + body, method.encode() in IDEMPOTENT, method == "HEAD")


def _line(field: str) -> tuple[str, str]:
    parts = _FIELD.fullmatch(field)
    if not parts:
        raise ValueError(f"{field!r} is not a header field such as 'Accept: text/html', in ASCII")
    name, value = parts.groups()
    if name.lower() in _OURS:
        raise ValueError(f"{name} follows from the body and cannot be given")
    return name.lower(), f"{name}: {value.strip()}"
