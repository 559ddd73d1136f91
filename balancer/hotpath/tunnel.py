"""Two connections joined after an upgrade (RFC 9110 section 7.8): octets go both ways until both sides are done.

Invariants: each side is read no faster than the other takes it; a side that closes is passed on as a half-close once everything it
sent has been handed over. What the octets mean is not known here.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from balancer.hotpath.downstream import Downstream
    from balancer.hotpath.exchange import Exchange
    from balancer.hotpath.upstream import Upstream


class Tunnel:
    """sent, received: octets to and from the replica."""

    def __init__(self, exchange: "Exchange", downstream: "Downstream", upstream: "Upstream") -> None:
        self.exchange = exchange
        self.downstream = downstream
        self.upstream = upstream
        self.client_done = False
        self.replica_done = False
        self.sent = 0
        self.received = 0

    def from_client(self, data: bytes) -> None:
        """Octets from the client."""
        self.sent += len(data)
        if not self.upstream.send(data):
            self.exchange.end_tunnel()
            return
        self.exchange.tunnel_goes_on()
        if self.upstream.backlog:
            self.downstream.pause()

    def from_replica(self, data: bytes) -> None:
        """Octets from the replica."""
        self.received += len(data)
        if not self.downstream.send(data):
            self.exchange.end_tunnel()
            return
        self.exchange.tunnel_goes_on()
        if self.downstream.backlog:
            self.upstream.pause()

    def client_ended(self) -> None:
        """The client has closed its side."""
        self.client_done = True
        if not self.upstream.backlog:
            self.upstream.shutdown()
            self.end_if_done()

    def replica_ended(self) -> None:
        """The replica has closed its side."""
        self.replica_done = True
        if not self.downstream.backlog:
            self.downstream.shutdown()
            self.end_if_done()

    def client_drained(self) -> None:
        """The client has taken all that was held for it."""
        if self.replica_done:
            self.replica_ended()
        else:
            self.upstream.resume()

    def upstream_drained(self) -> None:
        """The replica has taken all that was held for it."""
        if self.client_done:
            self.client_ended()
        else:
            self.downstream.resume()

    def end_if_done(self) -> None:
        """Over when both sides are closed and everything is handed over."""
        if self.client_done and self.replica_done and not self.upstream.backlog and not self.downstream.backlog:
            self.exchange.end_tunnel()
