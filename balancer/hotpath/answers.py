"""Answers that the proxy gives itself: a status, one sentence why, as plain text or JSON.

Invariants: nothing that came from the client stands in them, so that nothing can be injected. No I/O.
"""

REASONS = {
    200: b"OK", 400: b"Bad Request", 404: b"Not Found", 405: b"Method Not Allowed", 408: b"Request Timeout",
    413: b"Content Too Large", 414: b"URI Too Long", 417: b"Expectation Failed",
    429: b"Too Many Requests", 431: b"Request Header Fields Too Large",
    501: b"Not Implemented", 502: b"Bad Gateway", 503: b"Service Unavailable", 504: b"Gateway Timeout",
    505: b"HTTP Version Not Supported",
}  # fmt: skip
METHODS = b"GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"


def answer(
    status: int, reason: str, wants_json: bool, with_body: bool, connection: bytes, retry_after_s: int, date: bytes
) -> bytes:
    """A whole response. connection: the Connection field line or b"". retry_after_s: 0 is none. date: the Date field line."""
    phrase = REASONS[status]
    text = reason.encode("ascii", "replace")
    if wants_json:
        kind = b"application/json"
        body = b'{"status": %d, "error": "%b", "reason": "%b"}\n' % (status, phrase, text.replace(b'"', b"'"))
    else:
        kind = b"text/plain; charset=utf-8"
        body = b"%d %b: %b\n" % (status, phrase, text)
    extra = b"Retry-After: %d\r\n" % retry_after_s if retry_after_s else b""
    if status == 405:
        extra = b"Allow: " + METHODS + b"\r\n"
    return b"HTTP/1.1 %d %b\r\n%bContent-Type: %b\r\nContent-Length: %d\r\n%b%b\r\n%b" % (
        status, phrase, date, kind, len(body), extra, connection, body if with_body else b"",
    )  # fmt: skip
