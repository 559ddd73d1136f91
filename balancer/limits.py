"""Every limit of the data path, with its default: the one place where they are named.

Those that a user may set have the configuration key of the same name under `limits` or `timeouts`; the others are fixed, with
the reason beside them. No code here: numbers only.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes and counts, per listener or per connection. Bytes unless the name says otherwise."""

    request_line: int = 8 * 1024  # 414 beyond; RFC 9112 section 3 asks for at least 8000
    head: int = 32 * 1024  # 431 beyond; request line and header section together
    fields: int = 100  # 431 beyond
    body: int = 0  # 413 beyond; 0: no limit
    body_rate: int = (
        240  # least bytes per second of a body that a client sends or takes, after `body_grace_s`; 408, or abort; 0: no least
    )
    connections: int = 10_000  # per worker, over all its listeners; 503 and close beyond
    connections_per_client: int = 0  # of one client address (of IPv6 a /64) over all workers; 429 and close beyond; 0: no limit
    buffers: int = 512 * 1024 * 1024  # held by one worker for peers that are slow; 503 and close beyond
    response_head: int = 64 * 1024  # 502 beyond
    pool_per_replica: int = 256  # idle connections kept to one replica by one worker


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. What happens at the end of each stands beside it."""

    head_s: float = 10.0  # first byte of a head to its last; 408
    idle_s: float = 75.0  # a keep-alive connection without a request; closed without a word
    body_idle_s: float = 60.0  # no byte moved in either direction while a body is under way; 408, or abort after the head
    body_grace_s: float = 10.0  # of a body, before it must have kept to `Limits.body_rate`
    tunnel_idle_s: float = 3600.0  # the same after an upgrade
    connect_s: float = 2.0  # to one replica; another one is tried, in the end 504
    response_head_s: float = 60.0  # request sent to response head; 504
    total_s: float = 0.0  # first byte of the request to last byte of the response; 504 or abort; 0: no limit
    pool_idle_s: float = 55.0  # an unused connection to a replica; below the 60-75 s at which common app servers close
    linger_s: float = 2.0  # waiting for more of it after an early final response, so that a reset does not destroy that


# Fixed limits.
RECEIVE = 64 * 1024  # one read; and so the most that one connection may move before the others get their turn
EVENTS = 64  # handed out by one turn of the loop: the one that comes last in it waits for all others
ACCEPT_BATCH = 16  # connections accepted before the others on this worker get their turn
PIPELINED = (
    16  # requests that the proxy answers itself, one right after the other on a connection, before the others get their turn
)
SPLICE_LEAST = 256 * 1024  # of a body still to come, below which it is copied and not spliced
SPLICE_MOST = 256 * 1024  # moved at once, and asked of a pipe, while a body is spliced
SPARE_PIPES = 64  # kept by one worker for the next large bodies
SPARE_EXCHANGES = 256  # kept by one worker for the next requests
REPEATED_HEAD = 512  # octets of a request head that is kept by its connection to see whether the next one is the same
FIELD_NAMES = 1024  # authorities whose names one worker remembers
FIELD_LINES = 4096  # valid field lines that one interpreted worker remembers
REPLAY_BODY = 64 * 1024  # of a request body held so that it can be sent to another replica
CHUNK_LINE = 256  # a chunk's size and extensions
TRAILERS = 8 * 1024  # trailer section of a chunked body
LINGER_S = 30.0  # reading and dropping an unread request body before closing, at the most
CROWDED_SHARE = 0.8  # of a worker's connections in use, from where on a service may have its fair share of them only
ATTEMPTS = 20  # the most that may be configured as `retries.attempts`
MEMO_ENTRIES = 1024  # validated header blocks remembered by one worker, per direction
MEMO_BLOCK = 512  # a larger header block is read each time it differs from the one before it on its connection: a browser's
WORKERS = 64
SERVICES = 2048
REPLICAS = 16_384
ENDPOINT_NAME = 255
LOG_LINES = 10_000  # access log lines waiting to be written, per worker; more are dropped and counted
MESSAGE = 64 * 1024 * 1024  # one message between controller and worker
