"""What to ask a replica, how often, and how many answers make a verdict. Plain data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One kind of probe of one service. Times in seconds.

    path: the HTTP path to GET; "" is a TCP probe (connecting is enough). expect: statuses that pass; empty is 200 to 399, as in
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
