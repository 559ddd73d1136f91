"""A request's body on its way to the replica.

Invariants: what was not sent to any replica yet is always held (reading from the client stops before it grows); what was sent is held
only as long as it is small, so that it can be sent again. No sockets here.
"""

from balancer.hotpath.body import Body
from balancer.hotpath.head import Refusal


class Upload:
    """held: the octets read so far, if `whole`. broken: the replica takes no more of it; it may still answer."""

    def __init__(self) -> None:
        self.body = Body()
        self.held = b""
        self.whole = True
        self.broken = False

    def begin(self, kind: int, length: int) -> None:
        """Expect a body (`body.NONE`, `LENGTH` or `CHUNKED`)."""
        self.body.begin(kind, length, False)
        self.held = b""
        self.whole = True
        self.broken = False

    def read(self, data: bytes, most: int) -> bytes:
        """What goes on of these octets. Raises Refusal: 400 if the body is not valid, 413 if it is larger than `most` (0: no limit)."""
        body = self.body
        out = body.feed(data)
        if most and body.passed > most:
            raise Refusal(413, f"the body is larger than {most} octets")
        return out

    def hold(self, data: bytes) -> None:
        """Keep octets that no replica has been sent."""
        self.held = self.held + data if self.held else data

    def hold_sent(self, data: bytes, most: int) -> None:
        """Keep octets that are being sent, for another attempt, unless that makes too much."""
        if not self.whole:
            return
        if len(self.held) + len(data) > most:
            self.let_go()
        else:
            self.held += data

    def let_go(self) -> None:
        """Hold nothing any more: the request cannot be sent again."""
        self.held = b""
        self.whole = False
