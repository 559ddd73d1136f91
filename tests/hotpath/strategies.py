"""What the property tests draw from: heads and chunked bodies that are good, nearly good, or anything; and ways to cut them.

Invariant: the same examples on every run (`THOROUGH`), so that a failure is there again on the next one.
"""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st

THOROUGH = settings(max_examples=300, deadline=None, derandomize=True)

GOOD_LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1", b"POST /a?b HTTP/1.1", b"PUT //c/../d HTTP/1.1", b"GET http://b.example/x HTTP/1.1", b"OPTIONS * HTTP/1.1",
        b"GET http://b.example:8?q HTTP/1.1", b"PURGE / HTTP/1.0", b"POST / HTTP/1.0",
    ]
)  # fmt: skip
BAD_LINES = st.sampled_from(
    [
        b"GET / HTTP/2.0", b"GET  / HTTP/1.1", b"G T / HTTP/1.1", b"GET /# HTTP/1.1", b"GET /\xe9 HTTP/1.1", b"GET http:// HTTP/1.1",
        b"GET / http/1.1", b"GET /", b"", b"CONNECT a:1 HTTP/1.1", b"GET * HTTP/1.1", b"PUT\x00 / HTTP/1.1", b" GET / HTTP/1.1",
    ]
)  # fmt: skip
GOOD_FIELDS = st.sampled_from(
    [
        b"Content-Length: 3", b"content-length:\t03 ", b"Transfer-Encoding: chunked", b"TRANSFER-ENCODING:Chunked", b"Connection: close",
        b"Connection: keep-alive, X-Hop", b"Connection: upgrade, TE", b"Upgrade: websocket", b"Upgrade: h2c, websocket", b"TE: trailers",
        b"Expect: 100-continue", b"Forwarded: for=10.1.1.1", b"X-Forwarded-For: 10.1.1.1", b"X-Forwarded-Host: evil", b"Keep-Alive: 5",
        b"X-A: 1", b"x-a:", b"X-Hop: \xff", b"Cookie: a=b; c", b"Via: 1.0 near", b"Trailer: X-Sum", b"Max-Forwards: 3", b"X-Real-IP: ::1",
        b"Proxy-Connection: close", b"HTTP2-Settings: AA", b"Accept: application/json", b"X_Own: 1",
    ]
)  # fmt: skip
BAD_FIELDS = st.one_of(
    st.sampled_from(
        [
            b"Content-Length: +3", b"Content-Length: 3, 3", b"Content-Length : 3", b"Transfer-Encoding: gzip, chunked",
            b"Content_Length: 3", b"Transfer-Encoding: identity", b"Transfer-Encoding: \x0bchunked", b"Connection: Host",
            b"Connection: a b", b"X-A: 1\r\n 2",
            b"X-A: 1\nX-B: 2", b"X-A: 1\rX-B: 2", b"X-A: \x00", b"X-A", b": 1", b"X(: 1", b"Host: b", b"Expect: x", b" X-A: 1",
        ]
    ),
    st.binary(max_size=12),
)  # fmt: skip
HOSTS = st.sampled_from([b"Host: a.example", b"Host: [::1]:80", b"host:A.example:80 "])
LINE_ENDS = st.sampled_from([b"\r\n"] * 60 + [b"\n", b"\r", b"\r\r\n"])


def seldom(draw: st.DrawFn, bad: st.SearchStrategy[bytes], good: st.SearchStrategy[bytes]) -> bytes:
    """A bad one in one of ten cases."""
    return draw(bad if draw(st.integers(0, 9)) == 9 else good)


@st.composite
def request_heads(draw: st.DrawFn) -> bytes:
    """Request heads full of what matters; about half of them are wrong somewhere."""
    lines = [seldom(draw, BAD_FIELDS, GOOD_FIELDS) for _ in range(draw(st.integers(0, 4)))]
    lines.insert(draw(st.integers(0, len(lines))), seldom(draw, st.just(b"X-No: Host"), HOSTS))
    return b"".join(line + draw(LINE_ENDS) for line in [seldom(draw, BAD_LINES, GOOD_LINES), *lines]) + b"\r\n"


@st.composite
def answer_heads(draw: st.DrawFn) -> bytes:
    """The same for answers."""
    good = st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 304 ", b"HTTP/1.1 200", b"HTTP/1.1 103 \xff"])
    bad = st.sampled_from([b"HTTP/1.1 099 x", b"HTTP/1.1  200", b"", b"HTTP/1.1 2x0 ", b"HTTP/2 200", b"HTTP/1.1 200\x00"])
    lines = [seldom(draw, BAD_FIELDS, GOOD_FIELDS) for _ in range(draw(st.integers(0, 4)))]
    return b"".join(line + draw(LINE_ENDS) for line in [seldom(draw, bad, good), *lines]) + b"\r\n"


@dataclass(frozen=True)
class Chunked:
    """A good chunked body: its octets, and what they say."""

    octets: bytes
    content: bytes
    trailers: tuple[tuple[bytes, bytes], ...]


EXTENSIONS = st.sampled_from([b""] * 4 + [b";a", b";a=b", b'; a="x;y\\"z\r"'.replace(b"\r", b""), b";a;b = c"])


@st.composite
def chunked_bodies(draw: st.DrawFn) -> Chunked:
    """Good ones, with sizes in any case and with zeros before, extensions and trailers."""
    octets = b""
    chunks = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
    for chunk in chunks:
        size = draw(st.sampled_from([b"%x", b"%X", b"0%x", b"00%X"])) % len(chunk)
        octets += size + draw(EXTENSIONS) + b"\r\n" + chunk + b"\r\n"
    names = st.sampled_from([b"x-sum", b"server-timing", b"x-b"])
    trailers = draw(st.lists(st.tuples(names, st.sampled_from([b"1", b"a b", b"\xff", b""])), max_size=3))
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in trailers)
    end = draw(st.sampled_from([b"0", b"000"])) + draw(EXTENSIONS) + b"\r\n"
    return Chunked(octets + end + lines + b"\r\n", b"".join(chunks), tuple(trailers))


@st.composite
def spoiled_chunked_bodies(draw: st.DrawFn) -> bytes:
    """Good ones of which a few octets were put in, taken out or replaced."""
    octets = draw(chunked_bodies()).octets
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(octets)))
        new = draw(st.sampled_from([b"", b"\r", b"\n", b" ", b";", b"\x00", b"0", b"\r\n", b"f", b"0x", b'"']))
        octets = octets[:at] + new + octets[at + draw(st.integers(0, 2)) :]
    return octets


@st.composite
def cut(draw: st.DrawFn, octets: bytes) -> list[bytes]:
    """The octets in pieces, at random places."""
    places = sorted(draw(st.sets(st.integers(0, len(octets)), max_size=8)))
    return [octets[a:b] for a, b in zip([0, *places], [*places, len(octets)], strict=True)]
