"""The table of bad answers from replicas. What is refused is 502, and the connection it came on is not used again."""

from tests.hostile.rows import Answer

CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"
POST = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n"


def answer(lines: bytes, body: bytes = b"", first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return first + b"\r\n" + lines + b"\r\n" + body


def bad(claim: str, octets: bytes, rests_on: str) -> Answer:
    return Answer(claim, octets, rests_on)


FRAMING = (
    bad("both lengths", answer(b"Content-Length: 2\r\n" + CHUNKED, b"0\r\n\r\n"), "RFC 9112 section 6.3"),
    bad("both lengths the other way round", answer(CHUNKED + b"Content-Length: 2\r\n", b"ok"), "RFC 9112 section 6.3"),
    bad("two lengths", answer(b"Content-Length: 2\r\nContent-Length: 3\r\n", b"ok"), "RFC 9112 section 6.3"),
    bad("two equal lengths", answer(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"ok"), "RFC 9112 section 6.3"),
    bad("a list of lengths", answer(b"Content-Length: 2, 2\r\n", b"ok"), "RFC 9110 section 8.6"),
    bad("a negative length", answer(b"Content-Length: -2\r\n", b"ok"), "RFC 9110 section 8.6"),
    bad("a length with a sign", answer(b"Content-Length: +2\r\n", b"ok"), "RFC 9110 section 8.6"),
    bad("a length in hexadecimal", answer(b"Content-Length: 0x2\r\n", b"ok"), "RFC 9110 section 8.6"),
    bad("an empty length", answer(b"Content-Length: \r\n", b"ok"), "RFC 9110 section 8.6"),
    bad("a length that overflows", answer(b"Content-Length: 18446744073709551618\r\n", b"ok"), "RFC 9110 section 8.6"),
    bad("a coding that is not known", answer(b"Transfer-Encoding: gzip\r\n", b"ok"), "RFC 9112 section 6.1"),
    bad("a list of codings", answer(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), "RFC 9112 section 6.1"),
    bad("two codings", answer(CHUNKED + CHUNKED, b"0\r\n\r\n"), "RFC 9112 section 6.1"),
    bad("a coding that begins alike", answer(b"Transfer-Encoding: chunkedx\r\n", b"0\r\n\r\n"), "RFC 9112 section 6.1"),
    bad("a folded coding", answer(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"), "RFC 9112 section 5.2"),
    Answer(
        "chunks from HTTP/1.0, and nothing after them",
        answer(CHUNKED, b"2\r\nok\r\n0\r\n\r\n", b"HTTP/1.0 200 OK"),
        "RFC 9112 section 6.1",
        200,
        b"ok",
    ),
)

HEADS = (
    bad("octets that are no answer", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "RFC 9112 section 4"),
    bad("HTTP/0.9", b"<html>hello</html>\r\n\r\n", "RFC 9112 section 4"),
    bad("HTTP/2", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/2 200"), "RFC 9112 section 4"),
    bad("a status of two digits", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 20 OK"), "RFC 9112 section 4"),
    bad("a status of four digits", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 2000 OK"), "RFC 9112 section 4"),
    bad("the status 000", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 000 OK"), "RFC 9110 section 15"),
    bad("the status 099", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 099 OK"), "RFC 9110 section 15"),
    bad("the status 600", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 600 OK"), "RFC 9110 section 15"),
    bad("a status with a sign", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 +20 OK"), "RFC 9112 section 4"),
    bad("no status", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1"), "RFC 9112 section 4"),
    bad("a control octet in the reason", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 200 O\x01K"), "RFC 9112 section 4"),
    bad("NUL in the reason", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 200 O\0K"), "RFC 9112 section 4"),
    bad("NUL in a value", answer(b"X: a\0b\r\nContent-Length: 2\r\n", b"ok"), "RFC 9110 section 5.5"),
    bad("a bare CR in a value", answer(b"X: a\rSet-Cookie: evil=1\r\nContent-Length: 2\r\n", b"ok"), "RFC 9112 section 2.2"),
    bad("a bare LF after a value", answer(b"X: a\nSet-Cookie: evil=1\r\nContent-Length: 2\r\n", b"ok"), "RFC 9112 section 2.2"),
    bad("bare LFs alone", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "RFC 9112 section 2.2"),
    bad("a folded line", answer(b"X: a\r\n b\r\nContent-Length: 2\r\n", b"ok"), "RFC 9112 section 5.2"),
    bad("a line without a colon", answer(b"nothing\r\nContent-Length: 2\r\n", b"ok"), "RFC 9112 section 5"),
    bad("an empty name", answer(b": x\r\nContent-Length: 2\r\n", b"ok"), "RFC 9112 section 5"),
    bad("a name with a space in it", answer(b"X Y: x\r\nContent-Length: 2\r\n", b"ok"), "RFC 9110 section 5.1"),
    bad("a head without end", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, "RFC 9112 section 9.5"),
    bad("an endless first line", b"HTTP/1.1 200 " + b"a" * 100_000, "RFC 9112 section 9.5"),
    Answer(
        "a space before a colon is taken out",
        answer(b"X-Y : x\r\nContent-Length: 2\r\n", b"ok"),
        "RFC 9112 section 5.1",
        200,
        b"ok",
        True,
    ),
    Answer("an end in the middle of a head", b"HTTP/1.1 200 OK\r\nContent-Le", "RFC 9112 section 8", ends=True),
    Answer("an end before any octet, after a POST", b"", "RFC 9110 section 9.2.2", ends=True, request=POST),
)

INTERIM = (
    bad(
        "101 that nobody asked for",
        answer(b"Upgrade: websocket\r\nConnection: upgrade\r\n", SMUGGLED, b"HTTP/1.1 101 Go"),
        "RFC 9110 section 15.2.2",
    ),
    bad("100s without end", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "RFC 9110 section 15.2"),
    bad("a bad line in an interim answer", b"HTTP/1.1 103 Hints\r\nLink : x\ry\r\n\r\n" + SMUGGLED, "RFC 9110 section 15.2"),
    Answer(
        "interim answers and a final one",
        b"HTTP/1.1 103 Hints\r\n\r\n" * 3 + answer(b"Content-Length: 2\r\n", b"ok"),
        "RFC 9110 section 15.2",
        200,
        b"ok",
        True,
    ),
)

AFTER = (
    Answer("octets after a body", answer(b"Content-Length: 2\r\n", b"ok" + b"junk"), "RFC 9112 section 9.2", 200, b"ok"),
    Answer(
        "an answer that nobody asked for", answer(b"Content-Length: 2\r\n", b"ok" + SMUGGLED), "RFC 9112 section 9.2", 200, b"ok"
    ),
    Answer(
        "octets after the last chunk", answer(CHUNKED, b"2\r\nok\r\n0\r\n\r\n" + SMUGGLED), "RFC 9112 section 9.2", 200, b"ok"
    ),
    Answer(
        "a body of 204", answer(b"Content-Length: 2\r\n", b"ok", b"HTTP/1.1 204 No Content"), "RFC 9112 section 6.3", 204, b""
    ),
    Answer(
        "chunks of 204", answer(CHUNKED, b"2\r\nok\r\n0\r\n\r\n", b"HTTP/1.1 204 No Content"), "RFC 9112 section 6.3", 204, b""
    ),
    Answer("a body of 304", answer(b"", b"ok", b"HTTP/1.1 304 Not Modified"), "RFC 9112 section 6.3", 304, b""),
    Answer("a body of HEAD", answer(b"Content-Length: 2\r\n", b"ok"), "RFC 9110 section 9.3.2", 200, b"", request=HEAD),
)

BODIES = (
    Answer("a body that is cut short", answer(b"Content-Length: 5\r\n", b"ok"), "RFC 9112 section 8", 200, None, ends=True),
    Answer("chunks that are cut short", answer(CHUNKED, b"5\r\nok"), "RFC 9112 section 8", 200, None, ends=True),
    Answer("chunks without the last one", answer(CHUNKED, b"2\r\nok\r\n"), "RFC 9112 section 8", 200, None, ends=True),
    Answer("a chunk size that is none", answer(CHUNKED, b"zz\r\nok\r\n0\r\n\r\n"), "RFC 9112 section 7.1", 200, None),
    Answer("a chunk size that overflows", answer(CHUNKED, b"F" * 20 + b"\r\nok\r\n"), "RFC 9112 section 7.1", 200, None),
    Answer("a negative chunk size", answer(CHUNKED, b"-2\r\nok\r\n0\r\n\r\n"), "RFC 9112 section 7.1", 200, None),
    Answer("a chunk that is longer than its size", answer(CHUNKED, b"2\r\nokay\r\n0\r\n\r\n"), "RFC 9112 section 7.1", 200, None),
    Answer("a chunk that ends in a bare LF", answer(CHUNKED, b"2\nok\n0\n\n"), "RFC 9112 section 2.2", 200, None),
    Answer(
        "a chunk extension without end",
        answer(CHUNKED, b"2;" + b"a" * 5000 + b"\r\nok\r\n0\r\n\r\n"),
        "RFC 9112 section 7.1.1",
        200,
        None,
    ),
    Answer(
        "trailers without end",
        answer(CHUNKED, b"2\r\nok\r\n0\r\n" + b"X: y\r\n" * 4000 + b"\r\n"),
        "RFC 9112 section 7.1.2",
        200,
        None,
    ),
    Answer("a body that ends with the connection", answer(b"", b"ok"), "RFC 9112 section 6.3", 200, b"ok", ends=True),
)

ALL = (*FRAMING, *HEADS, *INTERIM, *AFTER, *BODIES)
