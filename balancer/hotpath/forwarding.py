"""What this proxy adds to a request's fields for the replica.

Invariant: what a client says about forwarding is believed only if it is a configured proxy. No I/O.
"""

from balancer.hotpath.fields import RequestBlock
from balancer.hotpath.values import join_list


def added_fields(block: RequestBlock, peer: bytes, minor: int, trusted: bool) -> bytes:
    """The field lines that are set here, which follow those that go on as they came, and the empty line.

    peer: the client's address, as text. trusted: it is a configured proxy, whose word about forwarding is kept and added to.
    """
    addresses, proto, authority = peer, b"http", block.authority
    element = b'for="[%b]"' % peer if b":" in peer else b"for=" + peer
    if authority:
        element += b';host="%b"' % authority
    element += b";proto=http"
    if trusted:  # RFC 7239 section 4: what nearer proxies say stands further right
        addresses = join_list(block.forwarded_for, peer)
        if not block.forwarded.count(b'"') % 2:  # a quote without its end would swallow what is added
            element = join_list(block.forwarded, element)
        proto = block.forwarded_proto or proto
        authority = block.forwarded_host or authority
    lines = [
        block.hearsay if trusted else b"",
        b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\n" % (addresses, proto),
    ]
    if authority:
        lines.append(b"X-Forwarded-Host: %b\r\n" % authority)
    if not block.hosts:  # HTTP/1.0 may do without; what goes on is HTTP/1.1 and may not (RFC 9112 section 3.2)
        lines.append(b"Host: localhost\r\n")
    if block.max_forwards >= 0:  # RFC 9110 section 7.6.2; at 0 an OPTIONS request comes no further than here
        lines.append(b"Max-Forwards: %d\r\n" % max(0, block.max_forwards - 1))
    lines.append(b"Forwarded: %b\r\nVia: 1.%d ecluse\r\n%b\r\n" % (element, minor, connection_fields(block, minor)))
    return b"".join(lines)


def connection_fields(block: RequestBlock, minor: int) -> bytes:
    """The hop-by-hop fields of the request to the replica. An HTTP/1.0 client cannot upgrade: RFC 9110 section 7.8."""
    framing = b"Transfer-Encoding: chunked\r\n" if block.chunked else b""
    if block.upgrade and minor:
        return framing + b"Connection: upgrade\r\nUpgrade: %b\r\n" % block.upgrade
    if block.trailers:
        return framing + b"Connection: TE\r\nTE: trailers\r\n"
    return framing
