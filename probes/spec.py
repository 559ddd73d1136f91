"""What to ask a replica, how often, and how many answers make a verdict. Plain data."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a probe asks."""

    HTTP = "http"
    TCP = "tcp"
    EXEC = "exec"
    GRPC = "grpc"


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One kind of probe of one service. Times in seconds.

    path: the HTTP path to GET. command: what is run in the replica instead. grpc: the name of what is asked for by the gRPC health
    checking protocol, "" for the server as a whole; None: it is not asked so. Without any of them connecting is enough (TCP).
    port: that is asked, where it is not the replica's own; 0: it is. expect: statuses that pass; empty is 200 to 399, as in
    Kubernetes. rise, fall: passes (failures) in a row that make the verdict ready (unready); a new replica needs one pass only.
    """

    path: str = ""
    expect: tuple[int, ...] = ()
    interval_s: float = 2.0
    timeout_s: float = 1.0
    rise: int = 2
    fall: int = 3
    host: str = ""  # the Host header; "" is the replica's address
    start_timeout_s: float = 60.0  # a replica that is never ready for so long is replaced
    command: tuple[str, ...] = ()
    grpc: str | None = None
    port: int = 0

    @property
    def kind(self) -> Kind:
        """How it asks."""
        if self.command:
            return Kind.EXEC
        if self.grpc is not None:
            return Kind.GRPC
        return Kind.HTTP if self.path else Kind.TCP

    def address(self, replica: str) -> str:
        """What is asked, given the replica's address. A Unix socket has no other port."""
        if not self.port or replica.startswith("unix:"):
            return replica
        return f"{replica.rpartition(':')[0]}:{self.port}"
