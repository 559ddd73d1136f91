"""Every operation of the admin API, as data: what the routes are made from, and what the OpenAPI document lists."""

from dataclasses import dataclass
from typing import Final, Literal

from sidecar.views import DECISIONS, EVENTS, LOG_LINES

EVENT_STREAM: Final = "text/event-stream"
METRICS: Final = "text/plain"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in the path or in the query."""

    name: str
    where: Literal["path", "query", "header"]
    meaning: str
    kind: str = "string"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. answers: (status, shape or media type). body: the shape it takes, "" for an empty object."""

    id: str
    method: Literal["GET", "POST", "PUT"]
    path: str
    summary: str
    answers: tuple[tuple[int, str], ...]
    parameters: tuple[Parameter, ...] = ()
    body: str = ""


_NAME = Parameter("name", "path", "A service's name.")
_FOLLOW = Parameter("follow", "query", "1: stay and send what comes as server-sent events.", "boolean")
_TIME = "Seconds since the epoch, ISO 8601, a time of day, or a length of time: so long ago."
_UNKNOWN = (404, "Error")
_UNSCALABLE = (409, "Error")
_UNANSWERED = (503, "Error")
_INVALID = (400, "Error")
_NOT_OBEYED = (409, "Error")

OPERATIONS: Final = (
    Operation("healthz", "GET", "/healthz", "Whether the controller runs. Open to all.", ((200, "Status"),)),
    Operation(
        "readyz", "GET", "/readyz", "Whether every service is ready. Open to all.", ((200, "Readiness"), (503, "Readiness"))
    ),
    Operation("metrics", "GET", "/metrics", "Metrics in Prometheus's text format.", ((200, METRICS),)),
    Operation("openapi", "GET", "/openapi.json", "This document.", ((200, "Document"),)),
    Operation("overview", "GET", "/api/overview", "The program as a whole.", ((200, "Overview"),)),
    Operation("services", "GET", "/api/services", "All services and their replicas.", ((200, "Services"),)),
    Operation("service", "GET", "/api/services/{name}", "One service.", ((200, "ServiceView"), _UNKNOWN), (_NAME,)),
    Operation(
        "explain",
        "GET",
        "/api/services/{name}/explain",
        "Why the service has as many replicas as it has, or had at some moment.",
        ((200, "Explanation"), _INVALID, _UNKNOWN, _UNSCALABLE, _UNANSWERED),
        (_NAME, Parameter("at", "query", f"The moment; now unless given. {_TIME}")),
    ),
    Operation(
        "snapshot",
        "GET",
        "/api/services/{name}/snapshot",
        "What the next decision is made from, as `ecluse decide` reads it.",
        ((200, "Snapshot"), _UNKNOWN, _UNSCALABLE, _UNANSWERED),
        (_NAME,),
    ),
    Operation(
        "past_decisions",
        "GET",
        "/api/services/{name}/decisions",
        "What was decided, newest first: every decision that differs from the one before, and others now and then.",
        ((200, "Decisions"), _INVALID, _UNKNOWN, _UNSCALABLE, _UNANSWERED),
        (
            _NAME,
            Parameter("since", "query", f"From this moment on. {_TIME}"),
            Parameter("until", "query", f"Up to this moment. {_TIME}"),
            Parameter("changes", "query", "1: only those that differ in anything that matters.", "boolean"),
            Parameter("limit", "query", f"At most so many, 0 to {DECISIONS}; 100 unless given.", "integer"),
        ),
    ),
    Operation(
        "scale",
        "POST",
        "/api/services/{name}/scale",
        "Hold the number of replicas, or give it back to the autoscaler.",
        ((200, "ServiceView"), _INVALID, _UNKNOWN, _UNSCALABLE),
        (_NAME,),
        body="Scale",
    ),
    Operation(
        "pause",
        "POST",
        "/api/services/{name}/pause",
        "Hold the number of replicas where it is, or let it only rise; over a reload and a restart, until it is ended.",
        ((200, "ServiceView"), _INVALID, _UNKNOWN, _UNSCALABLE),
        (_NAME,),
        body="Pausing",
    ),
    Operation(
        "push",
        "POST",
        "/api/services/{name}/signals/{signal}",
        "Tell the value of a signal of type external, and decide on it at once.",
        ((200, "ServiceView"), _INVALID, _UNKNOWN, _UNSCALABLE),
        (_NAME, Parameter("signal", "path", "The name of the metric in the service's rules.")),
        body="Push",
    ),
    Operation(
        "drain",
        "POST",
        "/api/services/{name}/replicas/{id}/drain",
        "Drain one replica and stop it. Another one is started if as many are still wanted.",
        ((202, "ServiceView"), _UNKNOWN, _UNSCALABLE),
        (_NAME, Parameter("id", "path", "A replica's name.")),
    ),
    Operation(
        "logs",
        "GET",
        "/api/services/{name}/logs",
        "What the service's replicas printed last.",
        ((200, "Logs"), (200, EVENT_STREAM), _INVALID, _UNKNOWN, _UNSCALABLE),
        (_NAME, Parameter("lines", "query", f"At most so many lines, 0 to {LOG_LINES}; 100 unless given.", "integer"), _FOLLOW),
    ),
    Operation(
        "events",
        "GET",
        "/api/events",
        "Decisions and changes of state, newest first; as a stream (follow=1 or Accept: text/event-stream) oldest first.",
        ((200, "Events"), (200, EVENT_STREAM), _INVALID),
        (
            Parameter("limit", "query", f"At most so many, 0 to {EVENTS}; 100 unless given.", "integer"),
            _FOLLOW,
            Parameter("Last-Event-ID", "header", "Of a stream: begin after this event.", "integer"),
        ),
    ),
    Operation(
        "reload",
        "POST",
        "/api/reload",
        "Read the configuration again, without losing a connection.",
        ((200, "Reload"), (422, "Reload")),
    ),
    Operation(
        "proxy_table",
        "GET",
        "/api/proxy/table",
        "Of a proxy that runs apart: the routing table it has, for an autoscaler that begins.",
        ((200, "Held"), _NOT_OBEYED),
    ),
    Operation(
        "take_table",
        "PUT",
        "/api/proxy/table",
        "Of a proxy that runs apart: use a routing table, or what has changed of it. For its autoscaler.",
        ((200, "Taken"), _NOT_OBEYED),
        body="Order",
    ),
    Operation(
        "readings",
        "POST",  # whoever reads is obeyed from then on: no link and no image on a page may ask for it
        "/api/proxy/readings",
        "Of a proxy that runs apart: what it counts and what its workers say, about four times a second. For its autoscaler.",
        ((200, EVENT_STREAM), _NOT_OBEYED),
        body="Reader",
    ),
)
