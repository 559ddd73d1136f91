"""The table of bad input from clients. RFC 9110 is HTTP's semantics, RFC 9112 HTTP/1.1; others by their names."""

from tests.hostile.rows import Row, head, post, refused

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"
ROOT = ("GET", "/", b"")
AFTER = ("GET", "/after", b"")
NEXT = head(first=b"GET /after HTTP/1.1")


def framed(
    claim: str, *lines: bytes, body: bytes = END + SMUGGLED, status: int = 400, rests_on: str = "RFC 9112 section 6.3"
) -> Row:
    return refused(claim, post(*lines, body=body), rests_on, status)


LENGTHS = (
    framed("CL.TE: a length and chunks", b"Content-Length: 6", CHUNKED),
    framed("TE.CL: chunks and a length", CHUNKED, b"Content-Length: 4", body=b"5c\r\nGPOST"),
    framed("two equal lengths", b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
    framed("two different lengths", b"Content-Length: 5", b"Content-Length: 44", body=b"hello" + SMUGGLED),
    framed("a list of equal lengths", b"Content-Length: 5, 5", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a list of different lengths", b"Content-Length: 5, 44", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a length with a sign", b"Content-Length: +5", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a negative length", b"Content-Length: -5", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a length in hexadecimal", b"Content-Length: 0x5", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a length with an underscore", b"Content-Length: 1_0", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a length with a fraction", b"Content-Length: 5.0", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a length with an exponent", b"Content-Length: 5e0", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("an empty length", b"Content-Length:", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a length in two words", b"Content-Length: 5 5", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed(
        "a length that overflows 64 bits", b"Content-Length: 18446744073709551621", body=b"hello", rests_on="RFC 9110 section 8.6"
    ),
    framed("a length that overflows 32 bits, and more", b"Content-Length: " + b"9" * 40, rests_on="RFC 9110 section 8.6"),
    framed("a length in other digits", b"Content-Length: \xd9\xa5", body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a length in quotes", b'Content-Length: "5"', body=b"hello", rests_on="RFC 9110 section 8.6"),
    framed("a length whose name has an underscore", b"Content_Length: 5", body=b"hello", rests_on="RFC 9110 section 5.1"),
    framed("a length with a space before the colon", b"Content-Length : 5", body=b"hello", rests_on="RFC 9112 section 5.1"),
    framed("a length with a tab before the colon", b"Content-Length\t: 5", body=b"hello", rests_on="RFC 9112 section 5.1"),
    framed("a length with NUL after it", b"Content-Length: 5\0", body=b"hello", rests_on="RFC 9110 section 5.5"),
    framed("a length behind a vertical tab", b"Content-Length: \x0b5", body=b"hello", rests_on="RFC 9110 section 5.5"),
    framed("a length behind a no-break space", b"Content-Length: \xa05", body=b"hello", rests_on="RFC 9110 section 8.6"),
)

CODINGS = (
    framed("TE.TE: the same coding twice", CHUNKED, CHUNKED, rests_on="RFC 9112 section 6.1"),
    framed("TE.TE: a second coding that is none", CHUNKED, b"Transfer-Encoding: x", rests_on="RFC 9112 section 6.1"),
    framed("a list that ends in chunked", b"Transfer-Encoding: gzip, chunked", rests_on="RFC 9112 section 6.1"),
    framed("chunked, and then something else", b"Transfer-Encoding: chunked, identity", rests_on="RFC 9112 section 6.1"),
    framed("chunked twice in a list", b"Transfer-Encoding: chunked, chunked", rests_on="RFC 9112 section 7.1"),
    framed("a coding that is not known", b"Transfer-Encoding: gzip", status=501, rests_on="RFC 9112 section 6.1"),
    framed("identity, which is gone", b"Transfer-Encoding: identity", status=501, rests_on="RFC 9112 section 7"),
    framed("an empty coding", b"Transfer-Encoding:", status=501, rests_on="RFC 9112 section 6.1"),
    framed("a coding that begins alike", b"Transfer-Encoding: chunkedx", rests_on="RFC 9112 section 6.1"),
    framed("a coding that ends alike", b"Transfer-Encoding: xchunked", rests_on="RFC 9112 section 6.1"),
    framed("a coding with a parameter", b"Transfer-Encoding: chunked;q=1", rests_on="RFC 9112 section 7"),
    framed("a coding in quotes", b'Transfer-Encoding: "chunked"', rests_on="RFC 9112 section 7"),
    framed("a coding after a comma", b"Transfer-Encoding: ,chunked", rests_on="RFC 9110 section 5.6.1"),
    framed("a coding behind a vertical tab", b"Transfer-Encoding: \x0bchunked", rests_on="RFC 9110 section 5.5"),
    framed("a coding with NUL in it", b"Transfer-Encoding: chun\0ked", rests_on="RFC 9110 section 5.5"),
    framed("a coding on a folded line", b"Transfer-Encoding:\r\n chunked", rests_on="RFC 9112 section 5.2"),
    framed("a coding folded with a tab", b"Transfer-Encoding:\r\n\tchunked", rests_on="RFC 9112 section 5.2"),
    framed("a coding with a space before the colon", b"Transfer-Encoding : chunked", rests_on="RFC 9112 section 5.1"),
    framed("a coding whose name has an underscore", b"Transfer_Encoding: chunked", rests_on="RFC 9110 section 5.1"),
    framed("a coding after a bare CR", b"X: y\rTransfer-Encoding: chunked", rests_on="RFC 9112 section 2.2"),
    framed("a coding after a bare LF", b"X: y\nTransfer-Encoding: chunked", rests_on="RFC 9112 section 2.2"),
    refused("TE.0: chunks in HTTP/1.0", head(CHUNKED, first=b"POST / HTTP/1.0") + END + SMUGGLED, "RFC 9112 section 6.1"),
    Row(
        "a coding in other letters is chunked",
        post(b"tRANSFER-eNCODING: CHUNKED", body=b"3\r\nabc\r\n" + END),
        "RFC 9112 section 7",
        (200,),
        (("POST", "/", b"abc"),),
        closed=False,
    ),
    Row(
        "CL.0: the body of a GET is its own, and not the next request",
        head(b"Content-Length: %d" % len(SMUGGLED)) + SMUGGLED + NEXT,
        "RFC 9110 section 9.3.1",
        (200, 200),
        (("GET", "/", SMUGGLED), AFTER),
        closed=False,
    ),
    Row(
        "0.CL: what follows a request without a length is the next request",
        head(first=b"DELETE /x HTTP/1.1") + NEXT,
        "RFC 9112 section 6.3",
        (200, 200),
        (("DELETE", "/x", b""), AFTER),
        closed=False,
    ),
    Row(
        "TE.0: the chunks of a GET are its own",
        head(CHUNKED) + b"%x\r\n%b\r\n" % (len(SMUGGLED), SMUGGLED) + END + NEXT,
        "RFC 9110 section 9.3.1",
        (200, 200),
        (("GET", "/", SMUGGLED), AFTER),
        closed=False,
    ),
)


def chunk(claim: str, body: bytes, rests_on: str = "RFC 9112 section 7.1") -> Row:
    """Chunks that are refused: the head may have gone on, the rest never does."""
    return Row(claim, post(CHUNKED, body=body), rests_on, (400,), lacks=(b"smuggled",))


CHUNKS = (
    chunk("a size with 0x", b"0x5\r\nhello\r\n" + END + SMUGGLED),
    chunk("a size with a sign", b"+5\r\nhello\r\n" + END + SMUGGLED),
    chunk("a negative size", b"-1\r\nhello\r\n" + END + SMUGGLED),
    chunk("a size with an underscore", b"1_0\r\nhello\r\n" + END + SMUGGLED),
    chunk("a size that overflows 64 bits", b"10000000000000005\r\nhello\r\n" + END + SMUGGLED),
    chunk("a size of F's", b"F" * 20 + b"\r\nhello\r\n" + END + SMUGGLED),
    chunk("no size at all", b"\r\nhello\r\n" + END + SMUGGLED),
    chunk("a space before a size", b" 5\r\nhello\r\n" + END + SMUGGLED),
    chunk("a tab before a size", b"\t5\r\nhello\r\n" + END + SMUGGLED),
    chunk("NUL after a size", b"5\0\r\nhello\r\n" + END + SMUGGLED),
    chunk("a size that ends in a bare LF", b"5\nhello\r\n" + END + SMUGGLED, "RFC 9112 section 2.2"),
    chunk("a size that ends in a bare CR", b"5\rhello\r\n" + END + SMUGGLED, "RFC 9112 section 2.2"),
    chunk("a bare LF in an extension", b"5;x\nhello\r\n" + END + SMUGGLED, "RFC 9112 section 7.1.1"),
    chunk("a bare CR in an extension", b"5;x\ry\r\nhello\r\n" + END + SMUGGLED, "RFC 9112 section 7.1.1"),
    chunk("NUL in an extension", b"5;a=\0\r\nhello\r\n" + END + SMUGGLED, "RFC 9112 section 7.1.1"),
    chunk("an extension without end", b"5;" + b"a" * 2000 + b"\r\nhello\r\n" + END + SMUGGLED, "RFC 9112 section 7.1.1"),
    chunk("data that goes on after its size", b"5\r\nhello, world\r\n" + END + SMUGGLED),
    chunk("data that ends in a bare LF", b"5\r\nhello\n" + END + SMUGGLED),
    chunk("data that ends in a bare CR", b"5\r\nhello\r" + END + SMUGGLED),
    chunk("data without an end", b"5\r\nhello" + END + SMUGGLED),
    chunk("a last chunk that ends in a bare LF", b"0\n\r\n" + SMUGGLED, "RFC 9112 section 2.2"),
    chunk("trailers that end in a bare LF", b"0\r\nX: y\n\r\n" + SMUGGLED, "RFC 9112 section 7.1.2"),
    chunk("a trailer without a name", b"0\r\n: y\r\n\r\n" + SMUGGLED, "RFC 9112 section 7.1.2"),
    chunk("a trailer with a space before the colon", b"0\r\nX : y\r\n\r\n" + SMUGGLED, "RFC 9112 section 5.1"),
    chunk("trailers without end", b"0\r\n" + b"X: y\r\n" * 2000 + b"\r\n" + SMUGGLED, "RFC 9112 section 7.1.2"),
    Row(
        "trailers that name framing or forwarding are taken out",
        post(
            CHUNKED,
            body=b"0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nHost: evil\r\nX-Forwarded-For: 1\r\nX-Sum: 1\r\n\r\n" + NEXT,
        ),
        "RFC 9110 section 6.5.1",
        (200, 200),
        (("POST", "/", b""), AFTER),
        closed=False,
        has=(b"X-Sum: 1",),
        lacks=(b"evil", b"Content-Length: 5", b"Transfer-Encoding: x"),
    ),
    Row(
        "a last chunk of many noughts is one",
        post(CHUNKED, body=b"000\r\n\r\n" + NEXT),
        "RFC 9112 section 7.1",
        (200, 200),
        (("POST", "/", b""), AFTER),
        closed=False,
    ),
    Row(
        "an extension is taken out",
        post(CHUNKED, body=b'5;evil="x;y"\r\nhello\r\n' + END + NEXT),
        "RFC 9112 section 7.1.1",
        (200, 200),
        (("POST", "/", b"hello"), AFTER),
        closed=False,
        lacks=(b"evil",),
    ),
)

LINES = (
    refused("a bare LF after the request line", b"GET / HTTP/1.1\nHost: test\r\n\r\n", "RFC 9112 section 2.2"),
    refused("bare LFs alone", b"GET / HTTP/1.1\nHost: test\n\n", "RFC 9112 section 2.2"),
    refused("a bare LF after a field", b"GET / HTTP/1.1\r\nHost: test\nX: y\r\n\r\n", "RFC 9112 section 2.2"),
    refused("a bare CR after the request line", b"GET / HTTP/1.1\rHost: test\r\n\r\n", "RFC 9112 section 2.2"),
    refused("a bare CR in a value", head(b"X: a\rb"), "RFC 9112 section 2.2"),
    refused("a bare CR in a name", head(b"X\rY: b"), "RFC 9112 section 2.2"),
    refused("a bare CR in the target", b"GET /\rx HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3"),
    refused("CR CR LF", b"GET / HTTP/1.1\r\r\nHost: test\r\n\r\n", "RFC 9112 section 2.2"),
    refused("NUL in a value", head(b"X: a\0b"), "RFC 9110 section 5.5"),
    refused("NUL in a name", head(b"X\0: b"), "RFC 9110 section 5.1"),
    refused("NUL in the target", b"GET /\0 HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3.2"),
    refused("NUL in the method", b"GE\0T / HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9110 section 9.1"),
    refused("a control octet in a value", head(b"X: a\x01b"), "RFC 9110 section 5.5"),
    refused("DEL in a value", head(b"X: a\x7fb"), "RFC 9110 section 5.5"),
    refused("a space before a colon", head(b"X : b"), "RFC 9112 section 5.1"),
    refused("a space in a name", head(b"X Y: b"), "RFC 9110 section 5.1"),
    refused("an empty name", head(b": b"), "RFC 9110 section 5.1"),
    refused("a line without a colon", head(b"nothing"), "RFC 9112 section 5"),
    refused("a folded line", head(b"X: a\r\n b"), "RFC 9112 section 5.2"),
    refused("a line folded with a tab", head(b"X: a\r\n\tb"), "RFC 9112 section 5.2"),
    refused("a folded line before any field", b"GET / HTTP/1.1\r\n Host: test\r\n\r\n", "RFC 9112 section 2.2"),
    refused("a name in quotes", head(b'"X": b'), "RFC 9110 section 5.6.2"),
    refused("a name in other letters", head(b"X\xc3\xa9: b"), "RFC 9110 section 5.6.2"),
    refused("a name with a slash", head(b"X/Y: b"), "RFC 9110 section 5.6.2"),
    refused("two spaces in the request line", b"GET  / HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3"),
    refused("a tab in the request line", b"GET\t/ HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3"),
    refused("a space before the request line", b" GET / HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3"),
    refused("a space after the request line", b"GET / HTTP/1.1 \r\nHost: test\r\n\r\n", "RFC 9112 section 3"),
    refused("a space in the target", b"GET /a b HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3.2"),
    refused("other letters in the target", b"GET /\xc3\xa9 HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 3986 section 2"),
    refused("a fragment in the target", b"GET /#x HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3.2"),
    refused("no target", b"GET HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3"),
    refused("HTTP/0.9", b"GET /\r\n\r\n", "RFC 9112 section 3"),
    refused("no version", b"GET / \r\nHost: test\r\n\r\n", "RFC 9112 section 2.3"),
    refused("a version in small letters", b"GET / http/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 2.3"),
    refused("HTTP/2.0", b"GET / HTTP/2.0\r\nHost: test\r\n\r\n", "RFC 9110 section 15.6.6", 505),
    refused("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: test\r\n\r\n", "RFC 9110 section 15.6.6", 505),
    refused("HTTP/01.1", b"GET / HTTP/01.1\r\nHost: test\r\n\r\n", "RFC 9112 section 2.3"),
    refused("the HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "RFC 9113 section 3.4", 505),
    refused("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "RFC 9112 section 3"),
    refused("a method that is no token", b"GE(T / HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9110 section 9.1"),
    refused("a method without end", b"G" * 100 + b" / HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9110 section 9.1"),
    refused("CONNECT", b"CONNECT test:80 HTTP/1.1\r\nHost: test:80\r\n\r\n", "RFC 9110 section 9.3.6", 405),
    refused("TRACE", head(first=b"TRACE / HTTP/1.1"), "RFC 9110 section 9.3.8", 405),
    refused("two empty lines before a request", b"\r\n\r\n" + head(), "RFC 9112 section 2.2"),
    Row(
        "one empty line before a request is passed over", b"\r\n" + head(), "RFC 9112 section 2.2", (200,), (ROOT,), closed=False
    ),
)

HOSTS = (
    refused("no Host", b"GET / HTTP/1.1\r\n\r\n", "RFC 9112 section 3.2"),
    refused("two Hosts", head(b"Host: evil"), "RFC 9112 section 3.2"),
    refused("two equal Hosts", head(b"Host: test"), "RFC 9112 section 3.2"),
    refused("a Host with a space before the colon", head(b"Host : evil"), "RFC 9112 section 5.1"),
    refused("a Host with a path", head(host=b"Host: test/evil"), "RFC 9110 section 7.2"),
    refused("a Host with userinfo", head(host=b"Host: user@test"), "RFC 9110 section 4.2.4"),
    refused("a Host with a space", head(host=b"Host: test evil"), "RFC 9110 section 7.2"),
    refused("a list of Hosts", head(host=b"Host: test, evil"), "RFC 9112 section 3.2"),
    refused("a Host with a port that is none", head(host=b"Host: test:80x"), "RFC 9110 section 7.2"),
    refused("a Host in quotes", head(host=b'Host: "test"'), "RFC 9110 section 7.2"),
    refused("a Host with a backslash", head(host=b"Host: test\\evil"), "RFC 3986 section 3.2.2"),
    refused("a Host with other letters", head(host=b"Host: t\xc3\xa9st"), "RFC 3986 section 3.2.2"),
    refused("a Host with a broken escape", head(host=b"Host: te%zzst"), "RFC 3986 section 2.1"),
    refused("a Host with an unclosed bracket", head(host=b"Host: [::1"), "RFC 3986 section 3.2.2"),
    refused("a line that Host could be taken for", head(b"Host_: evil", b"X_Host: y", b"HOST: evil"), "RFC 9112 section 3.2"),
    refused("an absolute target without an authority", b"GET http:///x HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9110 section 4.2.1"),
    refused("an absolute target with userinfo", b"GET http://u@test/ HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9110 section 4.2.4"),
    refused("an absolute target of another scheme", b"GET ftp://test/ HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3.2.2"),
    refused(
        "an absolute target and two Hosts", b"GET http://test/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "RFC 9112 section 3.2"
    ),
    refused("an authority as target of GET", b"GET test:80 HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3.2.3"),
    refused("an asterisk as target of GET", b"GET * HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3.2.4"),
    refused("a target that begins elsewhere", b"GET x/../admin HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3.2"),
    refused("a target that is a query", b"GET ?x HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3.2"),
    Row(
        "an absolute target overrides Host",
        b"GET http://test/x HTTP/1.1\r\nHost: evil\r\n\r\n",
        "RFC 9112 section 3.2.2",
        (200,),
        (("GET", "/x", b""),),
        closed=False,
        has=(b"Host: test\r\n",),
        lacks=(b"evil",),
    ),
    Row(
        "an absolute target with a query only",
        b"GET http://test?x=1 HTTP/1.1\r\nHost: test\r\n\r\n",
        "RFC 9112 section 3.2.1",
        (200,),
        (("GET", "/?x=1", b""),),
        closed=False,
    ),
)


def cleaned(claim: str, octets: bytes, rests_on: str, lacks: tuple[bytes, ...], has: tuple[bytes, ...] = ()) -> Row:
    """It goes on without something."""
    return Row(claim, octets, rests_on, (200,), (ROOT,), closed=False, lacks=lacks, has=has)


FIELDS = (
    refused("Connection that names Host", head(b"Connection: host"), "RFC 9110 section 7.6.1"),
    refused(
        "Connection that names Content-Length",
        post(b"Content-Length: 5", b"Connection: content-length", body=b"hello"),
        "RFC 9110 section 7.6.1",
    ),
    refused(
        "Connection that names Transfer-Encoding",
        post(CHUNKED, b"Connection: transfer-encoding", body=END),
        "RFC 9110 section 7.6.1",
    ),
    refused("Connection that names Cookie", head(b"Cookie: a=b", b"Connection: close, cookie"), "RFC 9110 section 7.6.1"),
    refused(
        "Connection that names Authorization", head(b"Authorization: x", b"Connection: Authorization"), "RFC 9110 section 7.6.1"
    ),
    refused("Connection that names X-Forwarded-For", head(b"Connection: close, X-Forwarded-For"), "RFC 9110 section 7.6.1"),
    refused("Connection that names Forwarded", head(b"Connection: forwarded"), "RFC 9110 section 7.6.1"),
    refused("Connection that names no token", head(b"Connection: a b"), "RFC 9110 section 7.6.1"),
    refused("an expectation that nobody meets", head(b"Expect: 200-ok"), "RFC 9110 section 10.1.1", 417),
    refused("a forwarding field with an underscore", head(b"X_Forwarded_For: 1.2.3.4"), "RFC 9110 section 5.1"),
    refused("a real address with an underscore", head(b"X_Real_IP: 1.2.3.4"), "RFC 9110 section 5.1"),
    cleaned(
        "a field that Connection names",
        head(b"X-Hop: evil", b"Connection: X-Hop, keep-alive"),
        "RFC 9110 section 7.6.1",
        (b"evil", b"X-Hop"),
    ),
    cleaned(
        "Keep-Alive and Proxy-Connection",
        head(b"Keep-Alive: evil=1", b"Proxy-Connection: keep-alive"),
        "RFC 9110 section 7.6.1",
        (b"evil", b"Proxy-Connection"),
    ),
    cleaned("TE but trailers", head(b"TE: gzip;q=0.5", b"Connection: TE"), "RFC 9110 section 10.1.4", (b"gzip",)),
    cleaned(
        "forged X-Forwarded-*",
        head(b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-Host: evil", b"X-Forwarded-Proto: https", b"X-Forwarded-Port: 666"),
        "RFC 7239 section 8.1",
        (b"1.2.3.4", b"evil", b"https", b"666"),
        (b"X-Forwarded-For: 127.0.0.1\r\n", b"X-Forwarded-Proto: http\r\n", b"X-Forwarded-Host: test\r\n"),
    ),
    cleaned(
        "a forged Forwarded",
        head(b"Forwarded: for=1.2.3.4;proto=https"),
        "RFC 7239 section 8.1",
        (b"1.2.3.4", b"https"),
        (b"Forwarded: for=127.0.0.1",),
    ),
    cleaned("a forged X-Real-IP", head(b"X-Real-IP: 1.2.3.4"), "RFC 7239 section 8.1", (b"1.2.3.4",)),
    cleaned(
        "forged names of forwarding to come",
        head(b"X-Forwarded-Prefix: /evil", b"X-Forwarded-User: root"),
        "RFC 7239 section 8.1",
        (b"evil", b"root"),
    ),
    cleaned(
        "h2c, which would carry requests past the routes",
        head(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"),
        "RFC 9113 section 3.1",
        (b"h2c", b"HTTP2-Settings", b"Upgrade"),
    ),
    cleaned(
        "h2c between others",
        head(b"Connection: Upgrade", b"Upgrade: foo, H2C/1, bar"),
        "RFC 9110 section 7.8",
        (b"H2C", b"h2c"),
        (b"Upgrade: foo, bar\r\n",),
    ),
    cleaned("TLS within HTTP", head(b"Connection: Upgrade", b"Upgrade: TLS/1.0"), "RFC 2817 section 3", (b"TLS",)),
    cleaned("an upgrade that Connection does not name", head(b"Upgrade: websocket"), "RFC 9110 section 7.8", (b"websocket",)),
    Row(
        "an upgrade of HTTP/1.0",
        head(b"Connection: upgrade", b"Upgrade: websocket", first=b"GET / HTTP/1.0"),
        "RFC 9110 section 7.8",
        (200,),
        (ROOT,),
        closed=True,
        lacks=(b"websocket",),
    ),
    Row(
        "octets above ASCII in a value go on as they are",
        head(b"X: \xff\xfe\xc3\xa9"),
        "RFC 9110 section 5.5",
        (200,),
        (ROOT,),
        closed=False,
        has=(b"X: \xff\xfe\xc3\xa9\r\n",),
    ),
)

SIZES = (
    refused("a request line without end", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: test\r\n\r\n", "RFC 9112 section 3", 414),
    refused("a request line without an end at all", b"GET /" + b"a" * 9000, "RFC 9112 section 3", 414),
    refused("a huge field", head(b"X: " + b"a" * 40_000), "RFC 6585 section 5", 431),
    refused("a huge head without an end", b"GET / HTTP/1.1\r\nHost: test\r\nX: " + b"a" * 40_000, "RFC 6585 section 5", 431),
    refused("many fields", head(*[b"X-%d: y" % n for n in range(200)]), "RFC 6585 section 5", 431),
    refused("a huge name", head(b"X" * 40_000 + b": y"), "RFC 6585 section 5", 431),
    refused("many empty fields", head(*[b"X:"] * 200), "RFC 6585 section 5", 431),
)

SEQUENCES = (
    Row("a bad request after a good one", head() + head(b"X : y"), "RFC 9112 section 9.3.2", (200, 400), (ROOT,)),
    Row("nothing after a bad request is read", head(b"X : y") + NEXT, "RFC 9112 section 9.3", (400,), ()),
    Row("nothing after `close` is read", head(b"Connection: close") + NEXT, "RFC 9112 section 9.6", (200,), (ROOT,)),
    Row(
        "nothing after HTTP/1.0 is read", b"GET / HTTP/1.0\r\nHost: test\r\n\r\n" + NEXT, "RFC 9112 section 9.3", (200,), (ROOT,)
    ),
    Row(
        "pipelined requests are answered in order",
        head() + NEXT + head(),
        "RFC 9112 section 9.3.2",
        (200, 200, 200),
        (ROOT, AFTER, ROOT),
        closed=False,
    ),
    Row(
        "a request hidden in a body is a body",
        post(b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED) + NEXT,
        "RFC 9112 section 6.2",
        (200, 200),
        (("POST", "/", SMUGGLED), AFTER),
        closed=False,
    ),
    Row(
        "Max-Forwards ends here",
        head(b"Max-Forwards: 0", first=b"OPTIONS / HTTP/1.1"),
        "RFC 9110 section 7.6.2",
        (200,),
        (),
        closed=False,
    ),
)

ALL = (*LENGTHS, *CODINGS, *CHUNKS, *LINES, *HOSTS, *FIELDS, *SIZES, *SEQUENCES)
