"""The keys under `limits` and `timeouts`, as pydantic models. Defaults are those of `balancer.limits`; see `models`."""

from typing import Annotated

from balancer.table import Settings
from sidecar.configuration import kinds
from sidecar.configuration.base import Model

_SETTINGS = Settings()
_MIB, _GIB = 1024**2, 1024**3


class Limits(Model):
    """Sizes and counts of the data path. Sizes are in bytes, or with a unit: 8KiB, 32k, 1MiB."""

    request_line: Annotated[int, kinds.size(256, _MIB)] = _SETTINGS.limits.request_line
    """The longest request line; 414 beyond."""
    head: Annotated[int, kinds.size(512, _MIB)] = _SETTINGS.limits.head
    """The largest request head, request line included; 431 beyond."""
    fields: Annotated[int, kinds.whole(1, 10_000)] = _SETTINGS.limits.fields
    """The most header fields of a request; 431 beyond."""
    body: Annotated[int, kinds.size(0, 1024 * 1024 * _GIB)] = _SETTINGS.limits.body
    """The largest request body; 413 beyond. 0: no limit."""
    body_rate: Annotated[int, kinds.size(0, _GIB)] = _SETTINGS.limits.body_rate
    """The least bytes per second of a body that a client sends or takes, after timeouts.body_grace; 408, or an abort. 0: no least."""
    connections: Annotated[int, kinds.whole(1, 1_000_000)] = _SETTINGS.limits.connections
    """The most client connections of one worker; 503 beyond."""
    connections_per_client: Annotated[int, kinds.whole(0, 1_000_000)] = _SETTINGS.limits.connections_per_client
    """The most connections of one client address (of IPv6 a /64), over all workers; 429 beyond. 0: no limit."""
    buffers: Annotated[int, kinds.size(_MIB, 1024 * _GIB)] = _SETTINGS.limits.buffers
    """The most that one worker holds for clients and replicas that are slow; new requests get 503 beyond."""
    response_head: Annotated[int, kinds.size(512, _MIB)] = _SETTINGS.limits.response_head
    """The largest response head of a replica; 502 beyond."""
    pool_per_replica: Annotated[int, kinds.whole(0, 10_000)] = _SETTINGS.limits.pool_per_replica
    """The most idle connections that one worker keeps to one replica."""


class Timeouts(Model):
    """Times of the data path."""

    head: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.head_s
    """From the first byte of a request head to its last; 408 beyond."""
    idle: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.idle_s
    """How long a client's connection may stay open without a request."""
    body_idle: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.body_idle_s
    """How long no byte may move while a body is under way; 408, or an abort once the response has begun."""
    body_grace: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.body_grace_s
    """How long a body may take before it must have kept to limits.body_rate."""
    tunnel_idle: Annotated[float, kinds.duration(high=30 * kinds.DAY_S)] = _SETTINGS.timeouts.tunnel_idle_s
    """The same after an upgrade, such as for a WebSocket."""
    connect: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.connect_s
    """For connecting to a replica; then another one is tried, in the end 504."""
    response_head: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.response_head_s
    """From the request sent to the response head of the replica; 504 beyond."""
    total: Annotated[float, kinds.duration(low=0.0)] = _SETTINGS.timeouts.total_s
    """From the first byte of the request to the last byte of the response; 504 or an abort beyond. 0: no limit."""
    pool_idle: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.pool_idle_s
    """How long an unused connection to a replica is kept; best a little less than the app server's own limit."""
    linger: Annotated[float, kinds.duration()] = _SETTINGS.timeouts.linger_s
    """How long the rest of a request is read on after an early answer, so that the client can read the answer."""
