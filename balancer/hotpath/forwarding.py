"""What this proxy adds to a request's fields for the replica.

Invariant: what a client says about forwarding is believed only if it is a configured proxy. No I/O.
"""

from balancer.hotpath.fields import RequestBlock
from balancer.hotpath.values import join_list

VIA = b"\r\nVia: 1.1 ecluse\r\n"  # and the end of the line before it
VIA_1_0 = b"\r\nVia: 1.0 ecluse\r\n"


def added_fields(block: RequestBlock, peer: bytes, minor: int, trusted: bool) -> bytes:
    """The field lines that are set here, which follow those that go on as they came, and the empty line.

    peer: the client's address, as text. trusted: it is a configured proxy, whose word about forwarding is kept and added to.
    """
    addresses, proto, authority = peer, b"http", block.authority
    element = forwarded_element(peer, authority)
    if trusted:  # RFC 7239 section 4: what nearer proxies say stands further right
        addresses = join_list(block.forwarded_for, peer)
        if not block.forwarded.count(b'"') % 2:  # a quote without its end would swallow what is added
            element = join_list(block.forwarded, element)
        proto = block.forwarded_proto or proto
        authority = block.forwarded_host or authority
    parts = [block.hearsay] if trusted else []
    parts += (b"X-Forwarded-For: ", addresses, b"\r\nX-Forwarded-Proto: ", proto)
    if authority:
        parts += (b"\r\nX-Forwarded-Host: ", authority)
    if not block.hosts:  # HTTP/1.0 may do without; what goes on is HTTP/1.1 and may not (RFC 9112 section 3.2)
        parts.append(b"\r\nHost: localhost")
    if block.max_forwards >= 0:  # RFC 9110 section 7.6.2; at 0 an OPTIONS request comes no further than here
        parts.append(b"\r\nMax-Forwards: %d" % max(0, block.max_forwards - 1))
    parts += (b"\r\nForwarded: ", element, VIA if minor else VIA_1_0, connection_fields(block, minor), b"\r\n")
    return b"".join(parts)


def forwarded_element(peer: bytes, authority: bytes) -> bytes:
    """What this proxy says in `Forwarded`, RFC 7239 section 4."""
    before, after = (b'for="[', b']"') if b":" in peer else (b"for=", b"")
    if not authority:
        return before + peer + after + b";proto=http"
    return b"".join((before, peer, after, b';host="', authority, b'";proto=http'))


def connection_fields(block: RequestBlock, minor: int) -> bytes:
    """The hop-by-hop fields of the request to the replica. An HTTP/1.0 client cannot upgrade: RFC 9110 section 7.8."""
    framing = b"Transfer-Encoding: chunked\r\n" if block.chunked else b""
    if block.upgrade and minor:
        return framing + b"Connection: upgrade\r\nUpgrade: %b\r\n" % block.upgrade
    if block.trailers:
        return framing + b"Connection: TE\r\nTE: trailers\r\n"
    return framing
