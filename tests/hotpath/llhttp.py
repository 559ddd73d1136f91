"""llhttp's own test vectors, and where this proxy reads them differently on purpose.

Invariant: every difference stands in `DIFFERENCES` with its reason; a vector that is not there is read as llhttp reads it.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

UPGRADE = 22  # llhttp's "error" for: the message is whole, what follows is another protocol
_VECTORS = Path(__file__).parent / "vectors" / "llhttp_cases.json"
_REACHED = re.compile(r"off=(\d+)(?: len=(\d+))?")
_REQUEST_LINE = re.compile(rb"(?m)^[A-Z-]+ [^\r\n]* HTTP/1\.1\r\n")
_HOST = re.compile(rb"(?im)^host:")


@dataclass(frozen=True, slots=True)
class Vector:
    """One input. refuses: llhttp ends with an error; messages: how many it saw whole. lenient: with a check switched off."""

    name: str
    octets: bytes
    is_request: bool
    refuses: bool
    messages: int
    lenient: bool
    bodiless: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """What this proxy makes of a vector instead. status 0: it refuses nothing."""

    status: int
    messages: int
    reason: str


def vectors() -> list[Vector]:
    """All of them, in the file's order."""
    return [_vector(case) for case in json.loads(_VECTORS.read_text())["cases"]]


def _vector(case: dict) -> Vector:
    octets = case["raw_utf8"].encode()
    reached = max((int(found[1]) + int(found[2] or 0) for found in map(_REACHED.match, case["log"]) if found), default=0)
    if reached > len(octets):
        octets += b"\r\n"
        assert reached == len(octets), "the conversion lost something else than the final empty line"
    is_request = case["direction"] == "request"
    error = case["error"]
    return Vector(
        name=case["id"],
        octets=_with_hosts(octets) if is_request else octets,
        is_request=is_request,
        refuses=error is not None and error["code"] != UPGRADE,
        messages=case["messages_complete"],
        lenient=case["lenient"],
        bodiless=bool(case["flags"].get("skipBody")),
    )


def _with_hosts(octets: bytes) -> bytes:
    """Every HTTP/1.1 request needs a Host here."""

    def with_host(line: re.Match[bytes]) -> bytes:
        fields = octets[line.end() :].partition(b"\r\n\r\n")[0]
        return line[0] if _HOST.search(fields) else line[0] + b"Host: vectors\r\n"

    return _REQUEST_LINE.sub(with_host, octets)


_ANY_METHOD = "a proxy forwards methods it does not know: RFC 9110 section 9.1 keeps the list of them open"
_NO_CONNECT = "this is a gateway, not a tunnel: RFC 9110 section 9.3.6 lets a server not offer CONNECT"
_NOT_HTTP = "neither RTSP nor ICE is carried: RFC 9112 section 2.3 knows HTTP versions only"
_OTHER_CODING = "chunked is the only transfer coding understood; what is not understood is refused: RFC 9112 section 6.1"
_ANSWER_CODING = (
    "an answer whose last transfer coding is not chunked would end with the connection (RFC 9112 section 6.3), but a gateway that "
    "does not understand the coding cannot tell what it hands on: 502"
)
_EMPTY_LINE = "RFC 9112 section 2.2 lets an empty line come before a request, not before an answer"

DIFFERENCES = {
    "request/content-length:447 Content-Length reset when no body is received": Difference(
        0, 0, "llhttp was told to skip bodies; a request's body cannot be skipped: RFC 9112 section 6.3"
    ),
    "request/invalid:69 HTTP protocol and ANNOUNCE method": Difference(0, 1, _ANY_METHOD),
    "request/invalid:359 Invalid method": Difference(0, 1, _ANY_METHOD),
    "request/method:30 CONNECT request": Difference(405, 0, _NO_CONNECT),
    "request/method:65 CONNECT request with CAPS": Difference(405, 0, _NO_CONNECT),
    "request/method:99 CONNECT with body": Difference(405, 0, _NO_CONNECT),
    "request/uri:191 Underscore in hostname": Difference(405, 0, _NO_CONNECT),
    "request/method:138 M-SEARCH request": Difference(
        400, 0, "the asterisk is for OPTIONS only: RFC 9112 section 3.2.4 (M-SEARCH belongs to SSDP, over UDP)"
    ),
    "request/method:375 SOURCE request with ICE": Difference(400, 0, _NOT_HTTP),
    "request/method:405 OPTIONS request with RTSP": Difference(400, 0, _NOT_HTTP),
    "request/method:433 ANNOUNCE request with RTSP": Difference(400, 0, _NOT_HTTP),
    "request/sample:317 No HTTP version": Difference(
        400, 0, "HTTP/0.9 has no fields, so no Host and no length: RFC 9112 section 3 requires a version"
    ),
    "request/transfer-encoding:754 POST with `chunked` as last transfer-encoding": Difference(400, 0, _OTHER_CODING),
    "request/transfer-encoding:796 POST with `chunked` as last transfer-encoding (multiple headers)": Difference(
        400, 0, _OTHER_CODING
    ),
    "request/uri:168 Fragment in URI": Difference(400, 0, "a request target has no fragment: RFC 9112 section 3.2"),
    "request/uri:225 `host:port` and basic auth": Difference(
        400, 0, "user information in an http URI is treated as an error: RFC 9110 section 4.2.4"
    ),
    "response/connection:495 HTTP 304 with Content-Length": Difference(502, 1, _EMPTY_LINE),
    "response/connection:589 HTTP 100 first, then 400": Difference(502, 1, _EMPTY_LINE),
    "response/pipelining:7 Should parse multiple events": Difference(502, 1, _EMPTY_LINE),
    "response/sample:698 Response starting with CRLF": Difference(502, 0, _EMPTY_LINE),
    "response/sample:43 RTSP response": Difference(502, 0, _NOT_HTTP),
    "response/sample:63 ICE response": Difference(502, 0, _NOT_HTTP),
    "response/sample:648 HTTP version 0.9": Difference(502, 0, "HTTP/0.9 answers have no status line: RFC 9112 section 2.3"),
    "response/transfer-encoding:46 `chunked` before other transfer-encoding": Difference(502, 0, _ANSWER_CODING),
    "response/transfer-encoding:77 multiple transfer-encoding where chunked is not the last one": Difference(
        502, 0, _ANSWER_CODING
    ),
    "response/transfer-encoding:115 `chunkedchunked` transfer-encoding does not enable chunked enconding": Difference(
        502, 0, _ANSWER_CODING
    ),
}
