"""Where the value of a signal comes from and how it is asked for: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SignalType(StrEnum):
    """A Prometheus query, a number in a JSON document, or a value that is pushed to the admin API."""

    PROMETHEUS = "prometheus"
    JSON = "json"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """One signal of a service. name: that of the metric in its rules.

    url: the Prometheus server ("http://prometheus:9090", a path before /api/v1 allowed), or the JSON document. path: instead of a url, a
    JSON document that each replica is asked for; then there is a value for each replica. query: PromQL that gives one number. pointer:
    which number of the document, a JSON Pointer (RFC 6901). headers: sent along, such as Authorization. A value is not used any more
    stale_after_s after it was read or pushed.
    """

    name: str
    type: SignalType
    url: str = ""
    path: str = ""
    query: str = ""
    pointer: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    interval_s: float = 5.0
    timeout_s: float = 2.0
    stale_after_s: float = 30.0
