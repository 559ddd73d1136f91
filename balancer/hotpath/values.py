"""The values of the fields that a proxy must understand, read strictly: lengths, codings, connection options, authorities.

Invariants: a value that two parsers could read differently is refused; no I/O, and no state but a bounded memo of authorities.
"""

import re
import socket

from balancer.hotpath.head import TCHAR, Refusal

_AUTHORITY = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[0-9A-Za-z._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?")
_PROTOCOL = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?")  # RFC 9110 section 7.8

HOP_BY_HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade"))
FORWARDED = frozenset((b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"))
# Fields that some applications cannot tell from those above when "_" stands for "-" (CGI names them alike).
LOOKALIKES = HOP_BY_HOP | FORWARDED | {b"host", b"content-length", b"via", b"expect"}
# What `Connection` may never name: fields meant for the replica, which a client could so have removed on the way.
END_TO_END = FORWARDED | {
    b"host", b"content-length", b"content-type", b"content-encoding", b"transfer-encoding", b"via", b"expect", b"date",
    b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"cache-control", b"max-forwards", b"trailer", b"range",
}  # fmt: skip
NAMES_MOST = 1024  # authorities whose names are remembered; the head's limit bounds their length
_names: dict[bytes, bytes] = {}
_CARRIERS = frozenset((b"h2c", b"h2", b"http", b"tls"))  # upgraded to one of these, a connection carries requests past routing
_USUAL_OPTIONS = {
    value: frozenset((value.lower(),)) for value in (b"keep-alive", b"Keep-Alive", b"close", b"Close", b"Upgrade", b"upgrade")
}
LENGTH_DIGITS = 18  # of a Content-Length: below 2**63, so no parser overflows where another does not


def parse_options(value: bytes, is_request: bool) -> frozenset[bytes]:
    """The connection options in lower case. Raises Refusal 400 if one is no token or names a field meant for the replica."""
    usual = _USUAL_OPTIONS.get(value)
    if usual is not None:
        return usual
    options = frozenset(split_list(value.lower()))
    for option in options:
        if option.translate(None, TCHAR):
            raise Refusal(400, "a connection option is not a token")
    if is_request and not options.isdisjoint(END_TO_END):
        raise Refusal(400, "Connection names a field that is meant for the replica")
    return options - END_TO_END


def split_list(value: bytes) -> list[bytes]:
    """The members of a list that are not empty, RFC 9110 section 5.6.1."""
    return [member for member in (part.strip(b" \t") for part in value.split(b",")) if member]


def parse_upgrade(value: bytes) -> bytes:
    """The protocols of an Upgrade field that may be offered to the replica; what is malformed is no offer."""
    offers = [offer for offer in split_list(value) if _PROTOCOL.fullmatch(offer)]
    return b", ".join([offer for offer in offers if offer.partition(b"/")[0].lower() not in _CARRIERS])


def is_address(value: bytes) -> bool:
    """Whether it is an IP address, without a port."""
    try:
        socket.inet_pton(socket.AF_INET6 if b":" in value else socket.AF_INET, value.decode())
    except (OSError, ValueError):
        return False
    return True


def is_hearsay(name: bytes) -> bool:
    """Whether applications take the field, unless it is one of `FORWARDED`, for a proxy's word about the client."""
    return name[:12] == b"x-forwarded-" or name == b"x-real-ip"


def is_lookalike(name: bytes) -> bool:
    """Whether an underscore in place of one of the name's hyphens must not be taken for it."""
    return name in LOOKALIKES or is_hearsay(name)


def parse_length(value: bytes, before: int) -> int:
    """A Content-Length, RFC 9110 section 8.6; `before` is -1 unless there was one already. Raises Refusal 400."""
    if before >= 0:
        raise Refusal(400, "there is more than one Content-Length")
    if not value.isdigit() or len(value) > LENGTH_DIGITS:
        raise Refusal(400, "the Content-Length is not a plain decimal number")
    return int(value)


def parse_transfer_encoding(value: bytes, before: bool, otherwise: int) -> None:
    """Accept nothing but one plain `chunked`, RFC 9112 section 6.1. Raises Refusal: 400, or `otherwise` for another coding."""
    if before:
        raise Refusal(400, "there is more than one Transfer-Encoding")
    if value.lower() == b"chunked":
        return
    if b"chunked" in value.lower():
        raise Refusal(400, "the Transfer-Encoding is not exactly 'chunked'")
    raise Refusal(otherwise, "the only transfer coding that is understood is chunked")


def parse_authority(value: bytes) -> bytes:
    """The name in an authority, in lower case and without port. Raises Refusal 400."""
    name = _names.get(value)
    if name is None:
        name = _name_in(value)
        if len(_names) >= NAMES_MOST:
            _names.clear()
        _names[value] = name
    return name


def _name_in(value: bytes) -> bytes:
    if _AUTHORITY.fullmatch(value) is None:
        raise Refusal(400, "the Host is not valid")
    name = value.lower()
    if name[:1] == b"[":
        return name[: name.index(b"]") + 1]
    name = name.partition(b":")[0]
    return name[:-1] if name[-1:] == b"." and len(name) > 1 else name


def join_list(before: bytes, value: bytes) -> bytes:
    """Two field lines of the same name as one list, RFC 9110 section 5.3."""
    return before + b", " + value if before else value
